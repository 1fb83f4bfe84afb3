//! A small HTTP/1.1 client on a plain socket. It can send what no library would.

use serde_json::Value;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// How long an answer may take.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// The largest body that is read.
const MAX_BODY: usize = 64 << 20;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// Its headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

impl Reply {
    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// Where it is not.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in the body of a {}: {}", self.status, self.text()))
    }

    /// The sequence that the answer rests on.
    ///
    /// # Panics
    /// Where it names none.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.header("x-sequence").and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no X-Sequence in {:?}", self.headers))
    }
}

/// One connection.
#[derive(Debug)]
pub struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_WITHIN))?;
        stream.set_write_timeout(Some(ANSWER_WITHIN))?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Sets how long reading may take.
    ///
    /// # Errors
    /// The system refused.
    pub fn patience(&self, within: Duration) -> io::Result<()> {
        self.stream.get_ref().set_read_timeout(Some(within))
    }

    /// Sends these bytes as they are.
    ///
    /// # Errors
    /// The connection is gone.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// Says that nothing more will be sent.
    ///
    /// # Errors
    /// The connection is gone.
    pub fn finish(&self) -> io::Result<()> {
        self.stream.get_ref().shutdown(Shutdown::Write)
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// The connection ended or was silent too long; what came is not HTTP.
    pub fn answer(&mut self) -> io::Result<Reply> {
        let (status, headers) = self.head()?;
        let mut reply = Reply { status, headers, body: Vec::new() };
        if status == 204 || status == 304 || status < 200 {
            return Ok(reply);
        }
        if reply.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
            while let Some(chunk) = self.chunk()? {
                reply.body.extend_from_slice(&chunk);
            }
        } else if let Some(length) = reply.header("content-length") {
            let length: usize = length.parse().map_err(|_| bad("a Content-Length that is no number"))?;
            if length > MAX_BODY {
                return Err(bad("too large a body"));
            }
            reply.body = vec![0; length];
            self.stream.read_exact(&mut reply.body)?;
        } else {
            self.stream.read_to_end(&mut reply.body)?;
        }
        Ok(reply)
    }

    /// Reads an answer's head.
    ///
    /// # Errors
    /// As [`Connection::answer`].
    pub fn head(&mut self) -> io::Result<(u16, Vec<(String, String)>)> {
        let line = self.line()?;
        let status = line.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)?.parse().ok());
        let status = status.ok_or_else(|| bad(&format!("{line:?} is not a status line")))?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok((status, headers));
            }
            let (name, value) = line.split_once(':').ok_or_else(|| bad("a header without a colon"))?;
            headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    /// The next chunk of a chunked body; `None` at its end.
    ///
    /// # Errors
    /// As [`Connection::answer`].
    pub fn chunk(&mut self) -> io::Result<Option<Vec<u8>>> {
        let size = self.line()?;
        let size =
            usize::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16).map_err(|_| bad("a chunk without a size"))?;
        if size > MAX_BODY {
            return Err(bad("too large a chunk"));
        }
        let mut chunk = vec![0; size];
        self.stream.read_exact(&mut chunk)?;
        self.line()?;
        Ok((size > 0).then_some(chunk))
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::Error::new(ErrorKind::UnexpectedEof, "the connection ended"));
        }
        line.truncate(line.trim_end_matches(['\r', '\n']).len());
        Ok(line)
    }
}

fn bad(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}

/// A request as bytes.
#[must_use]
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Vec<u8> {
    let mut out = format!("{method} {path} HTTP/1.1\r\nHost: desk\r\n").into_bytes();
    for (name, value) in headers {
        out.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    if let Some(body) = body {
        out.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
        out.extend_from_slice(body);
    } else {
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// A client with a key, on one connection that is made again when it ended.
#[derive(Debug)]
pub struct Client {
    address: SocketAddr,
    key: String,
    connection: Option<Connection>,
}

impl Client {
    /// A client of the desk at `address`.
    #[must_use]
    pub fn new(address: SocketAddr, key: &str) -> Self {
        Self { address, key: key.to_owned(), connection: None }
    }

    /// Sends one request and reads its answer.
    ///
    /// # Errors
    /// The connection could not be made, or ended before the answer was whole: whether it was done is not known.
    pub fn call(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&str>) -> io::Result<Reply> {
        let bearer = format!("Bearer {}", self.key);
        let mut all = match self.key.as_str() {
            "" => Vec::new(),
            key if key.starts_with("oms_") => vec![("X-API-Key", key)],
            _ => vec![("Authorization", bearer.as_str())],
        };
        if body.is_some() {
            all.push(("Content-Type", "application/json"));
        }
        all.extend_from_slice(headers);
        let bytes = request(method, path, &all, body.map(str::as_bytes));
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => Connection::open(self.address)?,
        };
        connection.send(&bytes)?;
        let reply = connection.answer()?;
        if reply.header("connection") != Some("close") {
            self.connection = Some(connection);
        }
        Ok(reply)
    }

    /// Reads a resource; `path` stands below `/api/v1`.
    ///
    /// # Panics
    /// Where there is no answer.
    pub fn get(&mut self, path: &str) -> Reply {
        self.call("GET", &format!("/api/v1{path}"), &[], None).unwrap_or_else(|error| panic!("GET {path}: {error}"))
    }

    /// Reads a resource that must be there.
    ///
    /// # Panics
    /// Where the answer is not 200.
    pub fn read(&mut self, path: &str) -> Value {
        let reply = self.get(path);
        assert_eq!(reply.status, 200, "GET {path}: {}", reply.text());
        reply.json()
    }

    /// Posts a document; `path` stands below `/api/v1`.
    ///
    /// # Panics
    /// Where there is no answer.
    pub fn post(&mut self, path: &str, headers: &[(&str, &str)], body: &Value) -> Reply {
        let sent = self.call("POST", &format!("/api/v1{path}"), headers, Some(&body.to_string()));
        sent.unwrap_or_else(|error| panic!("POST {path}: {error}"))
    }

    /// A figure of `/metrics`; 0 where it is not shown.
    ///
    /// # Panics
    /// Where the figures cannot be read.
    pub fn metric(&mut self, name: &str) -> u64 {
        let page = self.get("/metrics").text();
        let value = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.map_or(0, |text| text.parse().unwrap_or_else(|_| panic!("{name} {text}")))
    }

    /// The last durable sequence.
    pub fn durable(&mut self) -> u64 {
        self.metric("oms_log_sequence")
    }
}
