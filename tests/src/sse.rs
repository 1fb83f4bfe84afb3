//! A client of server-sent events.

use crate::http::{Connection, request};
use serde_json::Value;
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Its id, where it has one.
    pub id: Option<u64>,
    /// Its kind.
    pub kind: String,
    /// Its data.
    pub data: String,
}

impl Event {
    /// The data as JSON.
    ///
    /// # Panics
    /// Where it is not.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap_or_else(|error| panic!("{error} in {:?}", self.data))
    }
}

/// A stream that is open.
#[derive(Debug)]
pub struct Stream {
    connection: Connection,
    bytes: Vec<u8>,
    ready: VecDeque<Event>,
}

impl Stream {
    /// Opens a stream; `path` stands below `/api/v1`.
    ///
    /// # Errors
    /// No connection, or an answer other than 200.
    pub fn open(address: SocketAddr, key: &str, path: &str, last_event_id: Option<u64>) -> io::Result<Self> {
        let mut connection = Connection::open(address)?;
        let id = last_event_id.map(|id| id.to_string());
        let mut headers = vec![("X-API-Key", key), ("Accept", "text/event-stream")];
        headers.extend(id.as_deref().map(|id| ("Last-Event-ID", id)));
        connection.send(&request("GET", &format!("/api/v1{path}"), &headers, None))?;
        let (status, answered) = connection.head()?;
        let kind = answered.iter().find(|(name, _)| name == "content-type").map(|(_, value)| value.as_str());
        if status != 200 || kind != Some("text/event-stream") {
            return Err(io::Error::other(format!("the stream was answered with {status} {kind:?}")));
        }
        Ok(Self { connection, bytes: Vec::new(), ready: VecDeque::new() })
    }

    /// Sets how long [`Stream::read`] waits.
    ///
    /// # Errors
    /// The system refused.
    pub fn patience(&self, within: Duration) -> io::Result<()> {
        self.connection.patience(within)
    }

    /// The next event; heartbeats are passed over. `None` at the end of the stream.
    ///
    /// # Errors
    /// The connection ended, or nothing came in time.
    pub fn read(&mut self) -> io::Result<Option<Event>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(Some(event));
            }
            let Some(chunk) = self.connection.chunk()? else { return Ok(None) };
            self.bytes.extend_from_slice(&chunk);
            self.take();
        }
    }

    /// The next event, which must come.
    ///
    /// # Panics
    /// Where it does not.
    pub fn expect(&mut self) -> Event {
        self.read().expect("an event").expect("an event, not the end of the stream")
    }

    fn take(&mut self) {
        let mut begin = 0;
        while let Some(at) = self.bytes[begin..].windows(2).position(|two| two == b"\n\n") {
            let text = std::str::from_utf8(&self.bytes[begin..begin + at]).expect("UTF-8 in an event");
            self.ready.extend(parse(text));
            begin += at + 2;
        }
        self.bytes.drain(..begin);
    }
}

fn parse(text: &str) -> Option<Event> {
    let mut event = Event::default();
    for line in text.lines() {
        match line.split_once(": ") {
            Some(("id", id)) => event.id = Some(id.parse().expect("an id that is a sequence")),
            Some(("event", kind)) => kind.clone_into(&mut event.kind),
            Some(("data", data)) => event.data.push_str(data),
            _ => (),
        }
    }
    (!event.data.is_empty()).then_some(event)
}
