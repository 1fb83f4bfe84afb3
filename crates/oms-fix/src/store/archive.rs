//! The messages about an order, found in the log of all sessions.
//!
//! A message is about an order if it carries an identifier that was made for the order or one of its legs: that of a leg in
//! ClOrdID(11) or OrigClOrdID(41) at a venue, its own in OrderID(37) at a client. What a client calls it is learnt from the
//! latter, for messages that carry nothing else.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use oms_model::{OrderId, WireId};
use oms_store::JournalReader;

use super::past::{Direction, PastMessage, visit_messages};
use super::{StoreError, record};
use crate::codec::scan::{View, scan};
use crate::codec::value::parse_timestamp;
use crate::dictionary::fix44;
use crate::tags;

/// Entries of the log that are looked at for one answer.
pub const MAX_LOOKED_AT: u64 = 200_000;
/// Entries without a time that a look for a time passes over.
const MAX_TIMELESS: usize = 256;
/// Fields of a message that are looked at.
const MAX_FIELDS: usize = 512;

const ORIG_CL_ORD_ID: i32 = 41;
const ORDER_ID: i32 = 37;

/// Which messages are looked for.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// The order and its legs.
    pub orders: BTreeSet<OrderId>,
    /// Not before, nanoseconds since 1970.
    pub from: i64,
    /// Not after.
    pub until: i64,
    /// The most messages.
    pub most: usize,
}

/// A message about an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AboutMessage {
    /// The entry of the log that has it.
    pub entry: u64,
    /// BeginString:SenderCompID->TargetCompID, as this side writes them.
    pub session: String,
    /// Which way it went.
    pub direction: Direction,
    /// When it came or, where it was sent, its SendingTime(52); nanoseconds since 1970.
    pub at: Option<i64>,
    /// Tag and value of each field, in their order.
    pub fields: Vec<(i32, String)>,
    /// Byte for byte.
    pub bytes: Vec<u8>,
}

/// Messages about an order, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The messages.
    pub messages: Vec<AboutMessage>,
    /// Whether these are all: the log was read to the end of the time that was asked for.
    pub complete: bool,
}

/// Looks for the messages about an order.
///
/// # Errors
/// [`StoreError`].
pub fn about(reader: &mut dyn JournalReader, about: &About) -> Result<Found, StoreError> {
    let first = first_since(reader, about.from)?;
    let mut names = BTreeSet::new();
    walk(reader, first, about.until, &mut |message| {
        if let Some(read) = Read::of(&message)
            && read.get(ORDER_ID).is_some_and(|id| is_own(about, id))
        {
            let given = [tags::CL_ORD_ID, ORIG_CL_ORD_ID].into_iter().filter_map(|tag| read.get(tag));
            names.extend(given.map(|name| (message.session.to_owned(), name.to_owned())));
        }
        ControlFlow::Continue(())
    })?;
    let mut messages = Vec::new();
    let complete = walk(reader, first, about.until, &mut |message| {
        let Some(read) = Read::of(&message).filter(|read| read.is_about(about, &names, message.session)) else {
            return ControlFlow::Continue(());
        };
        if messages.len() == about.most {
            return ControlFlow::Break(());
        }
        messages.push(AboutMessage {
            entry: message.entry,
            session: message.session.to_owned(),
            direction: message.direction,
            at: message.received_at.or_else(|| read.sent_at()),
            fields: read.fields,
            bytes: message.bytes.to_vec(),
        });
        ControlFlow::Continue(())
    })?;
    Ok(Found { messages, complete })
}

fn is_own(about: &About, id: &str) -> bool {
    id.parse().is_ok_and(|id| about.orders.contains(&id))
}

/// A message in its fields.
struct Read {
    fields: Vec<(i32, String)>,
}

impl Read {
    /// `None` where it cannot be read; such a message is about nothing.
    fn of(message: &PastMessage<'_>) -> Option<Self> {
        let mut spans = Vec::new();
        scan(message.bytes, fix44(), MAX_FIELDS, &mut spans).ok()?;
        let view = View::new(message.bytes, &spans);
        let field = |span: &crate::codec::scan::Span| (span.tag, String::from_utf8_lossy(view.value(span)).into_owned());
        Some(Self { fields: spans.iter().map(field).collect() })
    }

    fn get(&self, wanted: i32) -> Option<&str> {
        self.fields.iter().find(|(tag, _)| *tag == wanted).map(|(_, value)| value.as_str())
    }

    fn sent_at(&self) -> Option<i64> {
        parse_timestamp(self.get(tags::SENDING_TIME)?.as_bytes())
    }

    fn is_about(&self, about: &About, names: &BTreeSet<(String, String)>, session: &str) -> bool {
        let named = |tag| {
            let Some(id) = self.get(tag) else { return false };
            let leg = WireId::new(id).ok().and_then(|id| id.parts()).is_some_and(|(order_id, _)| about.orders.contains(&order_id));
            leg || names.contains(&(session.to_owned(), id.to_owned()))
        };
        self.get(ORDER_ID).is_some_and(|id| is_own(about, id))
            || [tags::CL_ORD_ID, ORIG_CL_ORD_ID, tags::BUSINESS_REJECT_REF_ID].into_iter().any(named)
    }
}

/// Visits the messages from an entry on until one that is later than `until`, or the bound. Whether it was read to the end.
fn walk(
    reader: &mut dyn JournalReader,
    first: u64,
    until: i64,
    visit: &mut dyn FnMut(PastMessage<'_>) -> ControlFlow<()>,
) -> Result<bool, StoreError> {
    let (mut damage, mut complete, mut left) = (None, true, MAX_LOOKED_AT);
    reader.scan(first, &mut |stored| {
        let read = match record::read(stored.entry.first_seq, stored.entry.body) {
            Ok(read) => read,
            Err(error) => {
                damage = Some(error);
                return ControlFlow::Break(());
            }
        };
        if left == 0 {
            complete = false;
            return ControlFlow::Break(());
        }
        left -= 1;
        if time_of(stored.entry.first_seq, &read).is_some_and(|at| until < at) {
            return ControlFlow::Break(());
        }
        let walked = visit_messages(stored.entry.first_seq, &read, &mut |message, _| visit(message));
        complete &= walked.is_continue();
        walked
    })?;
    damage.map_or(Ok(complete), Err)
}

/// When an entry was made, as its first message with a time tells.
fn time_of(entry: u64, read: &record::Record<'_>) -> Option<i64> {
    let mut time = None;
    // That it broke off is how the first time is found.
    let _found = visit_messages(entry, read, &mut |message, _| {
        time = message.received_at.or_else(|| Read::of(&message).and_then(|read| read.sent_at()));
        if time.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    time
}

/// The first entry that is not certainly older than a time. Entries are in the order of their times but for those that were
/// made together, which the caller allows for.
fn first_since(reader: &mut dyn JournalReader, since: i64) -> Result<u64, StoreError> {
    let (mut low, mut high) = (1, reader.tip().last_seq.saturating_add(1));
    while low < high {
        let middle = low + (high - low) / 2;
        match time_at(reader, middle)? {
            Some(at) if at < since => low = middle + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}

/// The time of the first entry from `from` on that has one.
fn time_at(reader: &mut dyn JournalReader, from: u64) -> Result<Option<i64>, StoreError> {
    let (mut time, mut looked_at) = (None, 0);
    reader.scan(from, &mut |stored| {
        looked_at += 1;
        time = record::read(stored.entry.first_seq, stored.entry.body).ok().and_then(|read| time_of(stored.entry.first_seq, &read));
        if time.is_some() || looked_at == MAX_TIMELESS { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(time)
}

#[cfg(test)]
mod tests;
