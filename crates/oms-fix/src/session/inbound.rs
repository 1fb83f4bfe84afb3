//! What is received.

use super::outbox::{Admin, Event, Outbox, Reason};
use super::write::without_password;
use super::{Now, Phase, Session};
use crate::codec::encode::Fields;
use crate::codec::frame::Garbled;
use crate::codec::scan::{View, scan};
use crate::codec::value::{parse_bool, parse_timestamp, parse_uint};
use crate::dictionary::{Invalid, RejectReason, validate};
use crate::tags;

/// A header as the session needs it.
#[derive(Clone, Copy, Default)]
pub(super) struct Header<'a> {
    pub(super) begin_string: &'a [u8],
    pub(super) msg_type: &'a [u8],
    pub(super) seq: Option<u64>,
    sender: &'a [u8],
    target: &'a [u8],
    sending_time: Option<i64>,
    poss_dup: bool,
    original: Option<&'a [u8]>,
}

impl<'a> Header<'a> {
    fn of(view: &View<'a>) -> Self {
        let mut header = Self::default();
        for span in view.spans() {
            let value = view.value(span);
            match span.tag {
                tags::BEGIN_STRING => header.begin_string = value,
                tags::MSG_TYPE => header.msg_type = value,
                tags::MSG_SEQ_NUM => header.seq = header.seq.or_else(|| parse_uint(value)),
                tags::SENDER_COMP_ID => header.sender = value,
                tags::TARGET_COMP_ID => header.target = value,
                tags::SENDING_TIME => header.sending_time = parse_timestamp(value),
                tags::POSS_DUP_FLAG => header.poss_dup = parse_bool(value) == Some(true),
                tags::ORIG_SENDING_TIME => header.original = Some(value),
                _ => (),
            }
        }
        header
    }

    pub(super) fn number(&self) -> u64 {
        self.seq.unwrap_or_default()
    }
}

/// Which numbers a message may have to be dealt with now.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Only the one that is expected.
    Exact,
    /// Any that is not too low.
    NotLow,
    /// Any.
    Any,
}

impl Session {
    pub(super) fn received(&mut self, message: &[u8], now: Now, out: &mut Outbox) {
        if self.phase == Phase::Down {
            return;
        }
        let up = |phase: Phase| matches!(phase, Phase::Up | Phase::LogoutSent);
        let (was_up, place) = (up(self.phase), out.batch.admin.len());
        self.read(message, now, out);
        // What somebody sends who is not logged on leaves no trace that grows.
        if is_admin_message(message) && (was_up || up(self.phase)) {
            let admin = Admin { sent: false, at: now.utc, bytes: without_password(message) };
            out.batch.admin.insert(place.min(out.batch.admin.len()), admin);
        }
        // Whatever waits above the gap is dealt with as soon as its turn comes.
        while self.phase != Phase::Down {
            let Some(stashed) = self.unstash() else { break };
            if stashed.is_empty() {
                self.expect(self.next_in + 1, out);
            } else {
                self.read(&stashed, now, out);
            }
        }
        self.gap_moved(now, out);
    }

    pub(super) fn on_garbled(&mut self, why: Garbled, now: Now, out: &mut Outbox) {
        if self.phase == Phase::Down {
            return;
        }
        out.events.push(Event::Garbled(why));
        self.garbled += 1;
        if matches!(self.phase, Phase::AwaitingLogon | Phase::LogonSent) || self.config.bounds.garbled < self.garbled {
            self.leave(Reason::Garbled, why.to_string(), now, out);
        }
    }

    fn read(&mut self, message: &[u8], now: Now, out: &mut Outbox) {
        let mut spans = std::mem::take(&mut self.spans);
        match scan(message, self.config.dictionary, self.config.bounds.fields, &mut spans) {
            Ok(()) => self.message(&View::new(message, &spans), now, out),
            Err(why) => self.on_garbled(why, now, out),
        }
        self.spans = spans;
    }

    fn message(&mut self, view: &View<'_>, now: Now, out: &mut Outbox) {
        let header = Header::of(view);
        (self.last_received, self.garbled) = (now.mono, 0);
        let logged_on = matches!(self.phase, Phase::Up | Phase::LogoutSent);
        if !logged_on && header.msg_type != tags::LOGON {
            return self.before_logon(&header, view, now, out);
        }
        if header.begin_string != self.config.id.begin_string.as_bytes() {
            return self.wrong_version(&header, view, now, out);
        }
        if header.seq.is_none() && logged_on {
            return self.refuse("Received message without MsgSeqNum", Reason::NoSeqNum, now, out);
        }
        if let Err(invalid) = validate(self.config.dictionary, self.config.checks, view) {
            if logged_on {
                return self.reject(&header, view, &invalid, now, out);
            }
            let detail = format!("{} {:?}", invalid.reason.text(), invalid.tag);
            return self.leave(Reason::LogonRefused, detail, now, out);
        }
        // After the checks, what is required is there and has its form.
        match header.msg_type {
            tags::LOGON => self.on_logon(&header, view, now, out),
            tags::HEARTBEAT => self.on_heartbeat(&header, view, now, out),
            tags::TEST_REQUEST => self.on_test_request(&header, view, now, out),
            tags::RESEND_REQUEST => self.on_resend_request(&header, view, now, out),
            tags::REJECT => self.on_reject(&header, view, now, out),
            tags::SEQUENCE_RESET => self.on_sequence_reset(&header, view, now, out),
            tags::LOGOUT => self.on_logout(&header, view, now, out),
            _ => self.on_application(&header, view, now, out),
        }
    }

    fn before_logon(&mut self, header: &Header<'_>, view: &View<'_>, now: Now, out: &mut Outbox) {
        let detail = match view.get(tags::TEXT).filter(|_| self.phase == Phase::LogonSent) {
            // What an initiator is told about its Logon is worth keeping.
            Some(text) => format!("{}: {}", String::from_utf8_lossy(header.msg_type), String::from_utf8_lossy(text)),
            None => String::from_utf8_lossy(header.msg_type).into_owned(),
        };
        self.leave(Reason::NotLogon, detail, now, out);
    }

    fn wrong_version(&mut self, header: &Header<'_>, view: &View<'_>, now: Now, out: &mut Outbox) {
        if !matches!(self.phase, Phase::Up | Phase::LogoutSent) {
            return self.leave(Reason::LogonRefused, "BeginString".to_owned(), now, out);
        }
        if header.msg_type == tags::LOGOUT {
            return self.on_logout(header, view, now, out);
        }
        self.send_logout("Incorrect BeginString", now, out);
        if header.seq == Some(self.next_in) {
            self.expect(self.next_in + 1, out);
        }
    }

    /// Whether a message may be dealt with now. If not, it was answered, kept for later or dropped.
    pub(super) fn verify(&mut self, header: &Header<'_>, view: &View<'_>, order: Order, now: Now, out: &mut Outbox) -> bool {
        let logged_on = matches!(self.phase, Phase::Up | Phase::LogoutSent);
        let id = &self.config.id;
        let problem = if !self.is_good_time(header, now) {
            Some(RejectReason::SendingTimeAccuracy)
        } else if header.sender != id.target.as_bytes() || header.target != id.sender.as_bytes() {
            Some(RejectReason::CompIdProblem)
        } else {
            None
        };
        if let Some(reason) = problem {
            if !logged_on {
                self.leave(Reason::LogonRefused, reason.text().to_owned(), now, out);
                return false;
            }
            self.reject(header, view, &Invalid::new(reason, None), now, out);
            self.send_logout("", now, out);
            return false;
        }
        self.test_requests = 0;
        let number = header.number();
        if order != Order::Any && number < self.next_in {
            // Whoever is not logged on is told nothing but that the number is too low.
            if logged_on || !header.poss_dup {
                self.too_low(header, view, now, out);
            }
            return false;
        }
        if order == Order::Exact && self.next_in < number {
            self.keep(number, view.bytes(), now, out);
            return false;
        }
        true
    }

    fn is_good_time(&self, header: &Header<'_>, now: Now) -> bool {
        const SECOND: i64 = 1_000_000_000;
        let Some(window) = self.config.sending_time_window else { return true };
        header.sending_time.is_some_and(|time| {
            let apart = now.utc.div_euclid(SECOND) - time.div_euclid(SECOND);
            apart.unsigned_abs() < u64::from(window)
        })
    }

    fn too_low(&mut self, header: &Header<'_>, view: &View<'_>, now: Now, out: &mut Outbox) {
        if !header.poss_dup {
            let text = format!("MsgSeqNum too low, expecting {} but received {}", self.next_in, header.number());
            return self.refuse(&text, Reason::TooLow, now, out);
        }
        if header.msg_type != tags::SEQUENCE_RESET {
            let Some(original) = header.original else {
                let missing = Invalid::new(RejectReason::RequiredTagMissing, Some(tags::ORIG_SENDING_TIME));
                return self.reject(header, view, &missing, now, out);
            };
            if parse_timestamp(original).is_none_or(|original| header.sending_time.is_none_or(|sent| sent < original)) {
                self.reject(header, view, &Invalid::new(RejectReason::SendingTimeAccuracy, None), now, out);
                return self.send_logout("", now, out);
            }
        }
        // It was dealt with when it first came. It is never delivered again.
        out.events.push(Event::DuplicateDropped { seq: header.number() });
    }

    /// Answers with a Reject. A message with the expected number is thereby dealt with.
    pub(super) fn reject(&mut self, header: &Header<'_>, view: &View<'_>, invalid: &Invalid, now: Now, out: &mut Outbox) {
        let mut body = Fields::new();
        if let Some(seq) = header.seq {
            body.uint(tags::REF_SEQ_NUM, seq);
        }
        body.text(tags::TEXT, invalid.text.as_deref().unwrap_or(invalid.reason.text()));
        if let Some(tag) = invalid.tag {
            body.text(tags::REF_TAG_ID, &tag.to_string());
        }
        body.put(tags::REF_MSG_TYPE, header.msg_type).uint(tags::SESSION_REJECT_REASON, invalid.reason.code());
        out.events.push(Event::Rejected { seq: header.number(), reason: invalid.reason, tag: invalid.tag });
        if header.seq == Some(self.next_in) && !matches!(header.msg_type, tags::LOGON | tags::SEQUENCE_RESET) {
            self.expect(self.next_in + 1, out);
        }
        self.write_admin(tags::REJECT, reverse_route(view).as_bytes(), body.as_bytes(), now, out);
    }

    /// Says why in a Logout and ends the connection.
    pub(super) fn refuse(&mut self, text: &str, reason: Reason, now: Now, out: &mut Outbox) {
        self.send_logout(text, now, out);
        self.leave(reason, text.to_owned(), now, out);
    }

    /// Deals with a message whose turn it is.
    pub(super) fn in_order(
        &mut self,
        header: &Header<'_>,
        view: &View<'_>,
        now: Now,
        out: &mut Outbox,
        then: impl FnOnce(&mut Self, &mut Outbox),
    ) {
        if self.verify(header, view, Order::Exact, now, out) {
            then(self, out);
            self.expect(self.next_in + 1, out);
        }
    }

    fn on_heartbeat(&mut self, header: &Header<'_>, view: &View<'_>, now: Now, out: &mut Outbox) {
        self.in_order(header, view, now, out, |_, out| {
            if let Some(id) = view.get_filled(tags::TEST_REQ_ID) {
                out.events.push(Event::Answered { test_req_id: String::from_utf8_lossy(id).into_owned() });
            }
        });
    }

    /// Delivers a message of the session that is evidence of what became of others, where it is wanted.
    pub(super) fn keep_evidence(&mut self, header: &Header<'_>, view: &View<'_>, out: &mut Outbox) {
        if self.config.keeps_evidence {
            out.deliver(header.number(), view);
        }
    }

    fn on_test_request(&mut self, header: &Header<'_>, view: &View<'_>, now: Now, out: &mut Outbox) {
        self.in_order(header, view, now, out, |session, out| {
            let mut body = Fields::new();
            body.put(tags::TEST_REQ_ID, view.get(tags::TEST_REQ_ID).unwrap_or_default());
            session.write_admin(tags::HEARTBEAT, b"", body.as_bytes(), now, out);
        });
    }

    fn on_reject(&mut self, header: &Header<'_>, view: &View<'_>, now: Now, out: &mut Outbox) {
        self.in_order(header, view, now, out, |session, out| {
            session.keep_evidence(header, view, out);
            let ref_seq = view.get(tags::REF_SEQ_NUM).and_then(parse_uint).unwrap_or_default();
            let text = view.get(tags::TEXT).map(|text| String::from_utf8_lossy(text).into_owned()).unwrap_or_default();
            out.events.push(Event::PeerRejected { ref_seq, text });
        });
    }

    fn on_application(&mut self, header: &Header<'_>, view: &View<'_>, now: Now, out: &mut Outbox) {
        self.in_order(header, view, now, out, |session, out| {
            if session.may_receive(header.msg_type, now) {
                out.deliver(header.number(), view);
            } else {
                out.events.push(Event::OverRate { seq: header.number() });
                session.refuse_rate(header, now, out);
            }
        });
    }
}

/// Whether a message, as it came, belongs to the session itself: its third field says so.
fn is_admin_message(message: &[u8]) -> bool {
    let msg_type = message.split(|byte| *byte == crate::codec::SOH).nth(2).and_then(|field| field.strip_prefix(b"35="));
    msg_type.is_some_and(tags::is_admin)
}

/// The route back: who it was delivered for or on behalf of, the other way round. Ascending.
fn reverse_route(view: &View<'_>) -> Fields {
    let routes = [
        (tags::ON_BEHALF_OF_COMP_ID, tags::DELIVER_TO_COMP_ID),
        (tags::ON_BEHALF_OF_SUB_ID, tags::DELIVER_TO_SUB_ID),
        (tags::DELIVER_TO_COMP_ID, tags::ON_BEHALF_OF_COMP_ID),
        (tags::DELIVER_TO_SUB_ID, tags::ON_BEHALF_OF_SUB_ID),
        (tags::DELIVER_TO_LOCATION_ID, tags::ON_BEHALF_OF_LOCATION_ID),
        (tags::ON_BEHALF_OF_LOCATION_ID, tags::DELIVER_TO_LOCATION_ID),
    ];
    let mut back = Fields::new();
    for (to, from) in routes {
        if let Some(value) = view.get_filled(from) {
            back.put(to, value);
        }
    }
    back
}
