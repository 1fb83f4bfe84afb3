//! Lines about the gate: lists, locates, rules, strategies, throttles and orders that wait.

use super::parse::Line;
use super::run::Run;
use crate::fixture::{ACCOUNT, OTHER_USER, actor};
use oms_engine::input::InputBody;
use oms_model::breaker::Breaker;
use oms_model::command::{Actor, Command, OrderRef, RiskCommand};
use oms_model::compliance::{ListKind, Locate, Restriction};
use oms_model::limit::{RiskLimit, Scope};
use oms_model::strategy::StrategyEnvelope;
use oms_model::{ClOrdId, InstrumentId, Mic, Symbol};

const REASON: &str = "as the script says";

impl Run {
    /// Does what a line about the gate says; `None` where the verb is another.
    pub(super) fn gate(&mut self, verb: &str, line: &mut Line<'_>) -> Option<String> {
        let reason = REASON.to_owned();
        let command = match verb {
            "limit" => self.set_limit(line),
            "unlimit" => Command::RemoveRiskLimit(RiskLimit { value: oms_model::Decimal::ZERO, ..self.limit_named(line) }.key()),
            "switch" => return Some(format!("switch {}", line.words.pop_front().unwrap_or("tenant"))),
            "agree" | "turn-down" => return Some(self.second_person(verb, line)),
            "restrict" | "allow" | "unrestrict" | "unallow" => {
                let list = if verb.ends_with("allow") { ListKind::Allowed } else { ListKind::Restricted };
                let subject = self.scope(line.word());
                let scope = if line.take("for") { self.scope(line.word()) } else { Scope::Tenant };
                risk(if verb.starts_with("un") {
                    RiskCommand::RemoveRestriction { list, scope, subject, reason }
                } else {
                    RiskCommand::SetRestriction(Restriction { list, scope, subject, reason })
                })
            }
            "locate" => {
                let (instrument_id, qty) = (self.instrument(line.word()), line.value());
                let seconds: i64 = if line.take("for") { line.value() } else { 86_400 };
                let until = self.desk.now.plus(seconds * 1_000_000_000);
                risk(RiskCommand::SetLocate(Locate { account_id: ACCOUNT, instrument_id, qty, until, source: reason }))
            }
            "price-test" => {
                let symbol = line.value();
                risk(RiskCommand::SetShortSaleState { symbol, restricted: line.word() == "on", reason })
            }
            "self-match" => {
                let policy = line.value();
                let scope = line.words.pop_front().map_or(Scope::Tenant, |word| self.scope(word));
                risk(RiskCommand::SetSelfMatchRule { scope, policy })
            }
            "strategy" => risk(RiskCommand::SetStrategyEnvelope(envelope(line))),
            "throttle-reset" => {
                let scope = line.words.pop_front().map_or(Scope::Tenant, |word| self.scope(word));
                risk(RiskCommand::ResetThrottle { scope, reason })
            }
            "breaker" => risk(RiskCommand::SetBreaker(self.breaker(line))),
            "close-breaker" => {
                let kind = line.value();
                let scope = line.words.pop_front().map_or(Scope::Tenant, |word| self.scope(word));
                risk(RiskCommand::CloseBreaker { kind, scope, reason })
            }
            "fuse" => {
                let kind = line.word();
                return Some(format!("fuse {kind} {}", line.words.pop_front().unwrap_or("tenant")));
            }
            "require" => risk(RiskCommand::RequireLimit { limit_type: line.value(), required: true }),
            "adv" => risk(RiskCommand::SetAdv { symbol: line.value(), adv_qty: Some(line.value()) }),
            "capital" => {
                let capital = Some(line.value());
                risk(RiskCommand::SetAccountRisk { account_id: ACCOUNT, currencies: Vec::new(), converts: false, capital })
            }
            _ => return None,
        };
        self.ask(command);
        self.desk.advance(0);
        Some(String::new())
    }

    /// `limit TYPE VALUE [from SECONDS] [until SECONDS] [SCOPE] [by PERIOD] [soft]`.
    fn set_limit(&self, line: &mut Line<'_>) -> Command {
        let (limit_type, value) = (line.value(), line.value());
        let from = line.take("from").then(|| self.in_seconds(line.value()));
        let until = line.take("until").then(|| self.in_seconds(line.value()));
        let limit = RiskLimit { limit_type, value, ..self.limit_rest(line) };
        if from.is_none() && until.is_none() {
            return Command::SetRiskLimit(limit);
        }
        risk(RiskCommand::ScheduleLimit { limit, from, until })
    }

    fn limit_named(&self, line: &mut Line<'_>) -> RiskLimit {
        let limit_type = line.value();
        RiskLimit { limit_type, ..self.limit_rest(line) }
    }

    pub(super) fn limit_rest(&self, line: &mut Line<'_>) -> RiskLimit {
        let mut limit = RiskLimit::default();
        while let Some(word) = line.words.pop_front() {
            match word {
                "by" => limit.period = Some(line.value()),
                "soft" => limit.soft = true,
                scope => limit.scope = self.scope(scope),
            }
        }
        limit
    }

    /// `agree ID [alone]`: by another person, or by the one who sent it.
    fn second_person(&mut self, verb: &str, line: &mut Line<'_>) -> String {
        let id = line.word().to_owned();
        let order = OrderRef::ClOrdId(ClOrdId::new(&id).unwrap());
        let alone = line.take("alone");
        let who = Actor { user_id: if alone { actor().user_id } else { OTHER_USER }, ..actor() };
        let command = match verb {
            "agree" => RiskCommand::ApproveOrder { order, if_version: None },
            _ => RiskCommand::TurnOrderDown { order, reason: REASON.to_owned(), if_version: None },
        };
        let output = self.desk.input(who, InputBody::Command { command: risk(command), idempotency: None });
        self.remember(&output);
        id
    }

    /// `breaker KIND THRESHOLD ACTION [SCOPE] [within SECONDS] [probe SECONDS]`.
    fn breaker(&self, line: &mut Line<'_>) -> Breaker {
        let mut breaker = Breaker { kind: line.value(), threshold: line.value(), action: line.value(), window_s: 60, ..Breaker::default() };
        while let Some(word) = line.words.pop_front() {
            match word {
                "within" => breaker.window_s = line.value(),
                "probe" => breaker.probe_after_s = line.value(),
                scope => breaker.scope = self.scope(scope),
            }
        }
        breaker
    }

    fn instrument(&self, symbol: &str) -> InstrumentId {
        let symbol: Symbol = symbol.parse().unwrap();
        self.desk.engine.state().by_symbol(&symbol).expect("listed").instrument_id
    }

    /// `account`, `user`, a venue, a symbol, `class:EQUITY` or `strategy:NAME`.
    pub(super) fn scope(&self, word: &str) -> Scope {
        match word.split_once(':') {
            Some(("class", class)) => return Scope::AssetClass(class.parse().unwrap()),
            Some(("strategy", name)) => return Scope::Strategy(name.parse().unwrap()),
            _ => (),
        }
        match word {
            "tenant" => Scope::Tenant,
            "account" => Scope::Account(ACCOUNT),
            "user" => Scope::User(crate::fixture::USER),
            _ => match word.parse::<Mic>() {
                Ok(mic) if crate::fixture::VENUES.contains(&mic) => Scope::Venue(mic),
                _ => Scope::Instrument(self.instrument(word)),
            },
        }
    }
}

pub(super) fn risk(command: RiskCommand) -> Command {
    Command::Risk(Box::new(command))
}

/// `strategy NAME [off] [max NOTIONAL] [rate N]`.
fn envelope(line: &mut Line<'_>) -> StrategyEnvelope {
    let mut envelope = StrategyEnvelope { strategy: line.value(), enabled: true, ..StrategyEnvelope::default() };
    while let Some(word) = line.words.pop_front() {
        match word {
            "off" => envelope.enabled = false,
            "max" => envelope.max_notional = Some(line.value()),
            "rate" => envelope.max_order_rate = Some(line.value()),
            other => panic!("cannot read {other:?}"),
        }
    }
    envelope
}
