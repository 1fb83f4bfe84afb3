//! Answering ResendRequests, page by page.

use super::inbound::{Header, Order};
use super::outbox::{Event, Fetch, Outbox, Page};
use super::{Answer, Now, Phase, Session};
use crate::codec::scan::View;
use crate::codec::value::parse_uint;
use crate::dictionary::{Invalid, RejectReason};
use crate::tags;

impl Session {
    /// A request is answered whatever its own number is: the counterparty may miss what would have
    /// filled the gap on this side, and both would wait for each other.
    pub(super) fn on_resend_request(&mut self, header: &Header<'_>, view: &View<'_>, now: Now, out: &mut Outbox) {
        if !self.verify(header, view, Order::Any, now, out) {
            return;
        }
        let number = |tag| view.get(tag).and_then(parse_uint);
        let last = self.next_out - 1;
        let begin = number(tags::BEGIN_SEQ_NO).filter(|begin| (1..=last).contains(begin));
        let end = number(tags::END_SEQ_NO).map(|end| if end == 0 { last } else { end.min(last) });
        match (begin, end) {
            (Some(begin), Some(end)) if begin <= end => {
                self.keep_evidence(header, view, out);
                self.queue_answer(begin, end, out);
            }
            (begin, _) => {
                let tag = if begin.is_none() { tags::BEGIN_SEQ_NO } else { tags::END_SEQ_NO };
                return self.reject(header, view, &Invalid::new(RejectReason::ValueIncorrect, Some(tag)), now, out);
            }
        }
        let number = header.number();
        if number == self.next_in {
            self.expect(self.next_in + 1, out);
        } else if self.next_in < number {
            self.keep_as_done(number, now, out, true);
        }
    }

    /// Puts a range in the queue of what is to be sent again.
    pub(super) fn queue_answer(&mut self, begin: u64, end: u64, out: &mut Outbox) {
        if self.config.bounds.resends <= self.asked.len() {
            out.events.push(Event::ResendIgnored);
            return;
        }
        out.events.push(Event::ResendAsked { begin, end });
        self.asked.push_back((begin, end));
        self.next_answer(out);
    }

    fn next_answer(&mut self, out: &mut Outbox) {
        if self.answer.is_some() {
            return;
        }
        if let Some((begin, end)) = self.asked.pop_front() {
            self.answer = Some(Answer { open: begin, end });
            out.fetch = Some(Fetch { from: begin, to: end });
        }
    }

    /// Sends a page of stored messages; runs of numbers without one are folded into a gap fill.
    pub(super) fn page(&mut self, page: &Page, now: Now, out: &mut Outbox) {
        if !matches!(self.phase, Phase::Up | Phase::LogoutSent) {
            return;
        }
        let Some(Answer { mut open, end }) = self.answer else { return };
        for (seq, message) in &page.messages {
            if *seq < open || end < *seq || self.is_stale(message) {
                continue;
            }
            let before = out.wire.len();
            if open < *seq {
                self.write_gap_fill(open, *seq, now, out);
            }
            if self.write_again(*seq, message, now, out) {
                open = *seq + 1;
            } else {
                // It cannot be read any more: it is skipped by the next gap fill.
                out.wire.truncate(before);
            }
        }
        if page.to < end {
            self.answer = Some(Answer { open, end });
            out.fetch = Some(Fetch { from: page.to + 1, to: end });
            return;
        }
        if open <= end {
            self.write_gap_fill(open, end + 1, now, out);
        }
        self.answer = None;
        self.next_answer(out);
    }

    /// Whether a message is of a type that is never sent again.
    fn is_stale(&self, message: &[u8]) -> bool {
        if self.config.never_resend.is_empty() {
            return false;
        }
        let separator = crate::codec::SOH;
        let third = message.split(|byte| *byte == separator).nth(2).and_then(|field| field.strip_prefix(b"35="));
        third.is_some_and(|msg_type| self.config.never_resend.iter().any(|stale| stale == msg_type))
    }
}
