//! A batch as it stands in the log: protobuf, `schemas/proto/oms/fix/v1/store.proto`.
//!
//! Written by hand, so that messages go from the outbox into the log without a copy in between.

use super::StoreError;
use super::journal::Recorded;
use super::packed::{put_varint, varint};
use crate::session::outbox::{Acted, Kept, Mark, Outbox};

/// Version of the encoding; a higher one is not read.
const VERSION: u64 = 1;

const F_VERSION: u64 = 1;
const F_SESSION: u64 = 2;
const F_RESET: u64 = 3;
const F_NEXT_IN: u64 = 4;
const F_NEXT_OUT: u64 = 5;
const F_MESSAGE: u64 = 6;
const F_HANDLED: u64 = 7;
const F_CURSOR: u64 = 8;
const F_KEPT: u64 = 9;
const F_ADMIN: u64 = 10;
const F_ACTED: u64 = 11;
const F_ADMIN_AT: u64 = 1;
const F_ADMIN_CAME: u64 = 2;
const F_ADMIN_SENT: u64 = 3;
const F_ACTED_AT: u64 = 1;
const F_ACTOR: u64 = 2;
const F_ACTION: u64 = 3;
const F_REASON: u64 = 4;
const F_SEQ: u64 = 1;
const F_BYTES: u64 = 2;
const F_ORDINAL: u64 = 1;
const F_KEPT_SEQ: u64 = 2;
const F_NUMBERING: u64 = 3;
const F_RECEIVED_AT: u64 = 4;
const F_KEPT_BYTES: u64 = 5;

const VARINT: u64 = 0;
const LENGTH: u64 = 2;

/// A batch read from the log.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Record<'a> {
    pub(super) session: &'a str,
    pub(super) reset: Option<i64>,
    pub(super) next_in: Option<u64>,
    pub(super) next_out: Option<u64>,
    pub(super) messages: Vec<(u64, &'a [u8])>,
    pub(super) mark: Mark,
    pub(super) kept: Vec<(Kept, &'a [u8])>,
    pub(super) admin: Vec<PastAdmin<'a>>,
    pub(super) acted: Vec<Acted>,
}

impl Record<'_> {
    /// What it has of its session, in the order in which it counts.
    pub(super) fn visit(&self, visit: &mut dyn FnMut(Recorded<'_>)) {
        if self.reset.is_some() {
            visit(Recorded::Reset);
        }
        self.kept.iter().for_each(|(kept, bytes)| visit(Recorded::Came(*kept, bytes)));
        self.messages.iter().for_each(|(seq, bytes)| visit(Recorded::Sent(*seq, bytes)));
    }
}

/// A message of the session itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct PastAdmin<'a> {
    pub(super) sent: bool,
    pub(super) at: i64,
    pub(super) bytes: &'a [u8],
}

fn put_uint(out: &mut Vec<u8>, field: u64, value: u64) {
    put_varint(out, field << 3 | VARINT);
    put_varint(out, value);
}

fn put_bytes(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    put_varint(out, field << 3 | LENGTH);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn varint_len(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

/// Appends the batch of an outbox.
pub(super) fn put(out: &mut Vec<u8>, session: &str, outbox: &Outbox) {
    put_uint(out, F_VERSION, VERSION);
    put_bytes(out, F_SESSION, session.as_bytes());
    if let Some(reset) = outbox.batch.reset {
        put_uint(out, F_RESET, unsigned(reset));
    }
    for (field, value) in [(F_NEXT_IN, outbox.batch.next_in), (F_NEXT_OUT, outbox.batch.next_out)] {
        if let Some(value) = value {
            put_uint(out, field, value);
        }
    }
    for (seq, message) in outbox.stored() {
        let length = 1 + varint_len(seq) + 1 + varint_len(message.len() as u64) + message.len();
        put_varint(out, F_MESSAGE << 3 | LENGTH);
        put_varint(out, length as u64);
        put_uint(out, F_SEQ, seq);
        put_bytes(out, F_BYTES, message);
    }
    for (field, value) in [(F_HANDLED, outbox.batch.mark.handled), (F_CURSOR, outbox.batch.mark.cursor)] {
        if let Some(value) = value {
            put_uint(out, field, value);
        }
    }
    for (kept, message) in outbox.kept() {
        let numbers = [kept.ordinal, kept.seq, unsigned(kept.numbering), unsigned(kept.received_at)];
        let length: usize = numbers.iter().map(|number| 1 + varint_len(*number)).sum();
        put_varint(out, F_KEPT << 3 | LENGTH);
        put_varint(out, (length + 1 + varint_len(message.len() as u64) + message.len()) as u64);
        for (field, number) in (F_ORDINAL..).zip(numbers) {
            put_uint(out, field, number);
        }
        put_bytes(out, F_KEPT_BYTES, message);
    }
    let mut inner = Vec::new();
    for admin in &outbox.batch.admin {
        inner.clear();
        put_uint(&mut inner, F_ADMIN_AT, unsigned(admin.at));
        put_bytes(&mut inner, if admin.sent { F_ADMIN_SENT } else { F_ADMIN_CAME }, &admin.bytes);
        put_bytes(out, F_ADMIN, &inner);
    }
    for acted in &outbox.batch.actions {
        inner.clear();
        put_uint(&mut inner, F_ACTED_AT, unsigned(acted.at));
        for (field, text) in [(F_ACTOR, &acted.actor), (F_ACTION, &acted.action), (F_REASON, &acted.reason)] {
            put_bytes(&mut inner, field, text.as_bytes());
        }
        put_bytes(out, F_ACTED, &inner);
    }
}

fn unsigned(time: i64) -> u64 {
    u64::from_le_bytes(time.to_le_bytes())
}

fn signed(bits: u64) -> i64 {
    i64::from_le_bytes(bits.to_le_bytes())
}

struct Reader<'a>(&'a [u8]);

enum Value<'a> {
    Uint(u64),
    Bytes(&'a [u8]),
}

impl<'a> Reader<'a> {
    fn varint(&mut self) -> Option<u64> {
        varint(&mut self.0)
    }

    fn field(&mut self) -> Option<(u64, Value<'a>)> {
        let key = self.varint()?;
        let value = match key & 7 {
            VARINT => Value::Uint(self.varint()?),
            LENGTH => {
                let length = usize::try_from(self.varint()?).ok()?;
                let (bytes, rest) = self.0.split_at_checked(length)?;
                self.0 = rest;
                Value::Bytes(bytes)
            }
            _ => return None,
        };
        Some((key >> 3, value))
    }
}

/// Reads a batch that is stored in the entry at `seq` of the log.
///
/// # Errors
/// [`StoreError::Damaged`].
pub(super) fn read(seq: u64, bytes: &[u8]) -> Result<Record<'_>, StoreError> {
    let damaged = |what: &str| StoreError::Damaged { seq, what: what.to_owned() };
    let (mut reader, mut record, mut version) = (Reader(bytes), Record::default(), 0);
    while !reader.0.is_empty() {
        match reader.field().ok_or_else(|| damaged("a field is cut off"))? {
            (F_VERSION, Value::Uint(value)) => version = value,
            (F_SESSION, Value::Bytes(value)) => record.session = str::from_utf8(value).map_err(|_| damaged("the session is no text"))?,
            (F_RESET, Value::Uint(value)) => record.reset = Some(signed(value)),
            (F_NEXT_IN, Value::Uint(value)) => record.next_in = Some(value),
            (F_NEXT_OUT, Value::Uint(value)) => record.next_out = Some(value),
            (F_MESSAGE, Value::Bytes(value)) => record.messages.push(message(value).ok_or_else(|| damaged("a message is cut off"))?),
            (F_HANDLED, Value::Uint(value)) => record.mark.handled = Some(value),
            (F_CURSOR, Value::Uint(value)) => record.mark.cursor = Some(value),
            (F_KEPT, Value::Bytes(value)) => record.kept.push(kept(value).ok_or_else(|| damaged("a kept message is cut off"))?),
            (F_ADMIN, Value::Bytes(value)) => record.admin.push(admin(value).ok_or_else(|| damaged("a message is cut off"))?),
            (F_ACTED, Value::Bytes(value)) => record.acted.push(acted(value).ok_or_else(|| damaged("an action is cut off"))?),
            _ => return Err(damaged("a field is not known")),
        }
    }
    if version != VERSION {
        return Err(damaged("the version is not known"));
    }
    Ok(record)
}

fn message(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut reader = Reader(bytes);
    match (reader.field()?, reader.field()?) {
        ((F_SEQ, Value::Uint(seq)), (F_BYTES, Value::Bytes(bytes))) if reader.0.is_empty() => Some((seq, bytes)),
        _ => None,
    }
}

fn kept(bytes: &[u8]) -> Option<(Kept, &[u8])> {
    let mut reader = Reader(bytes);
    let mut number = |wanted: u64| match reader.field()? {
        (field, Value::Uint(value)) if field == wanted => Some(value),
        _ => None,
    };
    let (ordinal, seq) = (number(F_ORDINAL)?, number(F_KEPT_SEQ)?);
    let (numbering, received_at) = (signed(number(F_NUMBERING)?), signed(number(F_RECEIVED_AT)?));
    match reader.field()? {
        (F_KEPT_BYTES, Value::Bytes(bytes)) if reader.0.is_empty() => Some((Kept { ordinal, seq, numbering, received_at }, bytes)),
        _ => None,
    }
}

fn admin(bytes: &[u8]) -> Option<PastAdmin<'_>> {
    let mut reader = Reader(bytes);
    let (F_ADMIN_AT, Value::Uint(at)) = reader.field()? else { return None };
    match reader.field()? {
        (field @ (F_ADMIN_CAME | F_ADMIN_SENT), Value::Bytes(bytes)) if reader.0.is_empty() => {
            Some(PastAdmin { sent: field == F_ADMIN_SENT, at: signed(at), bytes })
        }
        _ => None,
    }
}

fn acted(bytes: &[u8]) -> Option<Acted> {
    let mut reader = Reader(bytes);
    let (F_ACTED_AT, Value::Uint(at)) = reader.field()? else { return None };
    let mut text = |wanted: u64| match reader.field()? {
        (field, Value::Bytes(text)) if field == wanted => str::from_utf8(text).ok().map(str::to_owned),
        _ => None,
    };
    Some(Acted { at: signed(at), actor: text(F_ACTOR)?, action: text(F_ACTION)?, reason: text(F_REASON)? })
}
