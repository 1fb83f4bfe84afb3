//! A small HTTP/1.1 client that shows exactly what came over the socket.

use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a test waits for something that must come.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// What came back.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A field of the body as text.
    pub fn get(&self, pointer: &str) -> String {
        let document = self.json();
        match document.pointer(pointer) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => panic!("{pointer} is not in {document}"),
        }
    }

    /// Asserts the status and answers itself.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// Asserts that it is a refusal with this status and code, in the envelope and nothing else.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        let document = self.json();
        let mut fields: Vec<&String> = document.as_object().unwrap().keys().collect();
        fields.sort();
        assert_eq!(fields, ["code", "details", "hint", "message", "trace_id"]);
        assert_eq!(self.get("/code"), code, "{document}");
        assert_eq!(self.get("/trace_id").len(), 32);
        assert_eq!(self.header("x-content-type-options"), Some("nosniff"));
        self
    }
}

/// Sends requests with one key.
#[derive(Clone)]
pub struct Client {
    pub address: SocketAddr,
    /// Where gRPC listens.
    pub grpc: SocketAddr,
    pub key: String,
}

impl Client {
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Reply {
        whole(self.open(method, path, headers, body).await).await
    }

    /// Sends these headers and no credential besides.
    pub async fn bare(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Reply {
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: desk\r\nconnection: close\r\n");
        if let Some(body) = body {
            request += &format!("content-length: {}\r\n", body.len());
        }
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        request += "\r\n";
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let _written = stream.write_all(body.unwrap_or_default()).await;
        whole(stream).await
    }

    async fn open(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> TcpStream {
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: desk\r\nconnection: close\r\n");
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("x-api-key")) {
            request += &format!("x-api-key: {}\r\n", self.key);
        }
        if let Some(body) = body {
            request += &format!("content-length: {}\r\n", body.len());
            if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
                request += "content-type: application/json\r\n";
            }
        }
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        request += "\r\n";
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        // A server that refuses by the head alone may close before it has read the body.
        let _written = stream.write_all(body.unwrap_or_default()).await;
        stream
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], None).await
    }

    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        self.send("POST", path, headers, Some(body.as_bytes())).await
    }

    pub async fn put(&self, path: &str, body: &str) -> Reply {
        self.send("PUT", path, &[], Some(body.as_bytes())).await
    }

    pub async fn stream(&self, path: &str, headers: &[(&str, &str)]) -> Events {
        let mut stream = BufReader::new(self.open("GET", path, headers, None).await);
        let (status, _) = head(&mut stream).await;
        assert_eq!(status, 200);
        Events { stream, text: String::new() }
    }
}

async fn whole(stream: TcpStream) -> Reply {
    let mut stream = BufReader::new(stream);
    let (status, headers) = head(&mut stream).await;
    let mut body = Vec::new();
    stream.read_to_end(&mut body).await.unwrap();
    Reply { status, headers, body }
}

async fn head(stream: &mut BufReader<TcpStream>) -> (u16, Vec<(String, String)>) {
    let mut line = String::new();
    stream.read_line(&mut line).await.unwrap();
    let status = line.split(' ').nth(1).unwrap_or_else(|| panic!("no status in {line:?}")).parse().unwrap();
    let mut headers = Vec::new();
    loop {
        line.clear();
        stream.read_line(&mut line).await.unwrap();
        let Some((name, value)) = line.trim_end().split_once(": ") else { return (status, headers) };
        headers.push((name.to_owned(), value.to_owned()));
    }
}

/// One server-sent event.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    pub id: Option<u64>,
    pub event: String,
    pub data: Value,
}

/// A stream of events.
pub struct Events {
    stream: BufReader<TcpStream>,
    text: String,
}

impl Events {
    /// The next event; `None` where the stream has ended.
    pub async fn next(&mut self) -> Option<Sent> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                let Some(data) = field("data") else { continue };
                return Some(Sent {
                    id: field("id").map(|id| id.parse().unwrap()),
                    event: field("event").unwrap_or_default().to_owned(),
                    data: serde_json::from_str(data).unwrap(),
                });
            }
            // A missing event fails the test instead of hanging it.
            timeout(PATIENCE, self.chunk()).await.expect("something comes in time")?;
        }
    }

    pub async fn take(&mut self, count: usize) -> Vec<Sent> {
        let mut taken = Vec::new();
        while taken.len() < count {
            taken.push(self.next().await.expect("the stream goes on"));
        }
        taken
    }

    async fn chunk(&mut self) -> Option<()> {
        let mut line = String::new();
        self.stream.read_line(&mut line).await.ok()?;
        let length = usize::from_str_radix(line.trim(), 16).ok().filter(|length| *length > 0)?;
        let mut chunk = vec![0; length + 2];
        self.stream.read_exact(&mut chunk).await.ok()?;
        chunk.truncate(length);
        self.text += std::str::from_utf8(&chunk).unwrap();
        Some(())
    }
}
