//! Runs the lines of a script against a desk.

use super::parse::Line;
use crate::fixture::{ACCOUNT, Desk, USER, VENUES};
use oms_engine::Output;
use oms_engine::input::InputBody;
use oms_model::algo::{AlgoParams, CurvePart, Peg};
use oms_model::command::{Actor, Change, Command, CommandOutcome, NewOrder, NewPart, NewQuote, NewQuoteRequest, OrderRef, Placed};
use oms_model::limit::Scope;
use oms_model::order::Routing;
use oms_model::policy::{Exhausted, SorPolicy};
use oms_model::report::{ReportBody, VenueFill};
use oms_model::{
    ClOrdId, Code, ExecId, IntentKind, Liquidity, Mic, OrdType, Order, OrderId, OverrideId, Price, Qty, QuoteId, QuoteRef, QuoteReqId,
    Side, SorMode, TimeInForce, UserId, WireId,
};
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
    queued: Vec<NewOrder>,
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

    /// No venue has something of its own any more.
    fn lacking(&mut self, lack: impl Fn(&mut oms_model::instrument::Venue)) -> String {
        for venue in VENUES {
            let mut lacking = crate::fixture::configured(venue);
            lack(&mut lacking);
            self.desk.command(Command::ConfigureVenue(Box::new(lacking)));
        }
        String::new()
    }

    fn submit(&mut self, line: &mut Line<'_>) -> String {
        let (id, order) = self.new_order(line);
        let output = self.desk.command(Command::CreateOrder(Box::new(order)));
        self.remember(&output);
        id
    }

    fn queue(&mut self, line: &mut Line<'_>) -> String {
        let (id, order) = self.new_order(line);
        self.queued.push(order);
        id
    }

    fn submit_list(&mut self, line: &mut Line<'_>) -> String {
        let contingency = line.value();
        let arm = line.words.pop_front().map_or_else(Default::default, |word| word.parse().unwrap());
        let orders = std::mem::take(&mut self.queued);
        let output = self.desk.command(Command::CreateOrderList { orders, contingency, arm });
        self.remember(&output);
        String::new()
    }

    fn new_order(&self, line: &mut Line<'_>) -> (String, NewOrder) {
        let id = line.word().to_owned();
        let side = match line.word() {
            "buy" => Side::Buy,
            "sell" => Side::Sell,
            "short" => Side::SellShort,
            "exempt" => Side::SellShortExempt,
            "subscribe" => Side::Subscribe,
            "redeem" => Side::Redeem,
            other => panic!("{other:?} is no side"),
        };
        let cash_order_qty = line.take("cash").then(|| line.value());
        let order_qty = if cash_order_qty.is_some() { Qty::ZERO } else { line.value() };
        let mut order = NewOrder {
            cl_ord_id: Some(ClOrdId::new(&id).unwrap()),
            side,
            order_qty,
            cash_order_qty,
            symbol: line.value(),
            ..NewOrder::default()
        };
        while let Some(word) = line.words.pop_front() {
            self.submit_word(word, line, &mut order);
        }
        let named = order.ord_type;
        order.ord_type = match (order.price.is_some(), order.stop_px.is_some()) {
            (false, false) => OrdType::Market,
            (true, false) => OrdType::Limit,
            (false, true) => OrdType::Stop,
            (true, true) => OrdType::StopLimit,
        };
        if named != OrdType::default() {
            order.ord_type = named;
        }
        (id, order)
    }

    fn submit_word(&self, word: &str, line: &mut Line<'_>, order: &mut NewOrder) {
        match word {
            "@" => order.price = Some(line.value()),
            "stop" => order.stop_px = Some(line.value()),
            "at" => order.routing = Routing { mode: Some(SorMode::Named), venue: Some(line.value()), policy: None, care: false },
            "policy" => order.routing.policy = Some(line.value()),
            "for" => {
                let other = line.word() == "other";
                order.account_id = Some(if other { crate::fixture::OTHER_ACCOUNT } else { ACCOUNT });
            }
            "CARE" => order.routing.care = true,
            "strategy" => order.compliance.strategy = Some(line.value()),
            "acknowledged" => order.compliance.acknowledged = true,
            "leave" => order.compliance.override_ids.push(self.leave(line.word())),
            "by" => order.instructions.trigger_source = Some(line.value()),
            "emulated" => order.instructions.emulate = true,
            "show" => order.instructions.max_floor = Some(line.value()),
            "after" => order.instructions.good_after = Some(self.desk.now.plus(line.value::<i64>() * 1_000_000_000)),
            "trail" | "offset" => trail(word, line.word(), order),
            "peg" => order.instructions.peg = Some(Peg { reference: line.value(), ..Peg::default() }),
            "algo" => order.instructions.algo = Some(self.algo(line)),
            _ if word.parse::<OrdType>().is_ok() => order.ord_type = word.parse().unwrap(),
            _ if word.starts_with("GTD+") => {
                let seconds: i64 = word.trim_start_matches("GTD+").parse().unwrap();
                order.time_in_force = TimeInForce::Gtd;
                order.expire_at = Some(self.desk.now.plus(seconds * 1_000_000_000));
            }
            _ => match word.parse::<TimeInForce>() {
                Ok(tif) => order.time_in_force = tif,
                Err(_) => order.routing.mode = Some(word.parse().unwrap_or_else(|_| panic!("cannot read {word:?}"))),
            },
        }
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

    /// Requests for quotes, quotes and their acceptance.
    fn quoting(&mut self, verb: &str, line: &mut Line<'_>) -> String {
        let name = line.word().to_owned();
        let command = match verb {
            "ask" => Command::RequestQuote(Box::new(asked(line))),
            "bid" => Command::SubmitQuote(Box::new(self.quote_of(&name, line))),
            "take" => {
                let quote_id = self.quoted.get(&name).copied().unwrap_or_default();
                let cl_ord_id = Some(ClOrdId::new(line.word()).unwrap());
                let side = if line.take("buy") { Some(Side::Buy) } else { line.take("sell").then_some(Side::Sell) };
                let order_qty = line.take("qty").then(|| line.value());
                let subject = cl_ord_id.as_ref().map(ToString::to_string).unwrap_or_default();
                let output = self.desk.command(Command::AcceptQuote { quote_id, side, order_qty, cl_ord_id });
                self.remember(&output);
                return subject;
            }
            "withdraw" => {
                let quote_id = self.quoted.get(&name).copied().unwrap_or_default();
                Command::WithdrawQuote { quote_id, dealer: line.value(), text: line.rest() }
            }
            _ => Command::CancelQuoteRequest { quote_req_id: self.asked.get(&name).copied().unwrap_or_default() },
        };
        let output = self.desk.command(command);
        self.remember(&output);
        match output.outcome {
            Some(CommandOutcome::QuoteRequested { quote_req_id }) => drop(self.asked.insert(name.clone(), quote_req_id)),
            Some(CommandOutcome::QuoteReceived { quote_id }) => drop(self.quoted.insert(name.clone(), quote_id)),
            _ => (),
        }
        let kind = if matches!(verb, "ask" | "cancel-ask") { "rfq" } else { "dealt" };
        format!("{kind} {name}")
    }

    fn quote_of(&self, name: &str, line: &mut Line<'_>) -> NewQuote {
        let request = line.word();
        let mut quote = NewQuote {
            quote_req_id: self.asked.get(request).copied().unwrap_or_default(),
            dealer: line.value(),
            quote_ref: QuoteRef::new(name).unwrap(),
            ..NewQuote::default()
        };
        if !line.take("-") {
            quote.bid_px = Some(line.value());
            assert!(line.take("x"), "a size follows");
            quote.bid_size = line.value();
        }
        assert!(line.take("/"), "the offer follows");
        if !line.take("-") {
            quote.offer_px = Some(line.value());
            assert!(line.take("x"), "a size follows");
            quote.offer_size = line.value();
        }
        assert!(line.take("for"), "a life follows");
        quote.life_ms = line.value();
        quote.replaces = line.take("replaces").then(|| self.quoted.get(line.word()).copied().unwrap_or_default());
        quote
    }

    /// An algorithm like `TWAP slices=4 end=240`; times in seconds from now, parts in parts per million.
    fn algo(&self, line: &mut Line<'_>) -> AlgoParams {
        let mut algo = AlgoParams { algo: line.value(), ..AlgoParams::default() };
        while let Some((name, value)) = line.words.front().and_then(|word| word.split_once('=')) {
            line.words.pop_front();
            let seconds = || value.parse::<i64>().unwrap() * 1_000_000_000;
            match name {
                "start" => algo.start = self.desk.now.plus(seconds()),
                "end" => algo.end = self.desk.now.plus(seconds()),
                "interval" => algo.interval_ns = seconds(),
                "slices" => algo.slices = value.parse().unwrap(),
                "slice" => algo.slice_qty = value.parse().unwrap(),
                "variance" => algo.variance_ppm = value.parse().unwrap(),
                "most" => algo.max_participation_ppm = value.parse().unwrap(),
                "least" => algo.min_participation_ppm = value.parse().unwrap(),
                "urgency" => algo.urgency_ppm = value.parse().unwrap(),
                "volume" => algo.expected_volume = value.parse().unwrap(),
                "curve" => algo.curve = value.split(',').map(|weight| CurvePart { weight: weight.parse().unwrap() }).collect(),
                "peg" => algo.peg = Some(Peg { reference: value.parse().unwrap(), ..Peg::default() }),
                "leftover" => algo.leftover = value.parse().unwrap(),
                "seed" => algo.seed = value.parse().unwrap(),
                other => panic!("cannot read {other:?}"),
            }
        }
        algo
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

    fn change(&mut self, verb: &str, line: &mut Line<'_>) -> String {
        let id = line.word().to_owned();
        let (mut change, mut if_version, mut by, mut named) = (Change::default(), None, USER, None);
        while let Some(word) = line.words.pop_front() {
            match word {
                "as" => named = Some(line.value()),
                "qty" => change.order_qty = Some(line.value()),
                "price" => change.price = Some(line.value()),
                "stop" => change.stop_px = Some(line.value()),
                "if" => if_version = Some(line.value()),
                "by" => by = user(line.word()),
                other => panic!("cannot read {other:?}"),
            }
        }
        let order = self.order_ref(&id);
        let command =
            if verb == "cancel" { Command::CancelOrder { order, if_version } } else { Command::ReplaceOrder { order, change, if_version } };
        let command = match named {
            Some(cl_ord_id) => Command::Named { cl_ord_id, request: Box::new(command) },
            None => command,
        };
        let actor = Actor { user_id: by, ..crate::fixture::actor() };
        let output = self.desk.input(actor, InputBody::Command { command, idempotency: None });
        self.remember(&output);
        id
    }

    fn switch(&mut self, verb: &str, line: &mut Line<'_>) -> String {
        let id = line.word().to_owned();
        let (order, if_version) = (self.order_ref(&id), None);
        let command =
            if verb == "suspend" { Command::SuspendOrder { order, if_version } } else { Command::ResumeOrder { order, if_version } };
        let output = self.desk.command(command);
        self.remember(&output);
        id
    }

    /// What a desk does with a care order.
    fn care(&mut self, verb: &str, line: &mut Line<'_>) -> String {
        let id = line.word().to_owned();
        let order = self.order_ref(&id);
        let mut parts = Vec::new();
        let (mut to, mut by) = (None, USER);
        while let Some(word) = line.words.pop_front() {
            match word {
                "by" => by = user(line.word()),
                "to" => to = Some(user(line.word())).filter(|user| *user != UserId::default()),
                _ if verb == "split" => parts.push(self.part(word, line)),
                other => panic!("cannot read {other:?}"),
            }
        }
        let if_version = None;
        let command = match verb {
            "accept" => Command::AcceptOrder { order, if_version },
            "claim" => Command::ClaimOrder { order, if_version },
            "pass" => Command::PassOrder { order, to, text: "as the script says".to_owned(), if_version },
            "split" => Command::SplitOrder { order, parts, if_version },
            _ => Command::ReleaseOrder { order, if_version },
        };
        let actor = Actor { user_id: by, ..crate::fixture::actor() };
        let output = self.desk.input(actor, InputBody::Command { command, idempotency: None });
        self.remember(&output);
        id
    }

    /// A part like `40 @ 19.99 IOC at XNAS`, up to the next `+`.
    fn part(&self, qty: &str, line: &mut Line<'_>) -> NewPart {
        let mut part = NewPart { order_qty: qty.parse().unwrap(), ..NewPart::default() };
        while let Some(word) = line.words.pop_front() {
            match word {
                "+" => return part,
                "id" => part.cl_ord_id = Some(line.value()),
                "@" => (part.ord_type, part.price) = (Some(OrdType::Limit), Some(line.value())),
                "market" => part.ord_type = Some(OrdType::Market),
                "at" => (part.routing.mode, part.routing.venue) = (Some(SorMode::Named), Some(line.value())),
                "CARE" => part.routing.care = true,
                "by" => {
                    line.words.push_front(word);
                    return part;
                }
                _ => match word.parse::<TimeInForce>() {
                    Ok(tif) => part.time_in_force = Some(tif),
                    Err(_) => part.routing.mode = Some(word.parse().unwrap_or_else(|_| panic!("cannot read {word:?}"))),
                },
            }
        }
        part
    }

    fn session(&mut self, line: &mut Line<'_>, body: impl Fn(Mic) -> ReportBody) -> String {
        let venue: Mic = line.value();
        self.desk.report(venue, body(venue));
        String::new()
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
    fn order_ref(&self, word: &str) -> OrderRef {
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

    fn venue_says(&mut self, verb: &str, line: &mut Line<'_>) -> String {
        let (id, leg, venue, revision) = self.leg(line.word());
        let (order, request) = (WireId::derive(leg, 0), WireId::derive(leg, revision));
        let body = match verb {
            "ack" => ReportBody::Accepted { wire_id: order, broker_order_id: None },
            "reject" => ReportBody::Rejected { wire_id: order, text: line.rest() },
            "fill" => ReportBody::Fill { wire_id: order, fill: self.fill(line) },
            "expire" => ReportBody::Expired { wire_id: order },
            "cancel-ack" => ReportBody::Canceled { wire_id: request, text: line.rest() },
            "cancel-unasked" => ReportBody::Canceled { wire_id: order, text: line.rest() },
            "cancel-reject" => ReportBody::CancelRejected { wire_id: request, text: line.rest() },
            "replace-ack" => ReportBody::Replaced { wire_id: request, order_qty: line.take("at").then(|| line.value()) },
            "replace-reject" => ReportBody::ReplaceRejected { wire_id: request, text: line.rest() },
            "unknown" | "not-sent" | "resolve" => {
                let intent: IntentKind = line.word().to_ascii_uppercase().parse().unwrap();
                let wire_id = if intent == IntentKind::New { order } else { request };
                let reason = "as the script says".to_owned();
                match verb {
                    "unknown" => ReportBody::Unknown { wire_id, intent, reason },
                    "not-sent" => ReportBody::NotSent { wire_id, intent, reason },
                    _ => {
                        let outcome = line.value();
                        ReportBody::Resolved { wire_id, intent, outcome, broker_order_id: None, evidence: reason }
                    }
                }
            }
            other => panic!("{other:?} is no verb"),
        };
        self.desk.report(venue, body);
        id
    }

    fn fill(&mut self, line: &mut Line<'_>) -> VenueFill {
        let last_qty = line.value();
        assert!(line.take("@"), "a price follows");
        let last_px = line.value();
        let own = format!("E{}", self.next_exec());
        let exec_id = if line.take("exec") { line.word().to_owned() } else { own };
        VenueFill {
            exec_id: ExecId::new(&exec_id).unwrap(),
            last_qty,
            last_px,
            liquidity: Liquidity::Removed,
            fee_per_unit: crate::fixture::dec("0.003"),
        }
    }
}

/// `trail 0.50`, `trail 1%` or `offset 0.10`.
fn trail(word: &str, value: &str, order: &mut NewOrder) {
    let trail = order.instructions.trail.get_or_insert_default();
    match value.strip_suffix('%') {
        Some(percent) => trail.ppm = percent.parse::<u32>().unwrap() * 10_000,
        None if word == "trail" => trail.amount = value.parse().unwrap(),
        None => trail.limit_offset = value.parse().unwrap(),
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

fn asked(line: &mut Line<'_>) -> NewQuoteRequest {
    let side = match line.word() {
        "buy" => Some(Side::Buy),
        "sell" => Some(Side::Sell),
        "both" => None,
        other => panic!("{other:?} is no side"),
    };
    let mut new = NewQuoteRequest { side, order_qty: line.value(), symbol: line.value(), ..NewQuoteRequest::default() };
    assert!(line.take("for"), "a life follows");
    new.life_ms = line.value();
    while line.take("of") {
        new.dealers.push(line.value());
    }
    new
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
