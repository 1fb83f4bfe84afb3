//! Changes of what the gate knows besides limits and switches: lists, locates, rules, strategies, throttles, marks.

use super::admin::{check_reason, check_scope, is_known, is_person, list_instrument, open_account};
use super::{breaker, dead_man, hold, import, overrides, refused, schedule, shadow};
use crate::state::State;
use crate::step::Step;
use oms_model::command::{Actor, CommandOutcome, RiskCommand};
use oms_model::compliance::{ListKind, Locate, PriceBand, Restriction, SelfMatchPolicy};
use oms_model::event::{
    Event, InFlightRuleSet, LimitRequired, Mark, PositionsMarked, PriceBandRemoved, PriorCloseSet, RestrictionRemoved, RiskCurrencySet,
    SelfMatchRuleSet, ShortSaleStateSet, ThrottleReset,
};
use oms_model::instrument::{Account, Currency, Instrument};
use oms_model::limit::{LimitType, Scope};
use oms_model::strategy::StrategyEnvelope;
use oms_model::{Code, Decimal, InstrumentId, Price, Qty, Refusal, Symbol, Time};

/// The most instruments that a strategy's bounds name.
const MAX_INSTRUMENTS: usize = 1000;
/// What is wrong with an entry that is none.
pub(super) const NO_ENTRY: &str =
    "a list is the tenant's, an account's, a user's or a strategy's, and has instruments, classes, venues or accounts";
/// The most strategies that have bounds.
const MAX_STRATEGIES: usize = 10_000;
/// The most instruments marked by one input; the next ones follow at once.
const MARKS_AT_ONCE: usize = 64;

fn invalid<T>(text: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::new(Code::ValidationError, text))
}

pub(crate) fn change(step: &mut Step<'_>, actor: &Actor, command: RiskCommand) -> CommandOutcome {
    let done = match command {
        RiskCommand::SetRestriction(entry) => {
            restriction(step.state(), entry).map(|entry| step.emit(Event::RestrictionSet(Box::new(entry))))
        }
        RiskCommand::RemoveRestriction { list, scope, subject, reason } => {
            no_restriction(step.state(), list, scope, subject, reason).map(|e| step.emit(Event::RestrictionRemoved(Box::new(e))))
        }
        RiskCommand::SetLocate(locate) => set_locate(step, locate),
        RiskCommand::SetShortSaleState { symbol, restricted, reason } => set_short_sale_state(step, &symbol, restricted, reason),
        RiskCommand::SetSelfMatchRule { scope, policy } => {
            self_match(step.state(), scope, policy).map(|rule| step.emit(Event::SelfMatchRuleSet(rule)))
        }
        RiskCommand::SetStrategyEnvelope(bounds) => {
            envelope(step.state(), bounds).map(|bounds| step.emit(Event::StrategyEnvelopeSet(Box::new(bounds))))
        }
        RiskCommand::ResetThrottle { scope, reason } => reset_throttle(step, actor, scope, reason),
        RiskCommand::SetRiskCurrency(currency) => set_currency(step, currency),
        RiskCommand::RequireLimit { limit_type, required } => {
            self::required(limit_type, required).map(|e| step.emit(Event::LimitRequired(e)))
        }
        RiskCommand::SetShadowRules { name, rules } => shadow::set(step, actor, name, rules),
        RiskCommand::RemoveShadowRules { name } => shadow::remove(step, name),
        RiskCommand::PromoteShadowRules { name, reason } => shadow::promote(step, actor, name, reason),
        RiskCommand::SetBreaker(breaker) => breaker::set(step, breaker),
        RiskCommand::RemoveBreaker { kind, scope } => breaker::remove(step, kind, scope),
        RiskCommand::CloseBreaker { kind, scope, reason } => breaker::close(step, kind, scope, reason),
        RiskCommand::SetInFlightRule(rule) => {
            step.emit(Event::InFlightRuleSet(InFlightRuleSet { rule }));
            Ok(())
        }
        RiskCommand::SetPriceBand { symbol, lower, upper, until } => set_price_band(step, &symbol, lower, upper, until),
        RiskCommand::RemovePriceBand { symbol } => remove_price_band(step, &symbol),
        RiskCommand::SetPriorClose { symbol, price } => set_prior_close(step, &symbol, price),
        RiskCommand::ArmDeadMan { scope, timeout_s, action } => dead_man::arm(step, actor, scope, timeout_s, action),
        RiskCommand::BeatDeadMan { scope } => dead_man::beat(step, actor, scope),
        RiskCommand::DisarmDeadMan { scope } => dead_man::disarm(step, actor, scope),
        RiskCommand::SetAdv { symbol, adv_qty } => return set_adv(step, &symbol, adv_qty),
        RiskCommand::SetAccountRisk { account_id, currencies, converts, capital } => {
            let Some(account) = step.state().account(account_id).cloned() else {
                return refused(Refusal::new(Code::NotFound, "there is no such account").with("account_id", account_id));
            };
            return open_account(step, Account { currencies, converts, capital, ..account });
        }
        RiskCommand::GrantOverride { order, check, reason, life_s } => {
            overrides::grant(step, actor, overrides::Asked { order, check, reason, life_s })
        }
        RiskCommand::ConsentOverride { override_id } => overrides::consent(step, actor, override_id),
        RiskCommand::RevokeOverride { override_id, reason } => overrides::revoke(step, actor, override_id, reason),
        RiskCommand::SetOverrideRule(rule) => overrides::set_rule(step, rule),
        RiskCommand::ScheduleLimit { limit, from, until } => schedule::schedule(step, actor, limit, from, until),
        RiskCommand::UnscheduleLimit { schedule_id, reason } => schedule::withdraw(step, actor, schedule_id, &reason),
        RiskCommand::ImportLimits { limits, replace_all, if_revision } => import::limits(step, &limits, replace_all, if_revision),
        RiskCommand::ImportRestrictions { entries, replace_all, if_revision } => import::lists(step, &entries, replace_all, if_revision),
        RiskCommand::ApproveOrder { order, if_version } => return hold::approve(step, actor, &order, if_version),
        RiskCommand::TurnOrderDown { order, reason, if_version } => return hold::turn_down(step, actor, &order, &reason, if_version),
    };
    match done {
        Ok(()) => CommandOutcome::Done,
        Err(refusal) => refused(refusal),
    }
}

/// An entry of a list, where it may be put there.
pub(super) fn restriction(state: &State, entry: Restriction) -> Result<Restriction, Refusal> {
    check_reason(&entry.reason)?;
    is_known(state, entry.scope)?;
    is_known(state, entry.subject)?;
    if !oms_risk::lists::is_entry(entry.scope, entry.subject) {
        return invalid(NO_ENTRY);
    }
    let known = state.risk().has_restriction(entry.list, entry.scope, entry.subject);
    if !known && state.risk().restriction_count() >= oms_risk::lists::MAX_ENTRIES {
        return Err(Refusal::new(Code::Overloaded, "the lists are full"));
    }
    Ok(entry)
}

/// An entry less, where it is there.
pub(super) fn no_restriction(
    state: &State,
    list: ListKind,
    scope: Scope,
    subject: Scope,
    reason: String,
) -> Result<RestrictionRemoved, Refusal> {
    check_reason(&reason)?;
    if !state.risk().has_restriction(list, scope, subject) {
        return Err(Refusal::new(Code::NotFound, format!("{subject} is not on the {list} list of {scope}")));
    }
    Ok(RestrictionRemoved { list, scope, subject, reason })
}

fn set_locate(step: &mut Step<'_>, locate: Locate) -> Result<(), Refusal> {
    check_scope(step, Scope::Account(locate.account_id))?;
    check_scope(step, Scope::Instrument(locate.instrument_id))?;
    check_reason(&locate.source)?;
    if locate.qty.is_negative() {
        return invalid("a locate is not below zero");
    }
    step.emit(Event::LocateSet(Box::new(locate)));
    Ok(())
}

fn listed(step: &Step<'_>, symbol: &Symbol) -> Result<InstrumentId, Refusal> {
    let instrument = step.state().by_symbol(symbol).map(|instrument| instrument.instrument_id);
    instrument.ok_or_else(|| Refusal::new(Code::UnknownSymbol, format!("there is no instrument {symbol}")))
}

fn set_price_band(step: &mut Step<'_>, symbol: &Symbol, lower: Price, upper: Price, until: Option<Time>) -> Result<(), Refusal> {
    let instrument_id = listed(step, symbol)?;
    if !lower.is_positive() || upper < lower {
        return invalid("a price band has a lower price above zero and an upper one not below it");
    }
    if until.is_some_and(|until| until <= step.now()) {
        return invalid("a price band ends in the future");
    }
    step.emit(Event::PriceBandSet(PriceBand { instrument_id, lower, upper, until }));
    Ok(())
}

fn remove_price_band(step: &mut Step<'_>, symbol: &Symbol) -> Result<(), Refusal> {
    let instrument_id = listed(step, symbol)?;
    if !step.state().risk().price_bands().any(|band| band.instrument_id == instrument_id) {
        return Err(Refusal::new(Code::NotFound, format!("{symbol} has no price band")));
    }
    step.emit(Event::PriceBandRemoved(PriceBandRemoved { instrument_id }));
    Ok(())
}

fn set_prior_close(step: &mut Step<'_>, symbol: &Symbol, price: Price) -> Result<(), Refusal> {
    let instrument_id = listed(step, symbol)?;
    if !price.is_positive() {
        return invalid("a closing price is above zero");
    }
    step.emit(Event::PriorCloseSet(PriorCloseSet { instrument_id, price }));
    Ok(())
}

fn set_short_sale_state(step: &mut Step<'_>, symbol: &Symbol, restricted: bool, reason: String) -> Result<(), Refusal> {
    check_reason(&reason)?;
    let instrument_id = listed(step, symbol)?;
    step.emit(Event::ShortSaleStateSet(Box::new(ShortSaleStateSet { instrument_id, restricted, reason })));
    Ok(())
}

/// A rule for own orders that meet, where the scope has one.
pub(super) fn self_match(state: &State, scope: Scope, policy: SelfMatchPolicy) -> Result<SelfMatchRuleSet, Refusal> {
    is_known(state, scope)?;
    if !matches!(scope, Scope::Tenant | Scope::Account(_)) {
        return invalid("a rule for own orders that meet is the tenant's or an account's");
    }
    Ok(SelfMatchRuleSet { scope, policy })
}

/// A strategy's bounds with the version that they take, where they may be set.
pub(super) fn envelope(state: &State, mut envelope: StrategyEnvelope) -> Result<StrategyEnvelope, Refusal> {
    const DAY_S: u32 = 86_400;
    let known = state.risk().envelope(envelope.strategy).map(|known| known.version);
    if known.is_none() && state.risk().envelopes().count() >= MAX_STRATEGIES {
        return Err(Refusal::new(Code::Overloaded, "too many strategies have bounds"));
    }
    if envelope.strategy.as_str().is_empty() {
        return invalid("a strategy has a name");
    }
    if envelope.instruments.len() > MAX_INSTRUMENTS {
        return invalid(format!("a strategy names at most {MAX_INSTRUMENTS} instruments"));
    }
    for instrument in &envelope.instruments {
        is_known(state, Scope::Instrument(instrument.instrument_id))?;
    }
    if envelope.max_notional.is_some_and(Decimal::is_negative) {
        return invalid("max_notional is not below zero");
    }
    if envelope.max_order_rate.is_some_and(|rate| rate > oms_risk::rate::MAX_ORDER_RATE) {
        return invalid(format!("max_order_rate is at most {}", oms_risk::rate::MAX_ORDER_RATE));
    }
    if [envelope.from_s, envelope.until_s].into_iter().flatten().any(|second| second > DAY_S) {
        return invalid("hours are seconds after midnight UTC, 0 to 86400");
    }
    envelope.version = known.unwrap_or(0) + 1;
    Ok(envelope)
}

/// RTS 6 article 15(3): what was turned off stays off until a named person turns it on.
fn reset_throttle(step: &mut Step<'_>, actor: &Actor, scope: Scope, reason: String) -> Result<(), Refusal> {
    check_reason(&reason)?;
    if !step.state().risk().is_tripped(scope) {
        return Err(Refusal::new(Code::NotFound, format!("{scope} is not off for repeated execution")));
    }
    if !is_person(actor) {
        return Err(Refusal::new(Code::SecondPersonNeeded, "a named person has to turn it on"));
    }
    step.emit(Event::ThrottleReset(Box::new(ThrottleReset { scope, user_id: actor.user_id, reason })));
    Ok(())
}

fn set_adv(step: &mut Step<'_>, symbol: &Symbol, adv_qty: Option<Qty>) -> CommandOutcome {
    let Some(instrument) = step.state().by_symbol(symbol).cloned() else {
        return refused(Refusal::new(Code::UnknownSymbol, format!("there is no instrument {symbol}")));
    };
    list_instrument(step, Instrument { adv_qty, ..instrument })
}

fn set_currency(step: &mut Step<'_>, currency: Currency) -> Result<(), Refusal> {
    let state = step.state();
    if state.open_roots() > 0 || state.positions().next().is_some() {
        return Err(Refusal::new(Code::StateConflict, "the risk currency is chosen while nothing is held and nothing works"));
    }
    step.emit(Event::RiskCurrencySet(RiskCurrencySet { currency }));
    Ok(())
}

/// A type of limit that must be there, where it bounds something.
pub(super) fn required(limit_type: LimitType, required: bool) -> Result<LimitRequired, Refusal> {
    const NEVER: [LimitType; 4] =
        [LimitType::MaxQuoteAge, LimitType::MaxFxRateAge, LimitType::ApprovalNotional, LimitType::RepeatedExecution];
    if NEVER.contains(&limit_type) {
        return invalid(format!("a limit of {limit_type} bounds nothing by itself and cannot be required"));
    }
    Ok(LimitRequired { limit_type, required })
}

/// Values positions at the market, a bounded number at a time. How far it came; `None` once all were looked at.
pub(crate) fn mark(step: &mut Step<'_>, after: Option<InstrumentId>) -> Option<InstrumentId> {
    let instruments: Vec<InstrumentId> = step.state().held_after(after).take(MARKS_AT_ONCE).collect();
    let mut marks = Vec::new();
    for &instrument_id in &instruments {
        let price = step.with_market(instrument_id, |_, market, _| market.mid().or_else(|| market.last.map(|level| level.price)));
        let news = |price: &oms_model::Price| price.is_positive() && step.state().mark(instrument_id) != Some(*price);
        if let Some(price) = price.filter(news) {
            marks.push(Mark { instrument_id, price });
        }
    }
    if !marks.is_empty() {
        step.emit(Event::PositionsMarked(Box::new(PositionsMarked { marks })));
    }
    instruments.last().copied().filter(|_| instruments.len() == MARKS_AT_ONCE)
}
