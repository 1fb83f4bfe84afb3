//! A client of the WebSocket: signs in as clients do, by its key, and reads frames.

use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const MASK: [u8; 4] = [0x5a, 0xa5, 0x3c, 0xc3];
const TEXT: u8 = 0x81;
const PONG: u8 = 0x8a;

/// One connection.
pub struct Socket {
    stream: TcpStream,
    read: Vec<u8>,
    /// Bytes that came.
    pub bytes: u64,
}

impl Socket {
    /// Connects with this key.
    pub async fn open(address: SocketAddr, key: &str) -> Self {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!(
            "GET /api/v1/ws HTTP/1.1\r\nhost: desk\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nx-api-key: {key}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut read = Vec::new();
        while !read.windows(4).any(|four| four == b"\r\n\r\n") {
            assert!(stream.read_buf(&mut read).await.unwrap() > 0, "the connection ended");
        }
        assert!(read.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&read));
        let end = read.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
        read.drain(..end);
        Self { stream, read, bytes: 0 }
    }

    /// Sends a message.
    pub async fn send(&mut self, message: &str) {
        self.frame(TEXT, message.as_bytes()).await;
    }

    async fn frame(&mut self, first: u8, payload: &[u8]) {
        let mut frame = vec![first];
        match u16::try_from(payload.len()).unwrap() {
            short @ 0..=125 => frame.push(0x80 | short as u8),
            long => {
                frame.push(0x80 | 126);
                frame.extend_from_slice(&long.to_be_bytes());
            }
        }
        frame.extend_from_slice(&MASK);
        frame.extend(payload.iter().enumerate().map(|(at, byte)| byte ^ MASK[at % 4]));
        self.stream.write_all(&frame).await.unwrap();
    }

    /// The next text message. Pings are answered.
    pub async fn next(&mut self) -> Vec<u8> {
        loop {
            while let Some((first, head, length)) = self.complete() {
                let payload = self.read[head..head + length].to_vec();
                self.read.drain(..head + length);
                self.bytes += (head + length) as u64;
                match first & 0x0f {
                    1 => return payload,
                    9 => self.frame(PONG, &payload).await,
                    kind => panic!("a frame of the kind {kind}: {}", String::from_utf8_lossy(&payload)),
                }
            }
            assert!(self.stream.read_buf(&mut self.read).await.unwrap() > 0, "the connection ended");
        }
    }

    /// First byte, length of the head and of the payload of the frame in front, where all of it is there.
    fn complete(&self) -> Option<(u8, usize, usize)> {
        let (first, second) = (*self.read.first()?, *self.read.get(1)?);
        let (head, length) = match second {
            126 => (4, usize::from(u16::from_be_bytes(self.read.get(2..4)?.try_into().unwrap()))),
            127 => (10, u64::from_be_bytes(self.read.get(2..10)?.try_into().unwrap()) as usize),
            short => (2, usize::from(short)),
        };
        (self.read.len() >= head + length).then_some((first, head, length))
    }
}
