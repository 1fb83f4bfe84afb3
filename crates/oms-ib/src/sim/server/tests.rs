use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::*;
use crate::codec::frame::{Framer, GREETING, MAX_REPLY, MAX_REQUEST, put_offer, read_agreement};
use crate::codec::{Decoded, Reply, RequestTime, StartApi};
use crate::sim::gateway::stage;

/// The longest that anything is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

async fn server() -> Server {
    let gateway = GatewayConfig::new(stage::ibm(60), wall_time());
    let any = "127.0.0.1:0".to_owned();
    Server::start(ServerConfig { listen: any.clone(), admin: Some(any), gateway, scenario: Vec::new() }).await.unwrap()
}

/// A client that is no more than a socket.
struct Peer {
    stream: TcpStream,
    framer: Framer,
}

impl Peer {
    async fn connect(server: &Server) -> Self {
        Self { stream: TcpStream::connect(server.address()).await.unwrap(), framer: Framer::client(MAX_REPLY) }
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// The next frame; `None` once the other side has closed.
    async fn frame(&mut self) -> Option<Vec<u8>> {
        let mut chunk = [0; 4096];
        loop {
            if let Some(place) = self.framer.cut().unwrap() {
                return Some(self.framer.bytes(&place).to_vec());
            }
            match timeout(PATIENCE, self.stream.read(&mut chunk)).await.expect("an answer or an end") {
                Ok(0) | Err(_) => return None,
                Ok(count) => self.framer.push(&chunk[..count]),
            }
        }
    }

    async fn ask(&mut self, request: Request) {
        let mut bytes = Vec::new();
        request.encode(Dialect::Proto(225), &mut bytes);
        self.send(&bytes).await;
    }

    /// A session in protobuf.
    async fn begin(server: &Server, client_id: i32) -> Self {
        let (mut peer, mut offer) = (Self::connect(server).await, Vec::new());
        put_offer(213, 226, &mut offer);
        peer.send(&offer).await;
        assert_eq!(read_agreement(&peer.frame().await.unwrap()).unwrap().0, 225);
        peer.ask(Request::StartApi(StartApi { client_id, capabilities: String::new() })).await;
        peer
    }

    /// Reads until the time is told.
    async fn time(&mut self) {
        self.ask(Request::CurrentTime(RequestTime {})).await;
        loop {
            let frame = self.frame().await.expect("the session goes on");
            if let Ok(Decoded::Message(Reply::CurrentTime(_))) = Reply::decode(Dialect::Proto(225), &frame) {
                return;
            }
        }
    }
}

#[tokio::test]
async fn peers_that_speak_something_else_are_closed() {
    let server = server().await;
    let (mut no_version, mut early) = (Vec::new(), GREETING.to_vec());
    put_offer(226, 230, &mut no_version);
    early.extend_from_slice(&u32::MAX.to_be_bytes());
    for junk in [b"GET / HTTP/1.1\r\n\r\n".to_vec(), no_version, early, b"API\0\0\0\0\x03abc".to_vec(), b"API\0\0\0\0\0".to_vec()] {
        let mut peer = Peer::connect(&server).await;
        peer.send(&junk).await;
        assert_eq!(peer.frame().await, None, "{junk:?}");
    }
    Peer::begin(&server, 1).await.time().await;
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_not_understood_is_counted_and_what_is_too_long_ends_the_connection() {
    let server = server().await;
    let mut peer = Peer::begin(&server, 1).await;
    // An id that nobody knows, and an order status that a client cannot send.
    peer.send(&[0, 0, 0, 5, 0, 0, 1, 250, 7]).await;
    peer.send(&[0, 0, 0, 6, 0, 0, 0, 203, 255, 255]).await;
    peer.time().await;
    let status = server.command(Command::Status).await.unwrap();
    assert!(status.contains("not understood 2"), "{status}");
    let too_long = u32::try_from(MAX_REQUEST + 1).unwrap().to_be_bytes();
    peer.send(&too_long).await;
    while peer.frame().await.is_some() {}
    // Its client id is free again.
    Peer::begin(&server, 1).await.time().await;
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_frozen_gateway_takes_connections_and_answers_none_until_it_thaws() {
    let server = server().await;
    let mut old = Peer::begin(&server, 1).await;
    old.time().await;
    server.command(Command::Freeze(true)).await.unwrap();
    old.ask(Request::CurrentTime(RequestTime {})).await;
    let (mut new, mut offer) = (Peer::connect(&server).await, Vec::new());
    put_offer(213, 226, &mut offer);
    new.send(&offer).await;
    // Whatever it had to say it has said before the answer to this command.
    let status = server.command(Command::Status).await.unwrap();
    assert!(status.contains("frozen: true"), "{status}");
    let mut chunk = [0; 64];
    let silent = timeout(Duration::from_millis(300), new.stream.read(&mut chunk)).await;
    assert!(silent.is_err(), "a frozen gateway answered a handshake");
    server.command(Command::Freeze(false)).await.unwrap();
    assert!(new.frame().await.is_some());
    old.time().await;
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_port_that_is_taken_is_told() {
    let server = server().await;
    let listener = bind(&server.address().to_string()).await;
    assert!(matches!(listener, Err(ServerError::Listen { .. })));
    let admin = TcpStream::connect(server.admin().unwrap()).await.unwrap();
    drop(admin);
    let address = server.address();
    server.stop().await.unwrap();
    bind(&address.to_string()).await.unwrap();
}
