//! Rules in shadow over a recorded market: what they say they would have refused is what they refuse where they are live.
//!
//! The market is the slice that ships with the product. Orders come from a seed. Venues fill without moving the market,
//! so that what became of one order says nothing about the next, and two runs of the day can be compared.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking, with the place and the reason")]

use oms_engine::shadow::{Affected, Difference, Shadow, rules};
use oms_engine::{Output, State};
use oms_model::command::{Actor, Change, Command, CommandOutcome, NewOrder, OrderRef, RiskCommand};
use oms_model::compliance::{ListKind, Restriction, SelfMatchPolicy};
use oms_model::event::{Batch, Event};
use oms_model::limit::{LimitType, RiskLimit, Scope};
use oms_model::policy::SorPolicy;
use oms_model::report::{ReportBody, VenueFill};
use oms_model::{
    Code, EndedBy, ExecId, InstrumentId, IntentKind, Liquidity, OrdState, OrdType, OrderId, Price, Qty, RuleSetName, Side, Source,
    TimeInForce,
};
use oms_runtime::snapshot;
use oms_testkit::fixture::{ACCOUNT, Desk, OTHER_USER, TENANT, actor, configured, dec, instrument, lent, limit_order};
use oms_venues::replay::{Recording, Replay, Speed, TickKind};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many questions a day has.
const QUESTIONS: usize = 800;

/// The names of this test's orders and the codes that they were refused with.
type Refusals = BTreeMap<String, Code>;

/// A desk on a recorded market.
struct Day {
    desk: Desk,
    symbols: Vec<String>,
    batches: Vec<Batch>,
    execs: u64,
    word: u64,
    /// Whether orders are replaced too. A replace that would have been refused is followed as it went, so that two runs
    /// of a day with replaces are not the same day.
    replaces: bool,
}

impl Day {
    fn new(seed: u64, recording: &Recording) -> Self {
        let mut desk = Desk::new();
        for &venue in recording.venues() {
            desk.command(Command::ConfigureVenue(Box::new(configured(venue))));
            desk.report(venue, ReportBody::SessionUp);
        }
        let symbols: Vec<String> = recording.symbols().iter().map(ToString::to_string).collect();
        for symbol in &symbols {
            desk.command(Command::ListInstrument(Box::new(instrument(symbol))));
            let id = desk.engine.state().by_symbol(&symbol.parse().unwrap()).unwrap().instrument_id;
            desk.command(lent(ACCOUNT, id));
        }
        // Wide enough to refuse nothing, and there, so that positions are valued in both runs.
        desk.command(limit(LimitType::DailyLoss, Scope::Tenant, "1000000000"));
        Self { desk, symbols, batches: Vec::new(), execs: 0, word: seed, replaces: false }
    }

    fn draw(&mut self, below: u64) -> u64 {
        self.word = self.word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.word >> 33) % below
    }

    fn note(&mut self, output: Output) -> Output {
        self.batches.extend((!output.batch.events.is_empty()).then(|| output.batch.clone()));
        output
    }

    fn instrument(&self, symbol: usize) -> InstrumentId {
        self.desk.engine.state().by_symbol(&self.symbols[symbol].parse().unwrap()).unwrap().instrument_id
    }

    /// One tick of the recorded market, and what the venues do about it.
    fn tick(&mut self, tick: oms_venues::replay::Tick) {
        let at = self.desk.now;
        let outputs = self.desk.advance(tick.at.since(at));
        for output in outputs {
            self.note(output);
        }
        let id = self.instrument(tick.symbol);
        let now = self.desk.now;
        let market = self.desk.markets.0.entry(id).or_default();
        match tick.kind {
            TickKind::Quote { venue, side, shown } => {
                let level = shown.map(|shown| oms_model::market::Level { price: shown.price, size: shown.size, at: now });
                market.set_quote(venue, side == Side::Buy, level);
            }
            TickKind::Trade { traded, last_sale: true, .. } => market.set_last(traded.price, traded.size, now),
            TickKind::Trade { .. } => (),
        }
        if market.bid.zip(market.ask).is_some_and(|(bid, ask)| bid.price < ask.price) {
            self.serve();
        }
    }

    /// The venues take what they were sent, and fill what the best quote reaches, wholly and at that quote.
    fn serve(&mut self) {
        let legs: Vec<OrderId> = {
            let all = self.desk.engine.state().orders_sorted();
            all.into_iter().map(|entry| &entry.order).filter(|o| o.is_leg() && !o.state.is_done()).map(|o| o.order_id).collect()
        };
        for id in legs {
            let entry = self.desk.engine.state().entry(id).unwrap();
            let (leg, asked) = (entry.order.clone(), entry.request());
            let (venue, wire_id) = (leg.venue.unwrap(), leg.wire_id(leg.revision));
            let body = match asked {
                Some((IntentKind::Replace, _)) => Some(ReportBody::Replaced { wire_id, order_qty: None }),
                Some(_) => Some(ReportBody::Canceled { wire_id, text: "asked for".into() }),
                None if leg.state == OrdState::Unack => Some(ReportBody::Accepted { wire_id, broker_order_id: None }),
                None => None,
            };
            if let Some(body) = body {
                let output = self.desk.report(venue, body);
                self.note(output);
            }
            self.fill(id);
        }
    }

    fn fill(&mut self, id: OrderId) {
        let Some(leg) = self.desk.engine.state().order(id).filter(|leg| !leg.state.is_done()).cloned() else { return };
        let market = &self.desk.markets.0[&leg.instrument_id];
        let met = if leg.side.is_buy() { market.ask } else { market.bid };
        let reaches = |px: Price| leg.price.is_none_or(|limit| if leg.side.is_buy() { limit >= px } else { limit <= px });
        let Some(px) = met.map(|level| level.price).filter(|px| reaches(*px)) else {
            if matches!(leg.time_in_force, TimeInForce::Ioc) {
                let output = self.desk.report(leg.venue.unwrap(), ReportBody::Canceled { wire_id: leg.wire_id(0), text: "IOC".into() });
                self.note(output);
            }
            return;
        };
        self.execs += 1;
        let fill = VenueFill {
            exec_id: ExecId::new(&format!("E{}", self.execs)).unwrap(),
            last_qty: leg.open_qty(),
            last_px: px,
            liquidity: Liquidity::Removed,
            fee_per_unit: dec("0.003"),
        };
        let output = self.desk.report(leg.venue.unwrap(), ReportBody::Fill { wire_id: leg.wire_id(leg.revision), fill });
        self.note(output);
    }

    /// One client's question. It depends on the seed and the market alone.
    fn ask(&mut self, number: usize) {
        let (symbol, kind) = (self.draw(3) as usize, self.draw(10));
        let (qty, away, by_other, side) = (self.draw(40) * 100 + 100, self.draw(30), self.draw(3) == 0, self.draw(2) == 0);
        let earlier = self.draw(20) as usize;
        let by = Actor { user_id: if by_other { OTHER_USER } else { actor().user_id }, ..actor() };
        let id = self.instrument(symbol);
        let market = self.desk.markets.0.get(&id).cloned().unwrap_or_default();
        let Some((bid, ask)) = market.bid.zip(market.ask).filter(|(bid, ask)| bid.price < ask.price) else { return };
        let side = if side { Side::Buy } else { Side::Sell };
        let (near, away) = (if side == Side::Buy { ask.price } else { bid.price }, i64::try_from(away).unwrap() * 10_000_000);
        // Some wait, some trade at once, a few are far from the market.
        let price = Price::from_raw(near.raw() + if side == Side::Buy { 20_000_000 - away } else { away - 20_000_000 });
        let command = match kind {
            0 if number > 30 => {
                let order = OrderRef::ClOrdId(format!("A{}", number - earlier - 1).parse().unwrap());
                Command::CancelOrder { order, if_version: None }
            }
            1 if number > 30 && self.replaces => {
                let order = OrderRef::ClOrdId(format!("A{}", number - earlier - 1).parse().unwrap());
                Command::ReplaceOrder {
                    order,
                    change: Change { order_qty: Some(dec(&qty.to_string())), ..Change::default() },
                    if_version: None,
                }
            }
            _ => {
                let mut order = limit_order(&format!("A{number}"), side, &qty.to_string(), &self.symbols[symbol], "1");
                order.price = Some(price);
                if kind == 2 {
                    (order.ord_type, order.price) = (OrdType::Market, None);
                }
                Command::CreateOrder(Box::new(order))
            }
        };
        let output = self.desk.input(by, oms_engine::input::InputBody::Command { command, idempotency: None });
        self.note(output);
        self.serve();
    }

    /// The day from here on: one question every few ticks.
    fn run(&mut self, recording: &Arc<Recording>, questions: usize) {
        let mut replay = Replay::new(Arc::clone(recording), self.desk.now, Speed::AsFastAsPossible, false);
        let mut asked = 0;
        for nth in 0_u64.. {
            let Some(due) = replay.next_due().filter(|_| asked < questions) else { break };
            let Some(tick) = replay.pop(due) else { continue };
            self.tick(tick);
            if nth > 300 && nth % 5 == 0 {
                self.ask(asked);
                asked += 1;
            }
        }
        assert_eq!(asked, questions, "the recording is long enough");
    }

    /// What the gate refused, new orders only.
    fn refusals(&self) -> Refusals {
        let mut names = BTreeMap::new();
        let mut refused = Refusals::new();
        for event in self.batches.iter().flat_map(|batch| &batch.events) {
            match event {
                Event::OrderCreated(e) => drop(names.insert(e.order_id, e.cl_ord_id.to_string())),
                Event::OrderRejected(e) if e.by == EndedBy::Risk => drop(refused.insert(names[&e.order_id].clone(), e.code)),
                _ => (),
            }
        }
        refused
    }
}

fn limit(limit_type: LimitType, scope: Scope, value: &str) -> Command {
    Command::SetRiskLimit(RiskLimit { limit_type, scope, value: dec(value), ..RiskLimit::default() })
}

fn restricted(scope: Scope, subject: Scope) -> Command {
    let list = ListKind::Restricted;
    Command::Risk(Box::new(RiskCommand::SetRestriction(Restriction { list, scope, subject, reason: "earnings".into() })))
}

fn follow(begun: State, batches: &[Batch], commands: Vec<Command>) -> (Vec<Affected>, Shadow) {
    let rules = rules(&begun, commands).unwrap();
    let mut shadow = Shadow::begin(begun, rules);
    let mut found = Vec::new();
    for batch in batches {
        shadow.follow(batch, &mut found);
    }
    (found, shadow)
}

/// Runs the day twice, and the rules beside the first run. What they say and what they do.
fn both(seed: u64, tightened: &[Command]) -> (Refusals, Refusals) {
    let recording = Arc::new(Recording::embedded().unwrap());
    let mut loose = Day::new(seed, &recording);
    let begun = loose.desk.engine.state().clone();
    loose.run(&recording, QUESTIONS);
    let (found, shadow) = follow(begun, &loose.batches, tightened.to_vec());
    assert_eq!(shadow.last_seq(), loose.desk.engine.state().last_seq());

    let mut tight = Day::new(seed, &recording);
    for command in tightened {
        let output = tight.desk.command(command.clone());
        assert!(matches!(output.outcome, Some(CommandOutcome::Done)), "{output:?}");
    }
    tight.run(&recording, QUESTIONS);

    let before = loose.refusals();
    let mut says = Refusals::new();
    for affected in &found {
        match &affected.difference {
            Difference::Refused(refused) => {
                says.insert(affected.order.cl_ord_id.to_string(), refused.code);
            }
            Difference::ReplaceRefused(..) => (),
            other => panic!("tighter rules only refuse: {other:?}"),
        }
    }
    let does = tight.refusals().into_iter().filter(|(name, _)| !before.contains_key(name)).collect();
    (says, does)
}

/// Holds that two lists are one, and names a few orders where they are not.
fn assert_same(says: &Refusals, does: &Refusals, place: &str) {
    let names: BTreeSet<&String> = says.keys().chain(does.keys()).collect();
    let differ = names.into_iter().filter(|name| says.get(*name) != does.get(*name));
    let few: Vec<_> = differ.take(5).map(|name| (name, says.get(name), does.get(name))).collect();
    assert!(few.is_empty(), "{place}: of {} said and {} done: {few:?}", says.len(), does.len());
}

#[test]
fn tightened_limits_in_shadow_tell_what_they_refuse_live() {
    let aig = InstrumentId(2);
    let each: [(&str, Vec<Command>); 9] = [
        ("quantity", vec![limit(LimitType::MaxOrderQty, Scope::Tenant, "3000")]),
        ("value of one user", vec![limit(LimitType::MaxOrderNotional, Scope::User(OTHER_USER), "60000")]),
        ("collar", vec![limit(LimitType::PriceCollarPct, Scope::Tenant, "0.3")]),
        ("rate", vec![limit(LimitType::OrderRate, Scope::Account(ACCOUNT), "3")]),
        ("open orders", vec![limit(LimitType::MaxOpenOrders, Scope::Account(ACCOUNT), "25")]),
        ("open value", vec![limit(LimitType::MaxOpenNotional, Scope::Tenant, "1500000")]),
        ("position", vec![limit(LimitType::MaxPositionQty, Scope::Instrument(aig), "9000")]),
        ("gross exposure", vec![limit(LimitType::MaxGrossExposure, Scope::Account(ACCOUNT), "2500000")]),
        ("list", vec![restricted(Scope::User(OTHER_USER), Scope::Instrument(aig))]),
    ];
    for (seed, (name, commands)) in (1_u64..).zip(&each) {
        let (says, does) = both(seed, commands);
        println!("{name}: {} of {QUESTIONS} questions", does.len());
        assert!(does.len() > 10, "{name} refuses something");
        assert_same(&says, &does, name);
    }
}

#[test]
fn rules_in_shadow_together_tell_what_they_refuse_together() {
    let own = RiskCommand::SetSelfMatchRule { scope: Scope::Tenant, policy: SelfMatchPolicy::CancelNewest };
    let together = [
        limit(LimitType::MaxOrderQty, Scope::Tenant, "3500"),
        limit(LimitType::PriceCollarPct, Scope::User(OTHER_USER), "0.4"),
        limit(LimitType::MaxOpenOrders, Scope::Account(ACCOUNT), "40"),
        limit(LimitType::MaxPositionQty, Scope::Account(ACCOUNT), "20000"),
        limit(LimitType::OrderRate, Scope::Tenant, "5"),
        Command::Risk(Box::new(own)),
    ];
    for seed in 11..14 {
        let (says, does) = both(seed, &together);
        let codes: BTreeSet<Code> = does.values().copied().collect();
        assert!(codes.len() >= 4, "several of them refuse: {codes:?}");
        assert_same(&says, &does, &format!("seed {seed}"));
    }
}

#[test]
fn a_replace_is_judged_and_followed() {
    let recording = Arc::new(Recording::embedded().unwrap());
    let mut day = Day { replaces: true, ..Day::new(7, &recording) };
    let begun = day.desk.engine.state().clone();
    day.run(&recording, QUESTIONS);
    let (found, _) = follow(begun, &day.batches, vec![limit(LimitType::MaxOrderQty, Scope::Tenant, "2500")]);
    let mut replaces = 0;
    for affected in &found {
        match &affected.difference {
            Difference::Refused(_) => assert!(affected.order.order_qty > dec("2500"), "{affected:?}"),
            Difference::ReplaceRefused(terms, refused) => {
                replaces += 1;
                assert!(terms.order_qty > dec("2500") && refused.code == Code::RiskLimitBreach, "{affected:?}");
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(replaces > 0, "some replaces are refused");
}

#[test]
fn orders_of_a_list_stand_and_fall_together() {
    let mut desk = Desk::new();
    desk.quote("XYZ", oms_testkit::fixture::VENUES[0], Some((dec("20.00"), dec("500"))), Some((dec("20.02"), dec::<Qty>("500"))));
    let begun = desk.engine.state().clone();
    let mut orders = vec![limit_order("E", Side::Buy, "100", "XYZ", "20.02")];
    orders.push(limit_order("T", Side::Sell, "50", "XYZ", "24.00"));
    let (contingency, arm) = (oms_model::work::ContingencyType::Oto, oms_model::work::ArmRule::default());
    let output = desk.command(Command::CreateOrderList { orders, contingency, arm });
    assert!(matches!(output.outcome, Some(CommandOutcome::Orders(_))), "{output:?}");
    let told = |rule: Command| -> Vec<(String, Code)> {
        let (found, _) = follow(begun.clone(), std::slice::from_ref(&output.batch), vec![rule]);
        let one = |affected: &Affected| match &affected.difference {
            Difference::Refused(refused) => (affected.order.cl_ord_id.to_string(), refused.code),
            other => panic!("{other:?}"),
        };
        found.iter().map(one).collect()
    };
    // The second is far from the market; without it the first has no protection, so that neither would have been.
    let far = told(limit(LimitType::PriceCollarPct, Scope::Tenant, "5"));
    assert_eq!(far, [("E".into(), Code::PriceCollar), ("T".into(), Code::PriceCollar)]);
    // The first alone is too large.
    let large = told(limit(LimitType::MaxOrderQty, Scope::Tenant, "60"));
    assert_eq!(large, [("E".into(), Code::RiskLimitBreach), ("T".into(), Code::RiskLimitBreach)]);
}

#[test]
fn the_rules_in_force_change_nothing() {
    let recording = Arc::new(Recording::embedded().unwrap());
    let mut day = Day::new(5, &recording);
    let begun = day.desk.engine.state().clone();
    day.run(&recording, QUESTIONS);
    let same = vec![limit(LimitType::DailyLoss, Scope::Tenant, "1000000000"), Command::SetSorPolicy(Box::default())];
    let (found, shadow) = follow(begun.clone(), &day.batches, same);
    assert_eq!(found, [], "the same rules come to the same");
    assert!(shadow.judged() > 500, "{}", shadow.judged());
    // Another policy goes elsewhere, and is told for orders that it places elsewhere alone.
    let mut policy = SorPolicy { mode: oms_model::SorMode::SingleBest, ..SorPolicy::default() };
    policy.weights.price = 0;
    policy.weights.fee = 0;
    let (found, _) = follow(begun, &day.batches, vec![Command::SetSorPolicy(Box::new(policy))]);
    assert!(found.len() > 10, "{}", found.len());
    for affected in &found {
        let Difference::Routed { was, would } = &affected.difference else { panic!("{affected:?}") };
        assert_ne!(
            was.iter().map(|leg| (leg.venue, leg.qty)).collect::<Vec<_>>(),
            would.iter().map(|leg| (leg.venue, leg.qty)).collect::<Vec<_>>()
        );
    }
}

fn risk(command: RiskCommand) -> Command {
    Command::Risk(Box::new(command))
}

fn by(desk: &mut Desk, user_id: oms_model::UserId, command: Command) -> Output {
    desk.input(
        Actor { user_id, source: Source::Rest, tenant_id: TENANT, api_key_id: None },
        oms_engine::input::InputBody::Command { command, idempotency: None },
    )
}

fn refused_with(output: &Output) -> Option<Code> {
    match &output.outcome {
        Some(CommandOutcome::Refused(refusal)) => Some(refusal.code),
        _ => None,
    }
}

#[test]
fn a_second_person_makes_rules_live() {
    let mut desk = Desk::new();
    let name = RuleSetName::new("tighter").unwrap();
    let small = || limit(LimitType::MaxOrderQty, Scope::Tenant, "50");
    let set = risk(RiskCommand::SetShadowRules { name: name.clone(), rules: vec![small()] });
    assert_eq!(refused_with(&desk.command(set)), None);
    // Nothing is refused by what runs in shadow.
    let big = |id: &str| -> NewOrder { limit_order(id, Side::Buy, "100", "XYZ", "20.00") };
    desk.quote("XYZ", oms_testkit::fixture::VENUES[0], Some((dec("20.00"), dec("500"))), Some((dec("20.02"), dec::<Qty>("500"))));
    let placed = desk.command(Command::CreateOrder(Box::new(big("A1"))));
    assert!(placed.batch.events.iter().all(|event| !matches!(event, Event::OrderRejected(_))), "{placed:?}");
    // It is in the state, and comes through a snapshot.
    let bytes = snapshot::encode(desk.engine.state());
    assert_eq!(snapshot::encode(&snapshot::decode(&bytes).unwrap()), bytes);
    assert_eq!(snapshot::decode(&bytes).unwrap().rule_sets().count(), 1);

    let promote = || risk(RiskCommand::PromoteShadowRules { name: name.clone(), reason: "a week of it".into() });
    assert_eq!(refused_with(&desk.command(promote())), Some(Code::SecondPersonNeeded), "nobody makes their own rules live");
    let output = by(&mut desk, OTHER_USER, promote());
    assert_eq!(refused_with(&output), None);
    assert!(matches!(output.batch.events[..], [Event::RiskLimitSet(limit), Event::ShadowRulesPromoted(_)] if limit.version == 1));
    assert_eq!(desk.engine.state().rule_sets().count(), 0);
    assert_eq!(refused_with(&by(&mut desk, OTHER_USER, promote())), Some(Code::NotFound));
    let placed = desk.command(Command::CreateOrder(Box::new(big("A2"))));
    assert!(placed.batch.events.iter().any(|event| matches!(event, Event::OrderRejected(_))), "it is live now");
}

#[test]
fn what_is_no_rule_does_not_run_in_shadow() {
    let mut desk = Desk::new();
    let set = |rules: Vec<Command>| risk(RiskCommand::SetShadowRules { name: RuleSetName::new("x").unwrap(), rules });
    let one = || limit(LimitType::MaxOrderQty, Scope::Tenant, "50");
    let kill = Command::EngageKillSwitch { scope: Scope::Tenant, reason: "no".into() };
    for (rules, code) in [
        (vec![], Code::ValidationError),
        (vec![kill], Code::ValidationError),
        (vec![set(vec![one()])], Code::ValidationError),
        (vec![one(), one()], Code::ValidationError),
        (vec![limit(LimitType::MaxOrderQty, Scope::Tenant, "-1")], Code::ValidationError),
        (vec![limit(LimitType::MaxOrderQty, Scope::Instrument(InstrumentId(99)), "1")], Code::NotFound),
        (vec![Command::RemoveRiskLimit(RiskLimit { value: dec("1"), ..RiskLimit::default() }.key())], Code::NotFound),
    ] {
        assert_eq!(refused_with(&desk.command(set(rules.clone()))), Some(code), "{rules:?}");
    }
}
