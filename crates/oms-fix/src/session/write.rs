//! Messages as this side writes them.

use std::ops::Range;

use super::outbox::{Admin, Outbox};
use super::{Now, Session};
use crate::codec::encode::{Writer, put_field, put_time_field, put_uint_field};
use crate::codec::scan::{Span, View, scan};
use crate::codec::value::parse_timestamp;
use crate::dictionary::Place;
use crate::tags;

/// What is in the header of one message beside what is in all.
#[derive(Clone, Copy, Default)]
pub(super) struct Head<'a> {
    pub(super) msg_type: &'a [u8],
    pub(super) seq: u64,
    /// OrigSendingTime(122); its presence makes it a possible duplicate.
    pub(super) original: Option<i64>,
    /// Further header fields, encoded and ascending.
    pub(super) more: &'a [u8],
}

impl Session {
    /// Appends a message to `out`. Header fields ascend.
    pub(super) fn write(&self, out: &mut Vec<u8>, head: &Head<'_>, body: &[u8], now: Now) -> Range<usize> {
        let id = &self.config.id;
        let writer = Writer::begin(out, id.begin_string.as_bytes());
        put_field(out, tags::MSG_TYPE, head.msg_type);
        let mut more = head.more;
        let mut before = |out: &mut Vec<u8>, tag: i32| {
            while let Some(field) = first_below(more, tag) {
                out.extend_from_slice(&more[..field]);
                more = &more[field..];
            }
        };
        before(out, tags::MSG_SEQ_NUM);
        put_uint_field(out, tags::MSG_SEQ_NUM, head.seq);
        before(out, tags::POSS_DUP_FLAG);
        if head.original.is_some() {
            put_field(out, tags::POSS_DUP_FLAG, b"Y");
        }
        before(out, tags::SENDER_COMP_ID);
        put_field(out, tags::SENDER_COMP_ID, id.sender.as_bytes());
        before(out, tags::SENDING_TIME);
        put_time_field(out, tags::SENDING_TIME, now.utc, self.config.precision);
        before(out, tags::TARGET_COMP_ID);
        put_field(out, tags::TARGET_COMP_ID, id.target.as_bytes());
        before(out, tags::ORIG_SENDING_TIME);
        if let Some(original) = head.original {
            put_time_field(out, tags::ORIG_SENDING_TIME, original, self.config.precision);
        }
        before(out, tags::LAST_MSG_SEQ_NUM_PROCESSED);
        if self.config.last_processed {
            put_uint_field(out, tags::LAST_MSG_SEQ_NUM_PROCESSED, self.next_in - 1);
        }
        before(out, i32::MAX);
        out.extend_from_slice(body);
        writer.end(out)
    }

    /// Sends a message of the session itself. It takes a number but is not stored: if it is asked
    /// for again, a gap fill takes its place.
    pub(super) fn write_admin(&mut self, msg_type: &[u8], more: &[u8], body: &[u8], now: Now, out: &mut Outbox) {
        let head = Head { msg_type, seq: self.take_number(out), more, ..Head::default() };
        let place = self.write(&mut out.wire, &head, body, now);
        archive(&place, now, out);
        self.last_sent = now.mono;
    }

    pub(super) fn take_number(&mut self, out: &mut Outbox) -> u64 {
        let seq = self.next_out;
        self.next_out += 1;
        out.batch.next_out = Some(self.next_out);
        seq
    }

    /// Sends a stored message once more, under its number. False if it cannot be read.
    pub(super) fn write_again(&mut self, seq: u64, message: &[u8], now: Now, out: &mut Outbox) -> bool {
        let mut spans = std::mem::take(&mut self.spans);
        let readable = scan(message, self.config.dictionary, usize::MAX, &mut spans).is_ok();
        if readable {
            let view = View::new(message, &spans);
            let body = body_start(self, &spans);
            let end = spans.last().map_or(body, |trailer| trailer.start as usize);
            let more: Vec<u8> = spans
                .iter()
                .take_while(|span| (span.start as usize) < body)
                .filter(|span| !is_written_by_session(span.tag))
                .flat_map(|span| view.field(span))
                .copied()
                .collect();
            let original = view.get(tags::SENDING_TIME).and_then(parse_timestamp).or(Some(now.utc));
            let head = Head { msg_type: view.msg_type(), seq, original, more: &more };
            self.write(&mut out.wire, &head, message.get(body..end).unwrap_or_default(), now);
            self.last_sent = now.mono;
        }
        self.spans = spans;
        readable
    }

    /// Tells the counterparty that the numbers from `begin` to before `next` carry nothing.
    pub(super) fn write_gap_fill(&mut self, begin: u64, next: u64, now: Now, out: &mut Outbox) {
        let mut body = Vec::with_capacity(24);
        put_uint_field(&mut body, tags::NEW_SEQ_NO, next);
        put_field(&mut body, tags::GAP_FILL_FLAG, b"Y");
        let head = Head { msg_type: tags::SEQUENCE_RESET, seq: begin, original: Some(now.utc), more: b"" };
        let place = self.write(&mut out.wire, &head, &body, now);
        archive(&place, now, out);
        self.last_sent = now.mono;
    }
}

/// Keeps a message of the session that was written to the wire for those who look into the past.
fn archive(place: &Range<usize>, now: Now, out: &mut Outbox) {
    let bytes = without_password(out.wire.get(place.clone()).unwrap_or_default());
    out.batch.admin.push(Admin { sent: true, at: now.utc, bytes });
}

/// The message with Password(554) and NewPassword(925) unreadable.
pub(super) fn without_password(message: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(message.len());
    for field in message.split_inclusive(|byte| *byte == crate::codec::SOH) {
        match [&b"554="[..], b"925="].iter().find(|tag| field.starts_with(tag)) {
            Some(tag) => {
                kept.extend_from_slice(tag);
                kept.extend_from_slice(b"***\x01");
            }
            None => kept.extend_from_slice(field),
        }
    }
    kept
}

/// The length of the first of some encoded fields, if its tag is below `tag`.
fn first_below(fields: &[u8], tag: i32) -> Option<usize> {
    let equals = memchr::memchr(b'=', fields)?;
    let own = crate::codec::value::parse_uint(&fields[..equals])?;
    let end = memchr::memchr(crate::codec::SOH, fields)?;
    (own < u64::try_from(tag).ok()?).then_some(end + 1)
}

fn is_written_by_session(tag: i32) -> bool {
    matches!(
        tag,
        tags::BEGIN_STRING
            | tags::BODY_LENGTH
            | tags::MSG_TYPE
            | tags::MSG_SEQ_NUM
            | tags::POSS_DUP_FLAG
            | tags::SENDER_COMP_ID
            | tags::SENDING_TIME
            | tags::TARGET_COMP_ID
            | tags::ORIG_SENDING_TIME
            | tags::LAST_MSG_SEQ_NUM_PROCESSED
    )
}

/// Where the body of a message that this side wrote starts.
fn body_start(session: &Session, spans: &[Span]) -> usize {
    let is_header = |span: &&Span| session.config.dictionary.field(span.tag).is_some_and(|field| field.place == Place::Header);
    spans.iter().find(|span| !is_header(span)).map_or(0, |span| span.start as usize)
}
