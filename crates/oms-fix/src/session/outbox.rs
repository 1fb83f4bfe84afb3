//! What a session decides: bytes, what must be durable before them, deliveries, events.

use std::ops::Range;

use crate::codec::encode::Fields;
use crate::codec::frame::Garbled;
use crate::codec::scan::{Span, View};
use crate::dictionary::RejectReason;

/// An application message to be sent, or a BusinessMessageReject.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Outgoing {
    /// MsgType(35).
    pub msg_type: Vec<u8>,
    /// Header fields beside those that the session writes, ascending.
    pub header: Fields,
    /// The body.
    pub body: Fields,
    /// A name for events about it.
    pub token: u64,
    /// It is not sent after this time, in nanoseconds since 1970: an order that goes out late is another order.
    pub not_after: Option<i64>,
}

impl Outgoing {
    /// A message with an empty body.
    #[must_use]
    pub fn new(msg_type: &[u8]) -> Self {
        Self { msg_type: msg_type.to_vec(), ..Self::default() }
    }
}

/// What became of a message to be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sent {
    /// It has this number, and is on its way once the batch is durable.
    Numbered(u64),
    /// The throttle holds it; an event tells when it goes.
    Held,
}

/// Why a message was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SendError {
    /// Nobody is logged on.
    #[error("nobody is logged on")]
    NotLoggedOn,
    /// Too many messages are held by the throttle already.
    #[error("too many messages wait for the throttle")]
    Throttled,
    /// The message type belongs to the session.
    #[error("the message type belongs to the session")]
    Admin,
    /// It would be larger than a message may be.
    #[error("the message is too large")]
    TooLarge,
    /// Its time had passed.
    #[error("its time had passed before it could be sent")]
    Late,
}

/// Why a session lets go of its connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the texts say it")]
pub enum Reason {
    #[error("the connection ended")]
    Lost,
    #[error("logged out")]
    LoggedOut,
    #[error("no Logon in time")]
    LogonTimeout,
    #[error("no answer to Logout in time")]
    LogoutTimeout,
    #[error("nothing heard, and no answer to a TestRequest")]
    Silent,
    #[error("the first message is not a Logon")]
    NotLogon,
    #[error("the Logon is not acceptable")]
    LogonRefused,
    #[error("a Logon in a session that is logged on")]
    UnexpectedLogon,
    #[error("a message before its Logon was garbled, or too many were")]
    Garbled,
    #[error("MsgSeqNum is too low")]
    TooLow,
    #[error("a message without MsgSeqNum")]
    NoSeqNum,
    #[error("a gap was not filled")]
    GapNotFilled,
    #[error("the session is closed at this time")]
    Closed,
    #[error("asked to")]
    Asked,
    #[error("the store failed")]
    StoreFailed,
}

/// Something that happened, for logs, metrics and the application.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// Both sides are logged on.
    LoggedOn {
        /// HeartBtInt(108), in seconds.
        heart_bt_int: u64,
    },
    /// The session that was logged on is so no more.
    LoggedOut {
        /// Why.
        reason: Reason,
    },
    /// The counterparty's Logout said something.
    LogoutText {
        /// Text(58).
        text: String,
    },
    /// The session was not logged on, and let go of its connection.
    Dropped {
        /// Why.
        reason: Reason,
        /// More of it.
        detail: String,
    },
    /// Bytes were no message.
    Garbled(Garbled),
    /// A message was refused by a Reject.
    Rejected {
        /// Its number.
        seq: u64,
        /// Why.
        reason: RejectReason,
        /// For which field.
        tag: Option<i32>,
    },
    /// The counterparty refused a message.
    PeerRejected {
        /// RefSeqNum(45).
        ref_seq: u64,
        /// Text(58).
        text: String,
    },
    /// Messages are missing; they are asked for.
    GapFound {
        /// The first.
        begin: u64,
        /// The last.
        end: u64,
    },
    /// A message above a gap was not kept: too many were. It will be asked for again.
    StashFull {
        /// Its number.
        seq: u64,
    },
    /// The counterparty asks for messages again.
    ResendAsked {
        /// The first.
        begin: u64,
        /// The last.
        end: u64,
    },
    /// A ResendRequest was ignored: too many wait.
    ResendIgnored,
    /// A message that was processed came again and was dropped.
    DuplicateDropped {
        /// Its number.
        seq: u64,
    },
    /// The counterparty moved its next number.
    SequenceReset {
        /// The number expected before.
        from: u64,
        /// The number expected now.
        to: u64,
    },
    /// Both numbers went back to 1.
    Reset,
    /// A message was refused for its rate.
    OverRate {
        /// Its number.
        seq: u64,
    },
    /// A held message was sent.
    Released {
        /// Its name.
        token: u64,
        /// Its number.
        seq: u64,
    },
    /// A message that nobody waits for was numbered. It is on its way once the batch is durable.
    Numbered {
        /// Its name.
        token: u64,
        /// Its number.
        seq: u64,
    },
    /// A message that nobody waits for, or that was held, was not sent, and will not be.
    NotSent {
        /// Its name.
        token: u64,
    },
    /// A Heartbeat(0) that answers a TestRequest(1).
    Answered {
        /// TestReqID(112).
        test_req_id: String,
    },
}

/// A message for the application.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivery {
    /// MsgSeqNum(34).
    pub seq: u64,
    bytes: Range<usize>,
    spans: Range<usize>,
}

/// Messages that are asked from the store, to be sent again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fetch {
    /// The first number.
    pub from: u64,
    /// The last number.
    pub to: u64,
}

/// Messages of a fetched range, as they were sent.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Page {
    /// Number and bytes, ascending. Numbers that are missing were the session's own messages.
    pub messages: Vec<(u64, Vec<u8>)>,
    /// The last number that this page covers.
    pub to: u64,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Place {
    Wire(Range<usize>),
    Aside(Range<usize>),
}

/// How far an application has come, stored in the same atomic step as what it sends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Mark {
    /// Every kept message up to this one was dealt with; see [`Kept::ordinal`].
    pub handled: Option<u64>,
    /// A place in another log, of which everything up to here was sent.
    pub cursor: Option<u64>,
}

/// A message of the counterparty that is stored in the same atomic step as its number, until the application has dealt
/// with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Kept {
    /// Counts the kept messages of a session from 1, whatever becomes of its numbers.
    pub ordinal: u64,
    /// MsgSeqNum(34).
    pub seq: u64,
    /// When the numbers last were 1, in nanoseconds since 1970: with `seq` it names the message for ever.
    pub numbering: i64,
    /// When it came, in nanoseconds since 1970.
    pub received_at: i64,
}

/// A message of the session itself, for whoever looks into the past. Passwords are left out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Admin {
    /// Whether this side sent it.
    pub sent: bool,
    /// When it came or was sent, in nanoseconds since 1970.
    pub at: i64,
    /// The message.
    pub bytes: Vec<u8>,
}

/// What a person has done to a session.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Acted {
    /// When, in nanoseconds since 1970.
    pub at: i64,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// Why, in words.
    pub reason: String,
}

/// What must be durable before the bytes of the same outbox are sent.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Batch {
    /// Everything stored before is void; the time is that of the reset, in ns since 1970.
    pub reset: Option<i64>,
    /// The next inbound number, if it moved.
    pub next_in: Option<u64>,
    /// The next outbound number, if it moved.
    pub next_out: Option<u64>,
    /// How far the application has come, if it has.
    pub mark: Mark,
    /// What somebody has done.
    pub actions: Vec<Acted>,
    /// Messages of the session itself, in order. What changes nothing else is not stored.
    pub admin: Vec<Admin>,
    messages: Vec<(u64, Place)>,
    kept: Vec<(Kept, Range<usize>)>,
}

impl Batch {
    /// Whether there is nothing to store.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let numbers = self.reset.is_none() && self.next_in.is_none() && self.next_out.is_none();
        numbers && self.actions.is_empty() && self.messages.is_empty() && self.kept.is_empty() && self.mark == Mark::default()
    }
}

/// Everything that some steps of a session decided. It is emptied and used again.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    /// Bytes for the counterparty, in order; void if there is no connection.
    pub wire: Vec<u8>,
    /// To be durable before `wire` is sent and anything delivered has effects.
    pub batch: Batch,
    /// Messages for the application, in order.
    pub deliveries: Vec<Delivery>,
    /// What happened.
    pub events: Vec<Event>,
    /// Messages wanted from the store.
    pub fetch: Option<Fetch>,
    /// The connection is to be closed once `wire` is sent.
    pub disconnect: Option<Reason>,
    aside: Vec<u8>,
    inbound: Vec<u8>,
    spans: Vec<Span>,
}

impl Outbox {
    /// Empties it, keeping its memory up to a bound.
    pub fn clear(&mut self) {
        const KEPT: usize = 256 << 10;
        for buffer in [&mut self.wire, &mut self.aside, &mut self.inbound] {
            buffer.clear();
            buffer.shrink_to(KEPT);
        }
        self.spans.clear();
        self.spans.shrink_to(KEPT / size_of::<Span>());
        let (messages, kept) = (std::mem::take(&mut self.batch.messages), std::mem::take(&mut self.batch.kept));
        self.batch = Batch { messages, kept, ..Batch::default() };
        self.batch.messages.clear();
        self.batch.kept.clear();
        self.deliveries.clear();
        self.events.clear();
        (self.fetch, self.disconnect) = (None, None);
    }

    /// A message for the application.
    #[must_use]
    pub fn delivered(&self, delivery: &Delivery) -> View<'_> {
        let bytes = self.inbound.get(delivery.bytes.clone()).unwrap_or_default();
        View::new(bytes, self.spans.get(delivery.spans.clone()).unwrap_or_default())
    }

    /// Stores a delivered message until it was dealt with.
    pub fn keep(&mut self, kept: Kept, delivery: &Delivery) {
        self.batch.kept.push((kept, delivery.bytes.clone()));
    }

    #[cfg(test)]
    pub(crate) fn keep_bytes(&mut self, kept: Kept, bytes: &[u8]) {
        let start = self.inbound.len();
        self.inbound.extend_from_slice(bytes);
        self.batch.kept.push((kept, start..self.inbound.len()));
    }

    #[cfg(test)]
    pub(crate) fn store_bytes(&mut self, seq: u64, bytes: &[u8]) {
        let start = self.wire.len();
        self.wire.extend_from_slice(bytes);
        self.batch.messages.push((seq, Place::Wire(start..self.wire.len())));
    }

    /// The delivered messages to be stored.
    pub fn kept(&self) -> impl Iterator<Item = (Kept, &[u8])> {
        self.batch.kept.iter().map(|(kept, place)| (*kept, self.inbound.get(place.clone()).unwrap_or_default()))
    }

    /// The messages to be stored, with their numbers.
    pub fn stored(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.batch.messages.iter().map(|(seq, kept)| match kept {
            Place::Wire(place) => (*seq, self.wire.get(place.clone()).unwrap_or_default()),
            Place::Aside(place) => (*seq, self.aside.get(place.clone()).unwrap_or_default()),
        })
    }

    pub(super) fn deliver(&mut self, seq: u64, view: &View<'_>) {
        let (bytes, spans) = (self.inbound.len(), self.spans.len());
        self.inbound.extend_from_slice(view.bytes());
        self.spans.extend_from_slice(view.spans());
        self.deliveries.push(Delivery { seq, bytes: bytes..self.inbound.len(), spans: spans..self.spans.len() });
    }

    pub(super) fn store_sent(&mut self, seq: u64, place: Range<usize>) {
        self.batch.messages.push((seq, Place::Wire(place)));
    }

    /// Stores a message that is not sent now: `write` appends it to the buffer.
    pub(super) fn store_aside(&mut self, seq: u64, write: impl FnOnce(&mut Vec<u8>) -> Range<usize>) {
        let place = write(&mut self.aside);
        self.batch.messages.push((seq, Place::Aside(place)));
    }

    pub(super) fn reset(&mut self, time_ns: i64) {
        self.batch.messages.clear();
        self.batch.reset = Some(time_ns);
        (self.batch.next_in, self.batch.next_out) = (Some(1), Some(1));
        self.fetch = None;
    }
}
