//! Inbound numbers: gaps, what waits above them, and SequenceReset.

use super::inbound::{Header, Order};
use super::outbox::{Event, Outbox, Reason};
use super::{Gap, Now, Phase, Session};
use crate::codec::encode::Fields;
use crate::codec::scan::View;
use crate::codec::value::{parse_bool, parse_uint};
use crate::dictionary::{Invalid, RejectReason};
use crate::tags;

/// Highest number that a session goes to; nobody gets there by counting.
pub(super) const MAX_SEQ: u64 = 1 << 60;

impl Session {
    /// Keeps a message above a gap, and asks for what is missing.
    pub(super) fn keep(&mut self, seq: u64, message: &[u8], now: Now, out: &mut Outbox) {
        let bounds = self.config.bounds;
        let room = self.stash.len() < bounds.stash && self.stash_bytes + message.len() <= bounds.stash_bytes;
        if MAX_SEQ < seq || !room {
            // It comes again when the gap before it is filled and it is found missing.
            out.events.push(Event::StashFull { seq });
        } else if let std::collections::btree_map::Entry::Vacant(place) = self.stash.entry(seq) {
            self.stash_bytes += message.len();
            place.insert(message.to_vec());
        }
        self.ask_for_gap(seq, true, now, out);
    }

    /// Notes that a message above a gap was dealt with already.
    pub(super) fn keep_as_done(&mut self, seq: u64, now: Now, out: &mut Outbox, ask: bool) {
        if self.stash.len() < self.config.bounds.stash && seq <= MAX_SEQ {
            self.stash.entry(seq).or_default();
        }
        self.ask_for_gap(seq, ask, now, out);
    }

    /// The message that is expected now, if it waits.
    pub(super) fn unstash(&mut self) -> Option<Vec<u8>> {
        if self.stash.is_empty() {
            return None;
        }
        let message = self.stash.remove(&self.next_in)?;
        self.stash_bytes -= message.len();
        Some(message)
    }

    /// There is a gap below `seq`. One that was asked for is not asked for again, before its time.
    fn ask_for_gap(&mut self, seq: u64, ask: bool, now: Now, out: &mut Outbox) {
        if self.gap.is_some() {
            return;
        }
        let (begin, end) = (self.next_in, seq.min(MAX_SEQ) - 1);
        out.events.push(Event::GapFound { begin, end });
        self.gap = Some(Gap { begin, end, asked: end, since: now.mono, attempts: u32::from(ask) });
        if ask {
            self.send_resend_request(now, out);
        }
    }

    fn send_resend_request(&mut self, now: Now, out: &mut Outbox) {
        let Some(gap) = &mut self.gap else { return };
        // In one piece the request is open-ended, as whatever is sent meanwhile may be lost as well.
        let end = match self.config.resend_chunk {
            Some(chunk) => {
                gap.asked = gap.end.min(self.next_in.saturating_add(chunk.max(1) - 1));
                gap.asked
            }
            None => {
                gap.asked = gap.end;
                0
            }
        };
        gap.since = now.mono;
        let mut body = Fields::new();
        body.uint(tags::BEGIN_SEQ_NO, self.next_in).uint(tags::END_SEQ_NO, end);
        self.write_admin(tags::RESEND_REQUEST, b"", body.as_bytes(), now, out);
    }

    /// After the expected number may have moved: the gap is closed, or its next piece is asked for.
    pub(super) fn gap_moved(&mut self, now: Now, out: &mut Outbox) {
        let Some(gap) = &mut self.gap else { return };
        if gap.end < self.next_in {
            self.gap = None;
            return;
        }
        if gap.begin < self.next_in {
            (gap.begin, gap.since, gap.attempts) = (self.next_in, now.mono, 1);
        }
        if gap.asked < self.next_in && self.phase == Phase::Up {
            self.send_resend_request(now, out);
        }
    }

    /// When a gap is asked for again.
    pub(super) fn gap_deadline(&self) -> Option<u64> {
        self.gap.map(|gap| gap.since.saturating_add(self.config.timeouts.resend))
    }

    pub(super) fn gap_timer(&mut self, now: Now, out: &mut Outbox) {
        if self.gap_deadline().is_none_or(|deadline| now.mono < deadline) {
            return;
        }
        let Some(gap) = &mut self.gap else { return };
        if self.config.timeouts.resend_attempts <= gap.attempts {
            return self.refuse("ResendRequest was not answered", Reason::GapNotFilled, now, out);
        }
        gap.attempts += 1;
        self.send_resend_request(now, out);
    }

    pub(super) fn on_sequence_reset(&mut self, header: &Header<'_>, view: &View<'_>, now: Now, out: &mut Outbox) {
        let gap_fill = view.get(tags::GAP_FILL_FLAG).and_then(parse_bool) == Some(true);
        if !self.verify(header, view, if gap_fill { Order::Exact } else { Order::Any }, now, out) {
            return;
        }
        let next = view.get(tags::NEW_SEQ_NO).and_then(parse_uint).filter(|next| *next <= MAX_SEQ);
        // A gap fill that fills nothing would be asked for without end; a reset to the number that is
        // expected anyway does no harm.
        let lowest = if gap_fill { self.next_in + 1 } else { self.next_in };
        let Some(next) = next.filter(|next| lowest <= *next) else {
            return self.reject(header, view, &Invalid::new(RejectReason::ValueIncorrect, None), now, out);
        };
        if !gap_fill {
            self.keep_evidence(header, view, out);
        }
        out.events.push(Event::SequenceReset { from: self.next_in, to: next });
        self.stash = self.stash.split_off(&next);
        self.stash_bytes = self.stash.values().map(Vec::len).sum();
        self.expect(next, out);
    }

    /// Sets the next outbound number.
    pub(super) fn set_next_out(&mut self, next: u64, now: Now, out: &mut Outbox) {
        let next = next.clamp(1, MAX_SEQ);
        if self.phase == Phase::Up {
            let mut body = Fields::new();
            body.uint(tags::NEW_SEQ_NO, next).flag(tags::GAP_FILL_FLAG, false);
            self.write_admin(tags::SEQUENCE_RESET, b"", body.as_bytes(), now, out);
        }
        self.next_out = next;
        out.batch.next_out = Some(next);
    }
}
