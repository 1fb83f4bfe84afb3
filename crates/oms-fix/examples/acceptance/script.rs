//! Session acceptance scripts: plain text, one step on a line.
//!
//! - `iCONNECT`, `iDISCONNECT`: connect, close. `eDISCONNECT`: the other side closes.
//! - `I8=...`: send this message. `E8=...`: expect this message. `R8=...`: as `I`, for an initiator.
//! - `eCONNECT` first: the engine is the initiator, the runner listens.
//! - A digit and a comma after the letter choose a connection: `I2,8=...`.
//! - `<TIME>`, `<TIME-121>`, `<TIME+121>`: the time in UTC, so many seconds earlier or later.
//! - BodyLength and CheckSum are filled in where they are absent, so that a script can send wrong ones.
//! - `|` stands for the separator in a line that has none.
//!
//! Beyond what is common: `!name=value` sets the engine up, `aLOGOUT TEXT`, `aRESET`, `aNEXTOUT N`,
//! `aNEXTIN N` and `aSEND 35=D|...` are done by the engine's own side, `aSTATE IN OUT` waits for its
//! next numbers.

use std::fmt;

use oms_fix::codec::frame::digits;
use oms_fix::codec::value::{Precision, parse_uint, put_timestamp};
use oms_fix::codec::{SOH, checksum};

/// A message with times not yet filled in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Template(Vec<u8>);

/// What is done or expected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    Connect,
    Disconnect,
    Send(Template),
    ExpectConnect,
    ExpectDisconnect,
    Expect(Template),
    Engine { verb: String, rest: String },
}

/// A step of a script.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    pub line: usize,
    pub connection: u32,
    pub action: Action,
}

/// A script.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Script {
    pub settings: Vec<(String, String)>,
    pub steps: Vec<Step>,
}

/// A line that is no step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScriptError(pub String);

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// The first line that is no step.
    pub fn parse(text: &[u8]) -> Result<Self, ScriptError> {
        let mut script = Self::default();
        for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let line = line.trim_ascii_end();
            match line.first() {
                None | Some(b'#') => continue,
                Some(b'!') => {
                    let setting = String::from_utf8_lossy(&line[1..]).into_owned();
                    let (name, value) = setting.split_once('=').unwrap_or((&setting, ""));
                    script.settings.push((name.to_owned(), value.to_owned()));
                }
                Some(_) => {
                    let wrong = || ScriptError(format!("line {}: {}", number + 1, String::from_utf8_lossy(line)));
                    let (connection, action) = step(line).ok_or_else(wrong)?;
                    script.steps.push(Step { line: number + 1, connection, action });
                }
            }
        }
        Ok(script)
    }

    /// Whether the engine dials.
    #[must_use]
    pub fn engine_dials(&self) -> bool {
        self.steps.iter().any(|step| step.action == Action::ExpectConnect)
    }
}

fn step(line: &[u8]) -> Option<(u32, Action)> {
    let (letter, mut rest) = line.split_first()?;
    let mut connection = 1;
    let comma = rest.iter().position(|byte| *byte == b',').filter(|comma| (1..=2).contains(comma));
    if let Some((comma, number)) = comma.and_then(|comma| Some((comma, parse_uint(&rest[..comma])?))) {
        (connection, rest) = (u32::try_from(number).ok()?, &rest[comma + 1..]);
    }
    let action = match (letter, rest) {
        (b'i', b"CONNECT") => Action::Connect,
        (b'i', b"DISCONNECT") => Action::Disconnect,
        (b'e', b"CONNECT") => Action::ExpectConnect,
        (b'e', b"DISCONNECT") => Action::ExpectDisconnect,
        (b'I' | b'R', message) => Action::Send(Template(separated(message))),
        (b'E', message) => Action::Expect(Template(separated(message))),
        (b'a', words) => {
            let words = String::from_utf8_lossy(words).into_owned();
            let (verb, rest) = words.split_once(' ').unwrap_or((&words, ""));
            Action::Engine { verb: verb.to_owned(), rest: rest.to_owned() }
        }
        _ => return None,
    };
    Some((connection, action))
}

/// With the separator where `|` stands for it.
#[must_use]
pub fn separated(message: &[u8]) -> Vec<u8> {
    if message.contains(&SOH) {
        return message.to_vec();
    }
    message.iter().map(|byte| if *byte == b'|' { SOH } else { *byte }).collect()
}

impl Template {
    /// The message at a time, and whether its BodyLength was filled in.
    #[must_use]
    pub fn fill(&self, utc_ns: i64) -> (Vec<u8>, bool) {
        let mut message = times(&self.0, utc_ns);
        if message.last() != Some(&SOH) {
            message.push(SOH);
        }
        let fields = || message.split(|byte| *byte == SOH);
        let has_length = fields().take(3).any(|field| field.starts_with(b"9="));
        let last = message[..message.len() - 1].iter().rposition(|byte| *byte == SOH).map_or(0, |at| at + 1);
        let has_sum = message[last..].starts_with(b"10=");
        let first = message.iter().position(|byte| *byte == SOH).map_or(0, |at| at + 1);
        if !has_length {
            let end = if has_sum { last } else { message.len() };
            let length = format!("9={}\u{1}", end - first);
            message.splice(first..first, length.into_bytes());
        }
        if !has_sum {
            let sum = digits(checksum(&message));
            message.extend_from_slice(b"10=");
            message.extend_from_slice(&sum);
            message.push(SOH);
        }
        (message, !has_length)
    }
}

/// Replaces `<TIME>` and its kin.
fn times(message: &[u8], utc_ns: i64) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = message;
    while let Some(at) = memchr::memmem::find(rest, b"<TIME") {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 5..];
        let end = rest.iter().position(|byte| *byte == b'>').unwrap_or(rest.len());
        let seconds: i64 = String::from_utf8_lossy(&rest[..end]).parse().unwrap_or_default();
        put_timestamp(&mut out, utc_ns + seconds * 1_000_000_000, Precision::Seconds);
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out
}

/// Why a message is not the one expected; `None` if it is. Fields are compared one by one, in order;
/// times and the checksum by their form, and a BodyLength that the script leaves out.
#[must_use]
pub fn difference(expected: &[u8], found: &[u8], any_length: bool) -> Option<String> {
    let fields = |message: &[u8]| -> Vec<String> {
        let message = message.strip_suffix(&[SOH]).unwrap_or(message);
        message.split(|byte| *byte == SOH).map(|field| String::from_utf8_lossy(field).into_owned()).collect()
    };
    let (expected, found) = (fields(expected), fields(found));
    for (place, (expected, found)) in expected.iter().zip(&found).enumerate() {
        let (tag, value) = found.split_once('=').unwrap_or((found, ""));
        let (expected_tag, expected_value) = expected.split_once('=').unwrap_or((expected, ""));
        let same = match tag {
            "10" => value.len() == 3 && value.bytes().all(|byte| byte.is_ascii_digit()),
            "9" if any_length => value.bytes().all(|byte| byte.is_ascii_digit()),
            "42" | "52" | "60" | "122" => oms_fix::codec::value::parse_timestamp(value.as_bytes()).is_some(),
            _ => value == expected_value,
        };
        if tag != expected_tag || !same {
            return Some(format!("field {}: expected {expected}, found {found}", place + 1));
        }
    }
    (expected.len() != found.len()).then(|| format!("expected {} fields, found {}", expected.len(), found.len()))
}
