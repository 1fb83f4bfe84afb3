//! A small WebSocket client that can also say what no client should.

use crate::client::{Client, PATIENCE};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
const MASK: [u8; 4] = [0x5a, 0xa5, 0x3c, 0xc3];

/// What came.
#[derive(Clone, Debug, PartialEq)]
pub enum Got {
    Message(Value),
    Ping,
    Closed(u16, String),
    /// Without a goodbye.
    Gone,
}

/// One connection.
pub struct Socket {
    stream: BufReader<TcpStream>,
    ids: u64,
    answers_pings: bool,
    /// Messages of subscriptions that came while an answer was waited for.
    told: std::collections::VecDeque<Value>,
}

impl Socket {
    /// Connects with these headers; `Err` is the status of a refusal.
    pub async fn open(client: &Client, path: &str, headers: &str) -> Result<Self, u16> {
        let mut stream = BufReader::new(TcpStream::connect(client.address).await.unwrap());
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: desk\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut status = 0;
        loop {
            let mut line = String::new();
            timeout(PATIENCE, stream.read_line(&mut line)).await.unwrap().unwrap();
            if status == 0 {
                status = line.split(' ').nth(1).unwrap().parse().unwrap();
            }
            if line.trim_end().is_empty() {
                break;
            }
        }
        if status == 101 { Ok(Self { stream, ids: 0, answers_pings: true, told: std::collections::VecDeque::new() }) } else { Err(status) }
    }

    /// Connects with the client's key.
    pub async fn of(client: &Client) -> Self {
        Self::open(client, "/api/v1/ws", &format!("x-api-key: {}\r\n", client.key)).await.unwrap()
    }

    /// Sends one frame as it is told. The peer may have gone already.
    pub async fn frame(&mut self, first: u8, payload: &[u8], masked: bool) {
        let mut frame = vec![first];
        let bit = if masked { 0x80 } else { 0 };
        match payload.len() {
            short @ 0..=125 => frame.push(bit | u8::try_from(short).unwrap()),
            middle @ 126..=0xffff => {
                frame.push(bit | 126);
                frame.extend_from_slice(&u16::try_from(middle).unwrap().to_be_bytes());
            }
            long => {
                frame.push(bit | 127);
                frame.extend_from_slice(&(long as u64).to_be_bytes());
            }
        }
        if masked {
            frame.extend_from_slice(&MASK);
            frame.extend(payload.iter().enumerate().map(|(at, byte)| byte ^ MASK[at % 4]));
        } else {
            frame.extend_from_slice(payload);
        }
        let _written = self.stream.write_all(&frame).await;
    }

    pub async fn text(&mut self, text: &str) {
        self.frame(0x80 | TEXT, text.as_bytes(), true).await;
    }

    /// What comes next, whatever it is. Pings are answered.
    pub async fn next(&mut self) -> Got {
        timeout(PATIENCE, self.read()).await.expect("something comes in time")
    }

    async fn read(&mut self) -> Got {
        let Ok(first) = self.stream.read_u8().await else { return Got::Gone };
        let Ok(second) = self.stream.read_u8().await else { return Got::Gone };
        assert_eq!(second & 0x80, 0, "a server does not mask");
        let length = match second {
            126 => u64::from(self.stream.read_u16().await.unwrap()),
            127 => self.stream.read_u64().await.unwrap(),
            short => u64::from(short),
        };
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        if self.stream.read_exact(&mut payload).await.is_err() {
            return Got::Gone;
        }
        match first & 0x0f {
            TEXT => Got::Message(serde_json::from_slice(&payload).unwrap()),
            PING => {
                if self.answers_pings {
                    self.frame(0x80 | PONG, &payload, true).await;
                }
                Got::Ping
            }
            CLOSE => {
                let code = payload.get(..2).map_or(1005, |code| u16::from_be_bytes([code[0], code[1]]));
                Got::Closed(code, String::from_utf8(payload.get(2..).unwrap_or_default().to_vec()).unwrap())
            }
            other => panic!("a frame of the kind {other}"),
        }
    }

    /// Reads until the connection ends.
    pub async fn end(&mut self) -> Got {
        loop {
            if let end @ (Got::Closed(..) | Got::Gone) = self.next().await {
                return end;
            }
        }
    }

    /// Reads until the connection ends, and answers no ping.
    pub async fn deaf_end(&mut self) -> Got {
        self.answers_pings = false;
        self.end().await
    }

    async fn message(&mut self) -> Value {
        loop {
            match self.next().await {
                Got::Message(message) if message["type"] == "heartbeat" => (),
                Got::Message(message) => return message,
                Got::Ping => (),
                end => panic!("the connection goes on: {end:?}"),
            }
        }
    }

    /// The next message of a subscription.
    pub async fn told(&mut self) -> Value {
        match self.told.pop_front() {
            Some(told) => told,
            None => self.message().await,
        }
    }

    /// Sends a request; its id.
    pub async fn send(&mut self, mut request: Value) -> String {
        self.ids += 1;
        let id = format!("m{}", self.ids);
        request["id"] = json!(id);
        self.text(&request.to_string()).await;
        id
    }

    /// The answer to a request.
    pub async fn answer(&mut self, id: &str) -> Value {
        loop {
            let message = self.message().await;
            if message["id"] == id {
                return message;
            }
            self.told.push_back(message);
        }
    }

    pub async fn ask(&mut self, request: Value) -> Value {
        let id = self.send(request).await;
        self.answer(&id).await
    }

    /// Asserts the status of the answer.
    #[track_caller]
    pub fn expect(answer: Value, status: u16) -> Value {
        assert_eq!(answer["status"], status, "{answer}");
        answer
    }

    /// Subscribes: the answer's body, and the items of the snapshot.
    pub async fn subscribe(&mut self, mut request: Value) -> (Value, Vec<Value>) {
        request["op"] = json!("subscribe");
        let resumes = request.get("from").is_some() || request["topic"] == "marketdata";
        let body = Self::expect(self.ask(request).await, 200)["body"].clone();
        let mut items = Vec::new();
        if resumes {
            return (body, items);
        }
        loop {
            let piece = self.told().await;
            assert_eq!((&piece["type"], &piece["sequence"]), (&json!("snapshot"), &body["sequence"]), "{piece}");
            match &piece["data"] {
                Value::Array(some) => items.extend(some.iter().cloned()),
                other => items.push(other.clone()),
            }
            if piece["last"] == true {
                return (body, items);
            }
        }
    }
}
