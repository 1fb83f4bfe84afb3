//! Connecting, the handshake, the heartbeat, and the line behind the gateway.

use core::fmt::Display;

use oms_model::IntentKind;
use oms_model::WireId;
use oms_model::logged::Quoted;
use oms_model::report::ReportBody;
use oms_venues::paper::prng::Prng;

use super::config::is_paper;
use super::pace::{Class, Item};
use super::shown::LinkState;
use super::{Action, Connector, Now, moment};
use crate::codec::frame::{put_offer, read_agreement};
use crate::codec::{Dialect, Request, RequestTime, StartApi};

/// How the link stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Down; tried again then.
    Down { retry: i64 },
    /// Down by the desk's own will.
    Parked,
    /// A connection is asked for.
    Connecting { until: i64 },
    /// The versions are exchanged.
    Shaking { until: i64 },
    /// The session begins: accounts and the next order id are awaited.
    Beginning { until: i64 },
    /// What there is at the gateway is looked at.
    Recovering,
    /// Orders flow.
    Up,
}

/// The link to the gateway.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) phase: Phase,
    pub(super) dialect: Option<Dialect>,
    pub(super) accounts: Option<Vec<String>>,
    pub(super) has_next_id: bool,
    /// The gateway has lost the broker.
    pub(super) line_lost: bool,
    /// Why it was last lost, or is not up.
    pub(super) reason: String,
    /// Attempts since it last worked.
    failures: u32,
    /// When something last came.
    pub(super) heard_at: i64,
    /// A heartbeat is out.
    pinged: bool,
    /// Looks of this session that did not end.
    pub(super) unfinished: u32,
    /// Only a look that left after this stamp opens the gate.
    pub(super) look_after: u64,
    chance: Prng,
}

impl Link {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            phase: Phase::Down { retry: i64::MIN },
            dialect: None,
            accounts: None,
            has_next_id: false,
            line_lost: false,
            reason: "it was not tried yet".to_owned(),
            failures: 0,
            heard_at: 0,
            pinged: false,
            unfinished: 0,
            look_after: 0,
            chance: Prng::new(seed),
        }
    }

    /// Whether a session has begun.
    pub(super) fn has_begun(&self) -> bool {
        matches!(self.phase, Phase::Beginning { .. } | Phase::Recovering | Phase::Up)
    }

    /// Whether lists can be asked for.
    pub(super) fn is_working(&self) -> bool {
        matches!(self.phase, Phase::Recovering | Phase::Up)
    }

    /// Half to one and a half of a pause.
    fn jitter(&mut self, pause: i64) -> i64 {
        let part = i64::try_from(self.chance.below(1_001)).unwrap_or(500);
        pause / 2 + pause / 1_000 * part
    }
}

impl Connector {
    pub(super) fn link_due(&self) -> Option<i64> {
        match self.link.phase {
            Phase::Parked => None,
            Phase::Down { retry } => Some(retry),
            Phase::Connecting { until } | Phase::Shaking { until } | Phase::Beginning { until } => Some(until),
            Phase::Recovering | Phase::Up => {
                let wait = if self.link.pinged { self.config.timing.dead } else { self.config.timing.idle };
                Some(self.link.heard_at + wait)
            }
        }
    }

    pub(super) fn link_turn(&mut self) {
        let (now, timing) = (self.now.mono, self.config.timing);
        match self.link.phase {
            Phase::Down { retry } if retry <= now => {
                self.link.phase = Phase::Connecting { until: now.saturating_add(timing.attempt) };
                self.figures.attempts += 1;
                self.act(Action::Connect);
            }
            Phase::Connecting { until } | Phase::Shaking { until } | Phase::Beginning { until } if until <= now => {
                let reason = match self.link.phase {
                    Phase::Connecting { .. } => "no connection in time",
                    Phase::Shaking { .. } => "no handshake in time: the gateway may be frozen, or older than the versions that are offered",
                    _ => "the session did not begin in time: no accounts or no next order id came",
                };
                self.drop_link(reason, false);
            }
            Phase::Recovering | Phase::Up if self.link.heard_at + timing.dead <= now => {
                self.figures.frozen += 1;
                self.drop_link("nothing came from the gateway for too long: it is frozen, or the connection is half open", false);
            }
            Phase::Recovering | Phase::Up if !self.link.pinged && self.link.heard_at + timing.idle <= now => {
                self.link.pinged = true;
                self.looks.expect_time(0);
                self.pace.push(Class::First, Item::Plain(Box::new(Request::CurrentTime(RequestTime {}))));
            }
            _ => (),
        }
    }

    /// The connection that was asked for is there.
    pub fn connected(&mut self, now: Now) {
        self.pass(now);
        let Phase::Connecting { until } = self.link.phase else { return self.act(Action::Close) };
        self.link.phase = Phase::Shaking { until };
        let (min, max) = self.config.offer.versions();
        let mut bytes = Vec::new();
        put_offer(min, max, &mut bytes);
        self.act(Action::Send(bytes));
    }

    /// There is no connection. `refused`: the other side said so at once.
    pub fn failed(&mut self, now: Now, reason: &str, refused: bool) {
        self.pass(now);
        if matches!(self.link.phase, Phase::Connecting { .. }) {
            self.drop_link(reason, refused);
        }
        self.turn(now);
    }

    /// The connection has ended from the other side, or broke.
    pub fn lost(&mut self, now: Now, reason: &str) {
        self.pass(now);
        if !matches!(self.link.phase, Phase::Down { .. } | Phase::Parked) {
            self.drop_link(reason, false);
        }
        self.turn(now);
    }

    /// The desk wants it down, and down it stays until [`Connector::unpark`].
    pub fn park(&mut self, now: Now, reason: &str) {
        self.pass(now);
        // What somebody wrote about it stands in what is told of it, and not in the log of the process.
        self.let_go(reason, false, &"the desk took it down");
        self.link.phase = Phase::Parked;
        self.turn(now);
    }

    /// The desk wants it up again.
    pub fn unpark(&mut self, now: Now) {
        self.pass(now);
        if matches!(self.link.phase, Phase::Parked | Phase::Down { .. }) {
            self.link.phase = Phase::Down { retry: self.now.mono };
        }
        self.turn(now);
    }

    /// The answer to the handshake.
    pub(super) fn agreement(&mut self, body: &[u8]) {
        let (min, max) = self.config.offer.versions();
        let agreed = read_agreement(body).ok();
        let dialect =
            agreed.as_ref().and_then(|(version, _)| Dialect::of(*version)).filter(|dialect| (min..=max).contains(&dialect.version()));
        let (Some((_, time)), Some(dialect)) = (&agreed, dialect) else {
            let told = agreed.map_or_else(|| "no version".to_owned(), |(version, _)| format!("version {version}"));
            let reason = format!("the gateway answers with {told}, and {min} to {max} are offered; see the setting `dialect`");
            return self.drop_link(&reason, false);
        };
        self.ledger.zone = moment::zone_of(time);
        self.link.dialect = Some(dialect);
        let Phase::Shaking { until } = self.link.phase else { return };
        self.link.phase = Phase::Beginning { until };
        (self.link.accounts, self.link.has_next_id, self.link.line_lost) = (None, false, false);
        let start = StartApi { client_id: self.config.client_id, capabilities: String::new() };
        self.send_now(&Request::StartApi(start));
    }

    /// Accounts or the next order id have come: the session has begun once both have.
    pub(super) fn begun(&mut self) {
        if !matches!(self.link.phase, Phase::Beginning { .. }) || !self.link.has_next_id {
            return;
        }
        let Some(accounts) = &self.link.accounts else { return };
        if !accounts.contains(&self.config.account) {
            let reason = format!("the login does not have the account {}", self.config.account);
            return self.drop_link(&reason, false);
        }
        if !is_paper(&self.config.account) && !self.config.is_live {
            return self.drop_link("the account is a live account, which the settings do not allow", false);
        }
        self.figures.sessions += 1;
        self.link.phase = Phase::Recovering;
        self.link.unfinished = 0;
        self.link.heard_at = self.now.mono;
        self.link.look_after = self.stamp;
        self.feed.begin_anew(false);
        self.tell_missed();
        self.look_now();
    }

    /// The link is let go.
    pub(super) fn drop_link(&mut self, reason: &str, refused: bool) {
        self.let_go(reason, refused, &Quoted(reason));
    }

    /// [`Self::drop_link`] with what the log of the process says for a reason.
    fn let_go(&mut self, reason: &str, refused: bool, logged: &dyn Display) {
        let was_up = self.link.phase == Phase::Up && !self.link.line_lost;
        let timing = self.config.timing;
        let pause = if refused {
            self.link.failures = 0;
            timing.refused_pause / 2
        } else {
            let pause = timing.first_pause.saturating_mul(1 << self.link.failures.min(16)).min(timing.longest_pause);
            self.link.failures = self.link.failures.saturating_add(1);
            pause * 2 / 3
        };
        let retry = self.now.mono.saturating_add(self.link.jitter(pause));
        self.link.phase = Phase::Down { retry };
        reason.clone_into(&mut self.link.reason);
        (self.link.dialect, self.link.pinged, self.link.line_lost) = (None, false, false);
        self.act(Action::Close);
        for item in self.pace.clear() {
            self.give_up(item, "the session was lost before it left");
        }
        self.looks.clear();
        self.unanswered.clear();
        // Two looks without a trace are two of one session.
        self.absent.clear();
        self.feed.lost(&mut self.out);
        self.fail_questions(reason);
        self.fail_what_ifs(reason);
        self.run_failed(reason);
        if was_up {
            self.session_down(reason, logged);
        }
    }

    /// Orders may not be sent any more. `logged`: what the log of the process says for a reason.
    pub(super) fn session_down(&mut self, reason: &str, logged: &dyn Display) {
        self.figures.lost += 1;
        let is_expected = self.config.window.is_some_and(|window| window.contains(self.now.wall));
        if is_expected {
            tracing::info!(venue = %self.config.venue, reason = %logged, "the gateway is down, in its own hours");
        } else {
            tracing::warn!(venue = %self.config.venue, reason = %logged, "the gateway is down");
        }
        self.tell(None, ReportBody::SessionDown { reason: reason.to_owned() });
    }

    /// Everything was looked at: orders may be sent.
    pub(super) fn recovered(&mut self) {
        if self.link.phase == Phase::Recovering && !self.link.line_lost {
            self.link.phase = Phase::Up;
            (self.link.failures, self.link.unfinished) = (0, 0);
            self.link.reason.clear();
            self.is_fresh = false;
            tracing::info!(venue = %self.config.venue, "the gateway is reconciled");
            self.subscribe_all();
            self.run_after_recovery();
        }
    }

    /// The gate is shut until everything was looked at again.
    pub(super) fn recover_again(&mut self, reason: &str) {
        if self.link.phase == Phase::Up && !self.link.line_lost {
            self.session_down(reason, &Quoted(reason));
        }
        if self.link.is_working() {
            self.link.phase = Phase::Recovering;
            reason.clone_into(&mut self.link.reason);
            self.link.look_after = self.stamp;
            self.looks.whole = None;
            // What waits was let in through an open gate. Cancels still leave: they only take risk away.
            for place in self.pace.take_places(|_| true) {
                self.give_up(place, "the gate was shut before it left");
            }
            self.run_failed(reason);
        }
    }

    /// The gateway has lost the broker.
    pub(super) fn line_lost(&mut self, text: &str) {
        if !self.link.line_lost {
            self.recover_again(text);
            self.link.line_lost = true;
            // What it showed last is not what the market shows.
            self.feed.lost(&mut self.out);
        }
    }

    /// The gateway has the broker again.
    pub(super) fn line_back(&mut self, text: &str, data_lost: bool) {
        // Also where its loss was not told: both times everything is looked at.
        self.recover_again(text);
        self.link.line_lost = false;
        self.feed.begin_anew(!data_lost);
        self.look_now();
    }

    /// Something came.
    pub(super) fn is_alive(&mut self) {
        (self.link.heard_at, self.link.pinged) = (self.now.mono, false);
    }

    /// Something that waited does not leave.
    pub(super) fn give_up(&mut self, item: Item, reason: &str) {
        let (wire_id, intent) = match item {
            Item::Place { wire_id, .. } => {
                let intent = if wire_id.parts().is_some_and(|(_, revision)| revision == 0) { IntentKind::New } else { IntentKind::Replace };
                (wire_id, intent)
            }
            Item::Cancel { wire_id, .. } => (wire_id, IntentKind::Cancel),
            // Whoever asked is answered as the session ends, or as time passes.
            Item::Look { .. } | Item::WhatIf { .. } | Item::Plain(_) => return,
        };
        self.not_sent(wire_id, intent, reason);
    }

    pub(super) fn not_sent(&mut self, wire_id: WireId, intent: IntentKind, reason: &str) {
        self.figures.not_sent += 1;
        self.tell(None, ReportBody::NotSent { wire_id, intent, reason: reason.to_owned() });
    }

    /// Why orders may not be sent, if they may not.
    pub(super) fn gate(&self) -> Result<(), String> {
        match self.link.phase {
            _ if self.link.line_lost => Err("the gateway has lost the broker".to_owned()),
            Phase::Up => Ok(()),
            Phase::Recovering => Err("what there is at the gateway is being looked at".to_owned()),
            _ => Err(format!("the gateway is down: {}", self.link.reason)),
        }
    }

    pub(super) fn link_state(&self) -> LinkState {
        match self.link.phase {
            Phase::Parked => LinkState::Disconnected,
            Phase::Down { .. } | Phase::Connecting { .. } | Phase::Shaking { .. } | Phase::Beginning { .. } => LinkState::Connecting,
            _ if self.link.line_lost => LinkState::LineLost,
            Phase::Recovering => LinkState::Reconciling,
            Phase::Up => LinkState::Up,
        }
    }
}
