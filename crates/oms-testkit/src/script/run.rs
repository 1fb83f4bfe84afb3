//! Runs the lines of a script against a desk.

use super::parse::Line;
use crate::fixture::{Desk, USER};
use oms_engine::Output;
use oms_engine::input::InputBody;
use oms_model::command::{Command, CommandOutcome, NewOrder, OrderRef, Placed};
use oms_model::limit::Scope;
use oms_model::policy::{Exhausted, SorPolicy};
use oms_model::report::ReportBody;
use oms_model::{ClOrdId, Code, Mic, Order, OrderId, OverrideId, Price, Qty, QuoteId, QuoteReqId, UserId};
use std::collections::BTreeMap;

pub(super) struct Run {
    pub(super) desk: Desk,
    config: oms_engine::Config,
    pub(super) last_code: Option<Code>,
    execs: u64,
    /// Requests for quotes by the names that the script gives them, and quotes.
    pub(super) asked: BTreeMap<String, QuoteReqId>,
    pub(super) quoted: BTreeMap<String, QuoteId>,
    /// Overrides by the names that the script gives them.
    pub(super) granted: BTreeMap<String, OverrideId>,
    /// Orders that go in together with the next `submit-list`.
    pub(super) queued: Vec<NewOrder>,
}

impl Run {
    pub(super) fn new(desk: Desk) -> Self {
        Self {
            desk,
            config: oms_engine::Config::default(),
            last_code: None,
            execs: 0,
            asked: BTreeMap::new(),
            quoted: BTreeMap::new(),
            granted: BTreeMap::new(),
            queued: Vec::new(),
        }
    }

    pub(super) fn script(&mut self, script: &str) {
        for (number, text) in script.lines().enumerate() {
            let Some(line) = Line::parse(text) else { continue };
            let shown = format!("line {}: {}", number + 1, line.text);
            self.line(line, &shown);
            crate::fixture::assert_invariants(self.desk.engine.state(), &shown);
        }
    }

    fn line(&mut self, mut line: Line<'_>, shown: &str) {
        self.last_code = None;
        let verb = line.word();
        let subject = self.act(verb, &mut line);
        assert!(line.words.is_empty(), "{shown}: cannot read {:?}", line.words);
        self.expect(&subject, &mut line.expected, shown);
    }

    /// Does what a line says. What its expectation is about.
    fn act(&mut self, verb: &str, line: &mut Line<'_>) -> String {
        match verb {
            "quote" => self.quote(line),
            "submit" => self.submit(line),
            "trade" => self.trade(line),
            "lack-stops" => self.lacking(|venue| venue.lacks_stops = true),
            "lack-gtd" => self.lacking(|venue| venue.lacks_gtd = true),
            "queue" => self.queue(line),
            "submit-list" => self.submit_list(line),
            "cancel" | "replace" => self.change(verb, line),
            "suspend" | "resume" => self.switch(verb, line),
            "accept" | "claim" | "pass" | "split" | "hand" => self.care(verb, line),
            "up" => self.session(line, |_| ReportBody::SessionUp),
            "down" => self.session(line, |_| ReportBody::SessionDown { reason: "line lost".into() }),
            "restart" => self.restart(),
            "calendar" => {
                let listing: Mic = line.value();
                let calendar = oms_calendar::Calendar::parse(oms_calendar::shipped_text(line.word()).expect("it is shipped"));
                let calendars = std::sync::Arc::make_mut(&mut self.config.calendars);
                calendars.insert(listing, calendar.expect("it can be read"));
                self.desk.engine = oms_engine::Engine::new(self.desk.engine.state().clone(), self.config.clone());
                String::new()
            }
            "maintenance" => {
                // `maintenance XNAS mon-fri 20:00-20:30`, in UTC.
                let venue: Mic = line.value();
                let (days, hours) = (line.word(), line.word());
                let text = format!("market RESET A nightly reset\nzone UTC UTC0\nhours {days} core {hours}");
                let windows = oms_calendar::Calendar::parse(&text).expect("it can be read");
                std::sync::Arc::make_mut(&mut self.config.maintenance).insert(venue, windows);
                self.desk.engine = oms_engine::Engine::new(self.desk.engine.state().clone(), self.config.clone());
                String::new()
            }
            "at" => {
                let at: jiff::Timestamp = line.value();
                let at = oms_model::Time(i64::try_from(at.as_nanosecond()).expect("it is within our time"));
                self.desk.advance(at.since(self.desk.now));
                String::new()
            }
            "wait" => {
                let seconds: i64 = line.value();
                self.desk.advance(seconds * 1_000_000_000);
                String::new()
            }
            "back" => {
                // The clock outside goes back so many milliseconds behind the log.
                let ms: i64 = line.value();
                self.desk.now = self.desk.engine.state().time().plus(-ms * 1_000_000);
                String::new()
            }
            "later" => {
                let seconds: i64 = line.value();
                self.desk.now = self.desk.now.plus(seconds * 1_000_000_000);
                String::new()
            }
            "list" | "nav" => self.reference(verb, line),
            "ask" | "bid" | "take" | "withdraw" | "cancel-ask" => self.quoting(verb, line),
            "rfq" | "dealt" => format!("{verb} {}", line.word()),
            "kill" | "release" | "state" | "policy" => self.configure(verb, line),
            "order" => line.word().to_owned(),
            "position" => format!("position {}", line.word()),
            "open" | "suspense" | "exposure" => verb.to_owned(),
            _ => match self.books(verb, line).or_else(|| self.gate(verb, line)).or_else(|| self.leaves(verb, line)) {
                Some(subject) => subject,
                None => self.venue_says(verb, line),
            },
        }
    }

    fn quote(&mut self, line: &mut Line<'_>) -> String {
        let (venue, symbol): (Mic, &str) = (line.value(), line.word());
        let side = |line: &mut Line<'_>| {
            if line.take("-") {
                return None;
            }
            let price: Price = line.value();
            assert!(line.take("x"), "a size follows");
            Some((price, line.value::<Qty>()))
        };
        let bid = side(line);
        assert!(line.take("/"), "the offer follows");
        let ask = side(line);
        self.desk.quote(symbol, venue, bid, ask);
        String::new()
    }

    fn trade(&mut self, line: &mut Line<'_>) -> String {
        let (symbol, price): (&str, Price) = (line.word(), line.value());
        assert!(line.take("x"), "a size follows");
        self.desk.trade(symbol, price, line.value());
        String::new()
    }

    /// Reference data: an instrument of a class, a fund's value.
    fn reference(&mut self, verb: &str, line: &mut Line<'_>) -> String {
        let command = if verb == "list" {
            let mut instrument = crate::fixture::instrument_of(line.value(), line.word(), self.desk.now);
            while let Some(word) = line.words.pop_front() {
                match word {
                    "multiplier" => instrument.multiplier = Some(line.value()),
                    "expires" => instrument.expiry = Some(self.desk.now.plus(line.value::<i64>() * 1_000_000_000)),
                    "perpetual" => instrument.expiry = None,
                    other => panic!("cannot read {other:?}"),
                }
            }
            Command::ListInstrument(Box::new(instrument))
        } else {
            let (symbol, nav) = (line.value(), line.value());
            let ago: i64 = if line.take("ago") { line.value() } else { 0 };
            Command::SetNav { symbol, nav, as_of: self.desk.now.plus(-ago * 1_000_000_000) }
        };
        let output = self.desk.command(command);
        self.remember(&output);
        String::new()
    }

    pub(super) fn remember(&mut self, output: &Output) {
        self.last_code = match &output.outcome {
            Some(CommandOutcome::Refused(refusal)) => Some(refusal.code),
            Some(CommandOutcome::Orders(placed)) => placed.iter().find_map(|placed| match placed {
                Placed::Accepted { .. } => None,
                Placed::Refused { code, .. } => Some(*code),
                Placed::Invalid(refusal) => Some(refusal.code),
            }),
            Some(_) | None => None,
        };
    }

    fn restart(&mut self) -> String {
        let parts = self.desk.engine.state().parts();
        let state = oms_engine::State::from_parts(parts.clone());
        assert_eq!(state.parts(), parts, "a state survives its own parts");
        let watched = |state: &oms_engine::State| state.watched().collect::<std::collections::BTreeSet<_>>();
        assert_eq!(watched(&state), watched(self.desk.engine.state()), "what is watched follows from the orders");
        self.desk.engine = oms_engine::Engine::new(state, self.config.clone());
        self.desk.input(crate::fixture::actor(), InputBody::Recovered);
        String::new()
    }

    fn configure(&mut self, verb: &str, line: &mut Line<'_>) -> String {
        let reason = "script".to_owned();
        let command = match verb {
            "state" => {
                let state = line.value();
                let scope = line.words.pop_front().map_or(Scope::Tenant, |word| self.scope(word));
                Command::SetTradingState { scope, state, reason }
            }
            "policy" => Command::SetSorPolicy(Box::new(policy(line))),
            _ => {
                let scope = line.words.pop_front().map_or(Scope::Tenant, |word| self.scope(word));
                if verb == "kill" { Command::EngageKillSwitch { scope, reason } } else { Command::ReleaseKillSwitch { scope, reason } }
            }
        };
        let output = self.desk.command(command);
        self.remember(&output);
        self.desk.advance(0);
        String::new()
    }

    /// The order that a word names: a client's by its id, a part of it by its place from 1, as in `A1.2` or `A1.2.1`.
    pub(super) fn node(&self, word: &str) -> Option<&Order> {
        let state = self.desk.engine.state();
        if let Some(order) = state.find(&OrderRef::ClOrdId(ClOrdId::new(word).unwrap())) {
            return Some(order);
        }
        let (above, place) = word.rsplit_once('.')?;
        let place: usize = place.parse().unwrap_or_else(|_| panic!("{word:?} names no part"));
        let above = self.node(above)?;
        let id = above.children.get(place - 1).unwrap_or_else(|| panic!("{word} is not there: there are {}", above.children.len()));
        state.order(*id)
    }

    /// The order that a word names, for a command.
    pub(super) fn order_ref(&self, word: &str) -> OrderRef {
        self.node(word)
            .filter(|order| !order.is_root())
            .map_or_else(|| OrderRef::ClOrdId(ClOrdId::new(word).unwrap()), |part| OrderRef::Id(part.order_id))
    }

    /// The leg that a word names; with the client's order.
    pub(super) fn leg(&self, word: &str) -> (String, OrderId, Mic, u32) {
        let (id, _) = word.split_once('.').unwrap_or_else(|| panic!("{word:?} names no leg"));
        let leg = self.node(word).unwrap_or_else(|| panic!("there is no leg {word}"));
        (id.to_owned(), leg.order_id, leg.venue.unwrap_or_else(|| panic!("{word} is no leg")), leg.revision)
    }

    /// The number of the next execution, reversal or correction of the script.
    pub(super) fn next_exec(&mut self) -> u64 {
        self.execs += 1;
        self.execs
    }
}

/// A user by name; `nobody` is none.
pub(super) fn user(name: &str) -> UserId {
    match name {
        "nobody" => UserId::default(),
        "me" => USER,
        name => UserId::from_u128(USER.as_u128() + 1 + name.bytes().map(u128::from).sum::<u128>()),
    }
}

fn policy(line: &mut Line<'_>) -> SorPolicy {
    let mut policy = SorPolicy { name: line.value(), mode: line.value(), ..SorPolicy::default() };
    while let Some(word) = line.words.pop_front() {
        match word {
            "replans" => policy.max_replans = line.value(),
            "stage" => policy.stage_timeout_ns = line.value::<u64>() * 1_000_000_000,
            "order" => policy.allow = line.words.drain(..).map(|mic| mic.parse().unwrap()).collect(),
            "rest" => policy.exhausted = Exhausted::Rest,
            "no-cap" => policy.cap_to_displayed = false,
            other => panic!("cannot read {other:?}"),
        }
    }
    policy
}
