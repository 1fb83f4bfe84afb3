//! Application messages on their way out, and rates.

use super::config::WhenDown;
use super::inbound::Header;
use super::outbox::{Event, Outbox, Outgoing, SendError, Sent};
use super::throttle::Bucket;
use super::write::Head;
use super::{Now, Phase, Session};
use crate::codec::scan::View;
use crate::tags;

/// Room for what the session itself writes into a message, in bytes.
const OVERHEAD: usize = 512;

/// BusinessRejectReason(380).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the names are those of the FIX dictionary")]
pub enum BusinessReason {
    Other,
    UnknownId,
    UnknownSecurity,
    UnsupportedMessageType,
    ApplicationNotAvailable,
    ConditionallyRequiredFieldMissing,
    NotAuthorized,
}

impl BusinessReason {
    fn code(self) -> u64 {
        self as u64
    }

    /// Its text, as counterparties know it.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Other => "Other",
            Self::UnknownId => "Unknown ID",
            Self::UnknownSecurity => "Unknown Security",
            Self::UnsupportedMessageType => "Unsupported Message Type",
            Self::ApplicationNotAvailable => "Application not available",
            Self::ConditionallyRequiredFieldMissing => "Conditionally Required Field Missing",
            Self::NotAuthorized => "Not authorized",
        }
    }
}

/// A BusinessMessageReject of a message. `text` replaces the text of the reason.
#[must_use]
pub fn business_reject(view: &View<'_>, reason: BusinessReason, text: Option<&str>) -> Outgoing {
    let seq = view.get(tags::MSG_SEQ_NUM).unwrap_or_default();
    business_reject_of(seq, view.msg_type(), reason, text)
}

fn business_reject_of(seq: &[u8], msg_type: &[u8], reason: BusinessReason, text: Option<&str>) -> Outgoing {
    let mut reject = Outgoing::new(tags::BUSINESS_MESSAGE_REJECT);
    let body = reject.body.put(tags::REF_SEQ_NUM, seq).text(tags::TEXT, text.unwrap_or(reason.text()));
    body.put(tags::REF_MSG_TYPE, msg_type).uint(tags::BUSINESS_REJECT_REASON, reason.code());
    reject
}

/// Whether a message takes something back: it has a rate of its own.
fn is_cancel(msg_type: &[u8]) -> bool {
    matches!(msg_type, b"F" | b"q" | b"K" | b"Z" | b"u")
}

impl Session {
    /// Sends an application message, or stores it for a counterparty that is away, as configured.
    ///
    /// # Errors
    /// [`SendError`]: nothing was done.
    pub fn send(&mut self, message: Outgoing, now: Now, out: &mut Outbox) -> Result<Sent, SendError> {
        self.roll(now, out);
        if tags::is_admin(&message.msg_type) || message.msg_type.is_empty() {
            return Err(SendError::Admin);
        }
        if self.config.bounds.message < message.header.as_bytes().len() + message.body.as_bytes().len() + OVERHEAD {
            return Err(SendError::TooLarge);
        }
        if message.not_after.is_some_and(|last| last < now.utc) {
            return Err(SendError::Late);
        }
        if self.phase != Phase::Up {
            return self.send_down(&message, now, out);
        }
        let cancel = is_cancel(&message.msg_type);
        // What waits goes first, cancels before all else.
        let waits = !self.held[usize::from(!cancel)].is_empty() || !take(self.out_bucket(cancel), now);
        if !waits {
            return Ok(Sent::Numbered(self.send_now(&message, now, out)));
        }
        if self.config.bounds.held <= self.held.iter().map(|held| held.len()).sum() {
            return Err(SendError::Throttled);
        }
        self.held[usize::from(!cancel)].push_back(message);
        Ok(Sent::Held)
    }

    fn send_down(&mut self, message: &Outgoing, now: Now, out: &mut Outbox) -> Result<Sent, SendError> {
        if self.config.when_down == WhenDown::Refuse {
            return Err(SendError::NotLoggedOn);
        }
        let head = Head { msg_type: &message.msg_type, seq: self.take_number(out), more: message.header.as_bytes(), ..Head::default() };
        let session = &*self;
        out.store_aside(head.seq, |buffer| session.write(buffer, &head, message.body.as_bytes(), now));
        Ok(Sent::Numbered(head.seq))
    }

    fn send_now(&mut self, message: &Outgoing, now: Now, out: &mut Outbox) -> u64 {
        let head = Head { msg_type: &message.msg_type, seq: self.take_number(out), more: message.header.as_bytes(), ..Head::default() };
        let place = self.write(&mut out.wire, &head, message.body.as_bytes(), now);
        out.store_sent(head.seq, place);
        self.last_sent = now.mono;
        head.seq
    }

    fn out_bucket(&mut self, cancel: bool) -> Option<&mut Bucket> {
        if cancel { self.buckets.out_cancels.as_mut() } else { self.buckets.out.as_mut() }
    }

    /// When a held message may go.
    pub(super) fn throttle_deadline(&self) -> Option<u64> {
        let buckets = [&self.buckets.out_cancels, &self.buckets.out];
        self.held
            .iter()
            .zip(buckets)
            .filter(|(held, _)| !held.is_empty())
            .map(|(_, bucket)| bucket.as_ref().map_or(0, Bucket::free_at))
            .min()
    }

    /// Sends what the rates now allow, cancels first.
    pub(super) fn release(&mut self, now: Now, out: &mut Outbox) {
        for cancel in [true, false] {
            self.drop_late(cancel, now, out);
            while self.phase == Phase::Up && !self.held[usize::from(!cancel)].is_empty() && take(self.out_bucket(cancel), now) {
                let Some(message) = self.held[usize::from(!cancel)].pop_front() else { break };
                let seq = self.send_now(&message, now, out);
                out.events.push(Event::Released { token: message.token, seq });
            }
        }
    }

    /// Lets go of what was held for too long.
    fn drop_late(&mut self, cancel: bool, now: Now, out: &mut Outbox) {
        let is_late = |message: &Outgoing| message.not_after.is_some_and(|last| last < now.utc);
        let held = &mut self.held[usize::from(!cancel)];
        out.events.extend(held.iter().filter(|message| is_late(message)).map(|message| Event::NotSent { token: message.token }));
        held.retain(|message| !is_late(message));
    }

    /// Whether the rates allow a message that was received.
    pub(super) fn may_receive(&mut self, msg_type: &[u8], now: Now) -> bool {
        let cancel = is_cancel(msg_type);
        take(if cancel { self.buckets.inbound_cancels.as_mut() } else { self.buckets.inbound.as_mut() }, now)
    }

    pub(super) fn refuse_rate(&mut self, header: &Header<'_>, now: Now, out: &mut Outbox) {
        let seq = header.number().to_string();
        let reject = business_reject_of(seq.as_bytes(), header.msg_type, BusinessReason::Other, Some("Message rate limit exceeded"));
        self.send_now(&reject, now, out);
    }
}

/// Without a bucket everything passes.
fn take(bucket: Option<&mut Bucket>, now: Now) -> bool {
    bucket.is_none_or(|bucket| bucket.take(now.mono))
}
