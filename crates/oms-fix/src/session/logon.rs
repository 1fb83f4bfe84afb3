//! Logging on and out.

use super::config::Role;
use super::inbound::{Header, Order};
use super::outbox::{Event, Outbox, Reason};
use super::sequence::MAX_SEQ;
use super::{Now, Phase, Session};
use crate::codec::encode::Fields;
use crate::codec::scan::View;
use crate::codec::value::{parse_bool, parse_int, parse_uint};
use crate::tags;

const SECOND: u64 = 1_000_000_000;

impl Session {
    /// An initiator's Logon.
    pub(super) fn send_logon(&mut self, now: Now, out: &mut Outbox) {
        if self.config.reset_on.logon {
            self.reset(now, out);
            self.sent_reset = true;
        }
        self.phase = Phase::LogonSent;
        self.heart_bt_int = u64::from(self.config.heart_bt_int) * SECOND;
        self.write_logon(u64::from(self.config.heart_bt_int), self.sent_reset, self.next_in, now, out);
    }

    fn write_logon(&mut self, heart_bt_int: u64, reset: bool, next_expected: u64, now: Now, out: &mut Outbox) {
        let mut body = Fields::new();
        body.uint(tags::ENCRYPT_METHOD, 0).uint(tags::HEART_BT_INT, heart_bt_int);
        if reset {
            body.flag(tags::RESET_SEQ_NUM_FLAG, true);
        }
        if let Some(credentials) = self.config.credentials.as_ref().filter(|_| self.config.role == Role::Initiator) {
            body.text(tags::USERNAME, &credentials.username).put(tags::PASSWORD, credentials.password.bytes());
        }
        self.sent_next_expected = self.config.next_expected;
        if self.config.next_expected {
            body.uint(tags::NEXT_EXPECTED_MSG_SEQ_NUM, next_expected);
        }
        if self.config.role == Role::Initiator {
            body.raw(self.config.logon_fields.as_bytes());
        }
        self.write_admin(tags::LOGON, b"", body.as_bytes(), now, out);
    }

    pub(super) fn on_logon(&mut self, header: &Header<'_>, view: &View<'_>, now: Now, out: &mut Outbox) {
        let reset = view.get(tags::RESET_SEQ_NUM_FLAG).and_then(parse_bool) == Some(true);
        let logged_on = matches!(self.phase, Phase::Up | Phase::LogoutSent);
        if logged_on && !reset {
            return self.leave(Reason::UnexpectedLogon, String::new(), now, out);
        }
        // A counterparty that is not who it says it is must not be able to reset anything.
        let order = if reset { Order::Any } else { Order::NotLow };
        let resets_by_custom = self.config.role == Role::Acceptor && self.config.reset_on.logon && !logged_on;
        if !self.verify(header, view, if resets_by_custom { Order::Any } else { order }, now, out) {
            // A possible duplicate of a Logon was dropped; there is no session that it could belong to.
            if !logged_on {
                self.leave(Reason::LogonRefused, "MsgSeqNum".to_owned(), now, out);
            }
            return;
        }
        if let Err(text) = self.check_logon(view) {
            return self.refuse(text, Reason::LogonRefused, now, out);
        }
        if (reset && !self.sent_reset) || resets_by_custom {
            self.reset(now, out);
        }
        if header.number() < self.next_in && !reset {
            let text = format!("MsgSeqNum too low, expecting {} but received {}", self.next_in, header.number());
            return self.refuse(&text, Reason::TooLow, now, out);
        }
        let expected = view.get(tags::NEXT_EXPECTED_MSG_SEQ_NUM).and_then(parse_uint);
        if let Some(expected) = expected.filter(|expected| self.next_out < *expected) {
            let text = format!("NextExpectedMsgSeqNum too high, expecting {} but received {expected}", self.next_out);
            return self.refuse(&text, Reason::LogonRefused, now, out);
        }
        let missing = expected.is_some_and(|expected| expected < self.next_out) && !reset;
        let (answers, knew_expected) = (self.answers_logon(reset), self.sent_next_expected);
        self.sent_reset = false;
        if answers {
            let heart_bt_int = view.get(tags::HEART_BT_INT).and_then(parse_uint).unwrap_or_default();
            self.heart_bt_int = heart_bt_int * SECOND;
            // Once this Logon is dealt with, the one after it is expected, unless something is missing.
            let next = if header.number() == self.next_in { self.next_in + 1 } else { self.next_in };
            self.write_logon(heart_bt_int, reset, next, now, out);
        }
        if !logged_on {
            self.phase = Phase::Up;
            self.phase_since = now.mono;
            out.events.push(Event::LoggedOn { heart_bt_int: self.heart_bt_int / SECOND });
        }
        self.after_logon(header, reset, expected.is_some() && (knew_expected || self.sent_next_expected), now, out);
        if let Some(begin) = expected.filter(|_| missing) {
            self.keep_evidence(header, view, out);
            self.queue_answer(begin.max(1), self.next_out - 1, out);
        }
    }

    /// Whether a Logon is a request, to be answered by one. An initiator's own is answered by the
    /// counterparty's, unless that one asks for a reset of its own accord.
    fn answers_logon(&self, reset: bool) -> bool {
        match self.config.role {
            Role::Acceptor => !self.sent_reset,
            Role::Initiator => reset && !self.sent_reset,
        }
    }

    /// Takes in the number of a Logon. `told`: NextExpectedMsgSeqNum(789) has told the counterparty
    /// already what is missing.
    fn after_logon(&mut self, header: &Header<'_>, reset: bool, told: bool, now: Now, out: &mut Outbox) {
        let number = header.number();
        if number == self.next_in || reset {
            return self.expect(self.next_in + 1, out);
        }
        if self.next_in < number {
            // Dealt with, once its turn comes.
            self.keep_as_done(number, now, out, !told);
        }
    }

    fn check_logon(&self, view: &View<'_>) -> Result<(), &'static str> {
        if view.get(tags::ENCRYPT_METHOD).and_then(parse_uint) != Some(0) {
            return Err("EncryptMethod must be 0");
        }
        let heart_bt_int = view.get(tags::HEART_BT_INT).and_then(parse_int).unwrap_or(-1);
        let Ok(heart_bt_int) = u32::try_from(heart_bt_int) else {
            return Err(if heart_bt_int < 0 { "HeartBtInt must not be negative" } else { "HeartBtInt is out of range" });
        };
        if self.config.role == Role::Initiator {
            return Ok(());
        }
        if !self.config.heart_bt_limits.contains(&heart_bt_int) {
            return Err("HeartBtInt is out of range");
        }
        let Some(credentials) = &self.config.credentials else { return Ok(()) };
        let given = |tag| view.get(tag).unwrap_or_default();
        let known = given(tags::USERNAME) == credentials.username.as_bytes() && credentials.password.is(given(tags::PASSWORD));
        if known { Ok(()) } else { Err("Invalid credentials") }
    }

    pub(super) fn on_logout(&mut self, header: &Header<'_>, view: &View<'_>, now: Now, out: &mut Outbox) {
        if !self.verify(header, view, Order::Any, now, out) {
            return;
        }
        if let Some(text) = view.get_filled(tags::TEXT) {
            out.events.push(Event::LogoutText { text: String::from_utf8_lossy(text).into_owned() });
        }
        if self.phase == Phase::Up {
            self.send_logout("", now, out);
        }
        if header.seq == Some(self.next_in) && self.next_in < MAX_SEQ {
            self.expect(self.next_in + 1, out);
        }
        self.leave(Reason::LoggedOut, String::new(), now, out);
    }

    pub(super) fn send_logout(&mut self, text: &str, now: Now, out: &mut Outbox) {
        let mut body = Fields::new();
        if !text.is_empty() {
            body.text(tags::TEXT, text);
        }
        self.write_admin(tags::LOGOUT, b"", body.as_bytes(), now, out);
        if self.phase == Phase::Up {
            self.phase = Phase::LogoutSent;
            self.phase_since = now.mono;
        }
    }

    pub(super) fn ask_logout(&mut self, text: &str, now: Now, out: &mut Outbox) {
        match self.phase {
            Phase::Up => self.send_logout(text, now, out),
            Phase::AwaitingLogon | Phase::LogonSent => self.leave(Reason::Asked, String::new(), now, out),
            Phase::Down | Phase::LogoutSent => (),
        }
    }

    /// Both numbers to 1, by agreement if somebody is there to agree.
    pub(super) fn ask_reset(&mut self, now: Now, out: &mut Outbox) {
        self.reset(now, out);
        if self.phase == Phase::Up {
            self.sent_reset = true;
            self.write_logon(self.heart_bt_int / SECOND, true, 1, now, out);
        }
    }
}
