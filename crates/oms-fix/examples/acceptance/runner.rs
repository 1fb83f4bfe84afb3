//! Plays a script against an engine.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use oms_fix::codec::frame::{Cut, Framer};

use crate::engine::Running;
use crate::script::{Action, Script, Template, difference};

/// How long something is waited for.
const PATIENCE: Duration = Duration::from_secs(12);

/// What failed: the line of the script, and why.
#[derive(Debug)]
pub struct Failure {
    pub line: usize,
    pub why: String,
}

struct Peer {
    stream: TcpStream,
    framer: Framer,
}

enum Seen {
    Message(Vec<u8>),
    Closed,
    Nothing,
    Broken(String),
}

impl Peer {
    fn new(stream: TcpStream) -> Result<Self, String> {
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        Ok(Self { stream, framer: Framer::new(1 << 20) })
    }

    /// Waits for a message or the end.
    fn see(&mut self, until: Instant) -> Seen {
        loop {
            match self.framer.cut() {
                Cut::Message(place) => return Seen::Message(self.framer.bytes(&place).to_vec()),
                Cut::Garbled(why) => return Seen::Broken(format!("received a message that is garbled: {why}")),
                Cut::More => (),
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Seen::Nothing;
            }
            if let Err(error) = self.stream.set_read_timeout(Some(left)) {
                return Seen::Broken(error.to_string());
            }
            match self.stream.read(self.framer.space()) {
                Ok(0) => return Seen::Closed,
                Ok(count) => self.framer.filled(count),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => (),
                // The other side closed before it had read everything.
                Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => return Seen::Closed,
                Err(error) => return Seen::Broken(error.to_string()),
            }
        }
    }
}

/// Where the script's connections go, or come from.
pub enum Place {
    Connect(SocketAddr),
    Listen(TcpListener),
}

/// Plays the steps.
///
/// # Errors
/// The first step that fails.
pub fn play(script: &Script, place: &Place, engine: Option<&Running>) -> Result<(), Failure> {
    let mut peers: BTreeMap<u32, Peer> = BTreeMap::new();
    for step in &script.steps {
        act(&step.action, step.connection, place, &mut peers, engine).map_err(|why| Failure { line: step.line, why })?;
    }
    Ok(())
}

fn act(action: &Action, id: u32, place: &Place, peers: &mut BTreeMap<u32, Peer>, engine: Option<&Running>) -> Result<(), String> {
    match action {
        Action::Connect => {
            // A connection with the same number ends first.
            peers.remove(&id);
            let Place::Connect(address) = place else { return Err("the engine dials in this script".to_owned()) };
            let stream = TcpStream::connect_timeout(address, PATIENCE).map_err(|error| format!("connecting: {error}"))?;
            peers.insert(id, Peer::new(stream)?);
        }
        Action::Disconnect => drop(peers.remove(&id)),
        Action::ExpectConnect => {
            peers.remove(&id);
            let Place::Listen(listener) = place else { return Err("the runner does not listen in this script".to_owned()) };
            peers.insert(id, Peer::new(accept(listener)?)?);
        }
        Action::Send(template) => {
            let (message, _) = template.fill(now());
            let peer = peers.get_mut(&id).ok_or("there is no connection")?;
            peer.stream.write_all(&message).map_err(|error| format!("sending: {error}"))?;
        }
        Action::Expect(template) => expect(template, peers.get_mut(&id).ok_or("there is no connection")?)?,
        Action::ExpectDisconnect => {
            let mut peer = peers.remove(&id).ok_or("there is no connection")?;
            match peer.see(Instant::now() + PATIENCE) {
                Seen::Closed => (),
                Seen::Message(message) => return Err(format!("expected the end, received {}", shown(&message))),
                Seen::Nothing => return Err("the connection was not closed".to_owned()),
                Seen::Broken(why) => return Err(why),
            }
        }
        Action::Engine { verb, rest } => engine.ok_or("this script needs the engine in this process")?.act(verb, rest, PATIENCE)?,
    }
    Ok(())
}

fn expect(template: &Template, peer: &mut Peer) -> Result<(), String> {
    let (expected, any_length) = template.fill(now());
    match peer.see(Instant::now() + PATIENCE) {
        Seen::Message(found) => match difference(&expected, &found, any_length) {
            None => Ok(()),
            Some(why) => Err(format!("{why}\n      expected {}\n      received {}", shown(&expected), shown(&found))),
        },
        Seen::Closed => Err(format!("the connection was closed; expected {}", shown(&expected))),
        Seen::Nothing => Err(format!("nothing came; expected {}", shown(&expected))),
        Seen::Broken(why) => Err(why),
    }
}

fn accept(listener: &TcpListener) -> Result<TcpStream, String> {
    let until = Instant::now() + PATIENCE;
    listener.set_nonblocking(true).map_err(|error| error.to_string())?;
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false).map_err(|error| error.to_string())?;
                return Ok(stream);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock && Instant::now() < until => {
                std::thread::park_timeout(Duration::from_millis(2))
            }
            Err(error) => return Err(format!("the engine does not connect: {error}")),
        }
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

fn shown(message: &[u8]) -> String {
    String::from_utf8_lossy(message).replace('\u{1}', "|")
}
