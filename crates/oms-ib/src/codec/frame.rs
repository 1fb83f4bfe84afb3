//! The stream: frames behind a length of four bytes, and the handshake before them.

use std::ops::Range;

use super::Dialect;

/// What marks a message id as that of a protocol buffer.
pub(super) const PROTO_MARK: u32 = 200;
/// Bytes of the length in front of a frame.
const LENGTH: usize = 4;
/// What a client sends first, before any frame.
pub const GREETING: &[u8; 4] = b"API\0";
/// Largest body of a frame that clients accept: what its length can say with a first byte of zero.
pub const MAX_REPLY: usize = (16 << 20) - 1;
/// Largest body of a frame that a server needs to accept.
pub const MAX_REQUEST: usize = 1 << 20;
/// Longest handshake that is read.
const MAX_HANDSHAKE: usize = 256;
/// A buffer that grew beyond this is given back once it is empty.
const KEPT: usize = 64 << 10;

/// Why a stream cannot be read any further: where the next frame begins is not known.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StreamFault {
    /// A length above the limit.
    #[error("a frame of {length} bytes is above the limit of {max}")]
    TooLong {
        /// What the frame says.
        length: usize,
        /// The limit.
        max: usize,
    },
    /// A frame without a body.
    #[error("a frame is empty")]
    Empty,
    /// The first four bytes are not the greeting.
    #[error("the stream does not begin with the greeting of a client")]
    NoGreeting,
    /// A handshake that does not say which versions.
    #[error("the handshake is malformed")]
    Handshake,
}

/// Appends a frame: whatever `body` appends, behind its length.
pub(super) fn put_frame(out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; LENGTH]);
    body(out);
    // No message that is written here comes near four gigabytes.
    let length = u32::try_from(out.len() - start - LENGTH).unwrap_or(u32::MAX);
    if let Some(place) = out.get_mut(start..start + LENGTH) {
        place.copy_from_slice(&length.to_be_bytes());
    }
}

/// Cuts a stream into frames. Holds no more than what has come: a length is believed only as far as bytes follow it.
#[derive(Debug)]
pub struct Framer {
    buffer: Vec<u8>,
    start: usize,
    max: usize,
    greeted: bool,
}

impl Framer {
    /// The side of a client: frames only, of at most `max` bytes.
    #[must_use]
    pub fn client(max: usize) -> Self {
        Self { buffer: Vec::new(), start: 0, max, greeted: true }
    }

    /// The side of a server: the greeting, then a handshake, then frames of at most [`MAX_REQUEST`].
    #[must_use]
    pub fn server() -> Self {
        Self { buffer: Vec::new(), start: 0, max: MAX_HANDSHAKE, greeted: false }
    }

    /// Changes the largest frame, as after the handshake.
    pub fn set_max(&mut self, max: usize) {
        self.max = max;
    }

    /// Takes bytes in. Call [`Framer::cut`] until it has none left before more are pushed.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start == self.buffer.len() {
            self.buffer.clear();
            self.start = 0;
            self.buffer.shrink_to(KEPT);
        } else if self.buffer.len() / 2 < self.start {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The body of the next frame: its place in [`Framer::bytes`], valid until more is pushed.
    ///
    /// # Errors
    /// The stream is lost.
    pub fn cut(&mut self) -> Result<Option<Range<usize>>, StreamFault> {
        if !self.greeted {
            let pending = self.buffer.get(self.start..).unwrap_or_default();
            let known = pending.len().min(GREETING.len());
            if pending.get(..known) != GREETING.get(..known) {
                return Err(StreamFault::NoGreeting);
            }
            if known < GREETING.len() {
                return Ok(None);
            }
            self.start += GREETING.len();
            self.greeted = true;
        }
        let pending = self.buffer.get(self.start..).unwrap_or_default();
        let Some((length, rest)) = pending.split_first_chunk::<LENGTH>() else { return Ok(None) };
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if length > self.max {
            return Err(StreamFault::TooLong { length, max: self.max });
        }
        if length == 0 {
            return Err(StreamFault::Empty);
        }
        if rest.len() < length {
            return Ok(None);
        }
        let body = self.start + LENGTH;
        self.start = body + length;
        Ok(Some(body..body + length))
    }

    /// The bytes of a frame that was cut.
    #[must_use]
    pub fn bytes(&self, place: &Range<usize>) -> &[u8] {
        self.buffer.get(place.clone()).unwrap_or_default()
    }

    /// Bytes of memory held.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.buffer.capacity()
    }
}

/// Appends what a client sends first: the greeting and the versions that it speaks.
pub fn put_offer(min: u16, max: u16, out: &mut Vec<u8>) {
    out.extend_from_slice(GREETING);
    put_frame(out, |out| out.extend_from_slice(format!("v{min}..{max}").as_bytes()));
}

/// Reads the versions that a client offers: `v<min>..<max>` or `v<version>`, options after a space passed over.
///
/// # Errors
/// It is none.
pub fn read_offer(body: &[u8]) -> Result<(u16, u16), StreamFault> {
    let text = std::str::from_utf8(body).map_err(|_| StreamFault::Handshake)?;
    let range = text.split(' ').next().and_then(|word| word.strip_prefix('v')).ok_or(StreamFault::Handshake)?;
    let (min, max) = range.split_once("..").unwrap_or((range, range));
    let version = |text: &str| text.trim_end_matches('\0').parse().map_err(|_| StreamFault::Handshake);
    Ok((version(min)?, version(max)?))
}

/// Appends a server's answer: the version and the time at which it was asked, `YYYYMMDD HH:MM:SS ZONE`.
pub fn put_agreement(dialect: Dialect, time: &str, out: &mut Vec<u8>) {
    put_frame(out, |out| {
        super::text::TextOut::new(out).raw(&dialect.version().to_string()).raw(time);
    });
}

/// Reads a server's answer: its version and time.
///
/// # Errors
/// It is none.
pub fn read_agreement(body: &[u8]) -> Result<(u16, String), StreamFault> {
    let mut fields = super::text::TextIn::new(body);
    let version: i32 = fields.get().map_err(|_| StreamFault::Handshake)?;
    let time = fields.get().map_err(|_| StreamFault::Handshake)?;
    Ok((u16::try_from(version).map_err(|_| StreamFault::Handshake)?, time))
}

#[cfg(test)]
mod tests;
