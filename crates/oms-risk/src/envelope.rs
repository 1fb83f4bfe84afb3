//! Currency, and the bounds of a strategy.

use crate::book::RiskBook;
use crate::check::{Inquiry, pass, refuse};
use oms_model::limit::{Check, CheckResult, LimitType, Period, Scope};
use oms_model::strategy::StrategyEnvelope;
use oms_model::{Code, Decimal, Notional, StrategyId};

/// A strategy's bounds with what it has traded since the last close of the day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Running {
    pub(crate) envelope: StrategyEnvelope,
    pub(crate) traded: Notional,
}

impl RiskBook {
    /// The bounds of a strategy were set.
    pub fn set_envelope(&mut self, envelope: &StrategyEnvelope) {
        self.envelopes.entry(envelope.strategy).or_default().envelope = envelope.clone();
        if envelope.max_order_rate.is_none() && self.counted_ns(Scope::Strategy(envelope.strategy)).is_none() {
            self.scope_mut(Scope::Strategy(envelope.strategy)).rate.clear();
        }
    }

    /// The bounds of a strategy, where they were set.
    #[must_use]
    pub fn envelope(&self, strategy: StrategyId) -> Option<&StrategyEnvelope> {
        self.envelopes.get(&strategy).map(|running| &running.envelope)
    }

    /// Every strategy's bounds, and what it has traded since the last close of the day.
    pub fn envelopes(&self) -> impl Iterator<Item = (&StrategyEnvelope, Notional)> {
        self.envelopes.values().map(|running| (&running.envelope, running.traded))
    }

    /// A strategy traded this much, or with a value below zero less than was told.
    pub fn on_strategy_traded(&mut self, strategy: StrategyId, value: Notional) {
        if let Some(running) = self.envelopes.get_mut(&strategy) {
            running.traded = running.traded.saturating_add(value).max(Notional::ZERO);
        }
    }

    /// For how long a scope's orders are counted; `None` where nothing asks for it.
    pub(crate) fn counted_ns(&self, scope: Scope) -> Option<i64> {
        let by_limit = self.scope(scope).and_then(|book| book.limits.longest_period(LimitType::OrderRate));
        let by_envelope = match scope {
            Scope::Strategy(id) => self.envelope(id).and_then(|envelope| envelope.max_order_rate).map(|_| Period::Second.ns()),
            _ => None,
        };
        by_limit.max(by_envelope)
    }
}

/// The account may trade in the instrument's currency, and a rate to the risk currency is recorded and not too old.
pub(crate) fn check_currency(inquiry: &Inquiry<'_>) -> CheckResult {
    let ctx = inquiry.ctx;
    let scope = Scope::Account(inquiry.order.account_id);
    if !ctx.account.trades_in(ctx.instrument.currency) {
        return refuse(Check::Currency, Code::CurrencyMismatch, scope);
    }
    let Some(rate) = ctx.rate else { return refuse(Check::Currency, Code::NoFxRate, scope) };
    let age = rate.at.map(|at| Decimal::from_raw(ctx.now.since(at).into()));
    if let (Some((scope, limit)), Some(age)) = (inquiry.least(LimitType::MaxFxRateAge), age)
        && age > limit.value
    {
        let refused = refuse(Check::Currency, Code::NoFxRate, scope);
        return CheckResult { value: Some(age), limit: Some(limit.value), limit_version: limit.version, ..refused };
    }
    CheckResult { scope, value: Some(rate.rate), ..pass(Check::Currency) }
}

/// What a strategy sends lies within its bounds. One that has none may send nothing: RTS 6 article 8.
pub(crate) fn check_envelope(inquiry: &Inquiry<'_>) -> CheckResult {
    let Some(strategy) = inquiry.order.strategy.filter(|_| !inquiry.is_replan()) else {
        return inquiry.not_applicable(Check::StrategyEnvelope);
    };
    let scope = Scope::Strategy(strategy);
    let Some(running) = inquiry.book.envelopes.get(&strategy) else {
        return refuse(Check::StrategyEnvelope, Code::LimitMissing, scope);
    };
    let envelope = &running.envelope;
    let breach = CheckResult { limit_version: envelope.version, ..refuse(Check::StrategyEnvelope, Code::RiskLimitBreach, scope) };
    let instrument = inquiry.order.instrument_id;
    if !envelope.enabled || !envelope.trades(instrument) {
        return breach;
    }
    let second = inquiry.ctx.now.0.rem_euclid(Period::Day.ns()) / Period::Second.ns();
    let second = u32::try_from(second).unwrap_or(u32::MAX);
    if !envelope.is_open(second) {
        return CheckResult { value: Some(Decimal::from_count(second.into())), ..breach };
    }
    let book = inquiry.book.scope(scope);
    if let Some(most) = envelope.max_order_rate {
        let used = book.map_or(0, |book| book.rate.used(inquiry.ctx.now, Period::Second.ns())) as u64;
        let (value, limit) = (Decimal::from_count(used.saturating_add(1)), Decimal::from_count(most.into()));
        if value > limit {
            return CheckResult { value: Some(value), limit: Some(limit), ..breach };
        }
    }
    let passed = CheckResult { scope, limit_version: envelope.version, ..pass(Check::StrategyEnvelope) };
    let Some(limit) = envelope.max_notional else { return passed };
    let added = inquiry.added_notional().and_then(Result::ok);
    let open = book.map_or(Notional::ZERO, |book| book.open_notional);
    let used = added.and_then(|added| open.checked_add(running.traded)?.checked_add(added));
    let (value, limit) = (used.map(Notional::to_decimal), Some(limit));
    if used.zip(limit.and_then(Decimal::to_notional)).is_some_and(|(used, limit)| used <= limit) {
        CheckResult { value, limit, ..passed }
    } else {
        CheckResult { value, limit, ..breach }
    }
}
