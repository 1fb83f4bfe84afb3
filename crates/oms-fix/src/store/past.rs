//! The messages of sessions as their log has them, for people who look into it.

use std::ops::ControlFlow;

use oms_store::JournalReader;

use super::StoreError;
use super::record::{self, Record};
use crate::session::outbox::{Acted, Kept};

/// Which way a message went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// From the counterparty.
    In,
    /// To it.
    Out,
}

/// Something in a session's log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Past<'m> {
    /// A message.
    Message(PastMessage<'m>),
    /// What somebody has done to a session.
    Acted {
        /// The entry of the log that has it.
        entry: u64,
        /// The session, as in [`PastMessage::session`].
        session: &'m str,
        /// What, by whom, and why.
        acted: &'m Acted,
    },
}

/// A message of a session's log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PastMessage<'m> {
    /// The entry of the log that has it.
    pub entry: u64,
    /// BeginString:SenderCompID->TargetCompID, as this side writes them.
    pub session: &'m str,
    /// Which way it went.
    pub direction: Direction,
    /// MsgSeqNum(34); 0 for the session's own messages, whose number is in the message only.
    pub seq: u64,
    /// When it came, in nanoseconds since 1970; what was sent has its SendingTime(52).
    pub received_at: Option<i64>,
    /// The message, byte for byte.
    pub bytes: &'m [u8],
}

/// Reads everything from an entry on, in the order in which it was stored, until `visit` breaks off. Of the session's own
/// messages only those are there that changed a number; passwords are not in them.
///
/// # Errors
/// [`StoreError`].
pub fn past(reader: &mut dyn JournalReader, from: u64, visit: &mut dyn FnMut(Past<'_>) -> ControlFlow<()>) -> Result<(), StoreError> {
    let mut damage = None;
    reader.scan(from.max(1), &mut |stored| {
        let entry = stored.entry.first_seq;
        let record = match record::read(entry, stored.entry.body) {
            Ok(record) => record,
            Err(error) => {
                damage = Some(error);
                return ControlFlow::Break(());
            }
        };
        for acted in &record.acted {
            if visit(Past::Acted { entry, session: record.session, acted }).is_break() {
                return ControlFlow::Break(());
            }
        }
        visit_messages(entry, &record, &mut |message, _| visit(Past::Message(message)))
    })?;
    damage.map_or(Ok(()), Err)
}

/// The messages of one entry, with the name of each that came.
pub(super) fn visit_messages(
    entry: u64,
    record: &Record<'_>,
    visit: &mut dyn FnMut(PastMessage<'_>, Option<Kept>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let session = record.session;
    for admin in &record.admin {
        let direction = if admin.sent { Direction::Out } else { Direction::In };
        visit(PastMessage { entry, session, direction, seq: 0, received_at: (!admin.sent).then_some(admin.at), bytes: admin.bytes }, None)?;
    }
    for (kept, bytes) in &record.kept {
        let (direction, received_at) = (Direction::In, Some(kept.received_at));
        visit(PastMessage { entry, session, direction, seq: kept.seq, received_at, bytes }, Some(*kept))?;
    }
    for (seq, bytes) in &record.messages {
        visit(PastMessage { entry, session, direction: Direction::Out, seq: *seq, received_at: None, bytes }, None)?;
    }
    ControlFlow::Continue(())
}
