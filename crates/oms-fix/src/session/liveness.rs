//! Heartbeats, timeouts and the schedule.

use super::config::Role;
use super::outbox::{Outbox, Reason};
use super::{Now, Phase, Session};
use crate::codec::encode::Fields;
use crate::tags;

/// TestReqID(112) of the TestRequests of this side.
const TEST: &str = "TEST";

impl Session {
    /// When [`super::Input::Timer`] is due next, on the clock that never goes back.
    #[must_use]
    pub fn deadline(&self, now: Now) -> Option<u64> {
        let timeouts = &self.config.timeouts;
        let phase = match self.phase {
            Phase::AwaitingLogon | Phase::LogonSent => Some(self.phase_since.saturating_add(timeouts.logon)),
            Phase::LogoutSent => Some(self.phase_since.saturating_add(timeouts.logout)),
            Phase::Down | Phase::Up => None,
        };
        let logged_on = matches!(self.phase, Phase::Up | Phase::LogoutSent);
        let beats = (logged_on && 0 < self.heart_bt_int).then(|| self.heartbeat_deadline());
        let gap = self.gap_deadline().filter(|_| logged_on);
        let throttle = self.throttle_deadline().filter(|_| self.phase == Phase::Up);
        let schedule = self.schedule_deadline(now);
        [phase, beats, gap, throttle, schedule].into_iter().flatten().min()
    }

    fn heartbeat_deadline(&self) -> u64 {
        let tests = self.last_received.saturating_add(self.test_interval().saturating_mul(u64::from(self.test_requests) + 1));
        // While a TestRequest waits for its answer it stands for the heartbeat.
        if self.test_requests == 0 {
            tests.min(self.last_sent.saturating_add(self.heart_bt_int))
        } else {
            tests.min(self.silence_deadline())
        }
    }

    fn test_interval(&self) -> u64 {
        self.heart_bt_int.saturating_add(self.heart_bt_int / 5)
    }

    fn silence_deadline(&self) -> u64 {
        self.last_received.saturating_add(self.test_interval().saturating_mul(2))
    }

    /// Where the schedule next opens or closes the session.
    fn schedule_deadline(&self, now: Now) -> Option<u64> {
        self.config.schedule.as_ref()?;
        let boundary = match (self.window, self.next_window) {
            (Some(window), _) => window.end_ns,
            (None, Some(next)) => next.start_ns,
            (None, None) => return None,
        };
        // The clock on the wall may be set: it is looked at again within the hour.
        const HOUR: u64 = 3_600_000_000_000;
        let ahead = u64::try_from(boundary.saturating_sub(now.utc)).unwrap_or_default();
        Some(now.mono.saturating_add(ahead.clamp(1, HOUR)))
    }

    pub(super) fn timer(&mut self, now: Now, out: &mut Outbox) {
        let timeouts = self.config.timeouts;
        let since = now.mono.saturating_sub(self.phase_since);
        match self.phase {
            Phase::Down => return,
            Phase::AwaitingLogon | Phase::LogonSent => {
                if timeouts.logon <= since {
                    self.leave(Reason::LogonTimeout, String::new(), now, out);
                }
                return;
            }
            Phase::LogoutSent if timeouts.logout <= since => return self.leave(Reason::LogoutTimeout, String::new(), now, out),
            Phase::LogoutSent | Phase::Up => (),
        }
        self.gap_timer(now, out);
        self.release(now, out);
        if 0 < self.heart_bt_int && self.phase != Phase::Down {
            self.beat(now, out);
        }
    }

    fn beat(&mut self, now: Now, out: &mut Outbox) {
        let test_due = self.last_received.saturating_add(self.test_interval().saturating_mul(u64::from(self.test_requests) + 1));
        if self.silence_deadline() <= now.mono {
            self.leave(Reason::Silent, String::new(), now, out);
        } else if test_due <= now.mono {
            self.test_requests += 1;
            let mut body = Fields::new();
            body.text(tags::TEST_REQ_ID, TEST);
            self.write_admin(tags::TEST_REQUEST, b"", body.as_bytes(), now, out);
        } else if self.test_requests == 0 && self.last_sent.saturating_add(self.heart_bt_int) <= now.mono {
            self.write_admin(tags::HEARTBEAT, b"", b"", now, out);
        }
    }

    /// A TestRequest of the application's own: its answer comes behind whatever the counterparty sent before it.
    pub(super) fn ask_whether_there(&mut self, id: &str, now: Now, out: &mut Outbox) {
        if self.phase == Phase::Up {
            let mut body = Fields::new();
            body.text(tags::TEST_REQ_ID, id);
            self.write_admin(tags::TEST_REQUEST, b"", body.as_bytes(), now, out);
        }
    }

    /// Follows the schedule: ends the session outside its hours, and starts each opening with the
    /// numbers at 1, exactly once.
    pub(super) fn roll(&mut self, now: Now, out: &mut Outbox) {
        let Some(schedule) = &self.config.schedule else {
            self.created = self.created.or_else(|| {
                out.batch.reset = Some(now.utc);
                Some(now.utc)
            });
            return;
        };
        if self.window.is_none_or(|window| now.utc < window.start_ns || window.end_ns <= now.utc) {
            let due = self.next_window.is_none_or(|next| next.start_ns <= now.utc);
            if self.window.is_some() || due {
                self.window = schedule.window(now.utc);
                self.next_window = if self.window.is_none() { schedule.next(now.utc) } else { None };
            }
        }
        let stale = match (self.window, self.created) {
            (Some(window), Some(created)) => created < window.start_ns,
            (Some(_), None) => true,
            (None, _) => false,
        };
        match self.phase {
            Phase::Down if stale => self.reset(now, out),
            Phase::Up if stale || self.window.is_none() => self.send_logout("End of session", now, out),
            _ => (),
        }
    }

    /// Whether an initiator may connect now.
    #[must_use]
    pub fn may_connect(&self) -> bool {
        self.phase == Phase::Down && self.config.role == Role::Initiator && (self.config.schedule.is_none() || self.window.is_some())
    }
}
