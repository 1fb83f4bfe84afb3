//! Limits, switches, policies and reference data. Each change is a fact with its version.

use super::refused;
use crate::state::State;
use crate::step::Step;
use oms_model::asset_class::rules_of;
use oms_model::command::{Actor, CommandOutcome};
use oms_model::event::{ApiKeyCreated, Event, KillSwitchChanged, RiskLimitRemoved, TenantCreated, TradingStateSet};
use oms_model::instrument::{Account, Instrument, Venue};
use oms_model::limit::{LimitKey, RiskLimit, Scope};
use oms_model::policy::SorPolicy;
use oms_model::{ApiKeyId, Code, EndedBy, InstrumentId, Refusal, Source, TenantId, TradingState, UserId};

/// The most bytes of a reason.
pub(super) const MAX_REASON: usize = 1000;
/// The most identifiers of an instrument in other lists.
const MAX_EXTERNAL_IDS: usize = 16;
/// The most currencies of an account beside its own.
const MAX_CURRENCIES: usize = 64;
/// The most scopes of kill switches whose orders are being canceled.
const MAX_SWEEPS: usize = 1024;

fn invalid(text: impl Into<String>) -> CommandOutcome {
    refused(Refusal::new(Code::ValidationError, text))
}

/// Refuses a reason that says nothing, or too much.
pub(super) fn check_reason(reason: &str) -> Result<(), Refusal> {
    if reason.trim().is_empty() || reason.len() > MAX_REASON {
        return Err(Refusal::new(Code::ValidationError, format!("a reason of 1 to {MAX_REASON} bytes is needed")));
    }
    Ok(())
}

/// Whether a person asks. Time, venues and the system itself decide nothing that takes one.
pub(super) fn is_person(actor: &Actor) -> bool {
    !matches!(actor.source, Source::Timer | Source::System | Source::Venue)
}

/// Refuses a scope that names nothing.
pub(super) fn check_scope(step: &Step<'_>, scope: Scope) -> Result<(), Refusal> {
    is_known(step.state(), scope)
}

/// As [`check_scope`], where there is no step.
pub(super) fn is_known(state: &State, scope: Scope) -> Result<(), Refusal> {
    let known = match scope {
        Scope::Tenant | Scope::User(_) | Scope::Strategy(_) | Scope::AssetClass(_) => true,
        Scope::Account(id) => state.account(id).is_some(),
        Scope::Instrument(id) => state.instrument(id).is_some(),
        Scope::Venue(mic) => state.venue(mic).is_some(),
    };
    if known { Ok(()) } else { Err(Refusal::new(Code::NotFound, format!("there is no {scope}"))) }
}

pub(crate) fn engage(step: &mut Step<'_>, scope: Scope, reason: String) -> CommandOutcome {
    if let Err(refusal) = check_reason(&reason).and_then(|()| check_scope(step, scope)) {
        return refused(refusal);
    }
    if step.sweeps.len() >= MAX_SWEEPS {
        return refused(Refusal::new(Code::Overloaded, "too many kill switches are being engaged"));
    }
    if !step.state().risk().is_killed(scope) {
        step.emit(Event::KillSwitchEngaged(KillSwitchChanged { scope, reason }));
    }
    step.sweeps.push_back((scope, EndedBy::KillSwitch));
    CommandOutcome::Done
}

pub(crate) fn release(step: &mut Step<'_>, scope: Scope, reason: String) -> CommandOutcome {
    if let Err(refusal) = check_reason(&reason) {
        return refused(refusal);
    }
    if !step.state().risk().is_killed(scope) {
        return refused(Refusal::new(Code::NotFound, format!("no kill switch is engaged for {scope}")));
    }
    step.sweeps.retain(|swept| *swept != (scope, EndedBy::KillSwitch));
    step.emit(Event::KillSwitchReleased(KillSwitchChanged { scope, reason }));
    CommandOutcome::Done
}

pub(crate) fn set_trading_state(step: &mut Step<'_>, scope: Scope, state: TradingState, reason: String) -> CommandOutcome {
    if reason.len() > MAX_REASON {
        return invalid(format!("a reason has at most {MAX_REASON} bytes"));
    }
    if let Err(refusal) = check_scope(step, scope) {
        return refused(refusal);
    }
    step.emit(Event::TradingStateSet(TradingStateSet { scope, state, reason, by_breaker: false }));
    CommandOutcome::Done
}

fn done(step: &mut Step<'_>, event: Result<Event, Refusal>) -> CommandOutcome {
    match event {
        Ok(event) => {
            step.emit(event);
            CommandOutcome::Done
        }
        Err(refusal) => refused(refusal),
    }
}

pub(crate) fn set_limit(step: &mut Step<'_>, limit: RiskLimit) -> CommandOutcome {
    let limit = self::limit(step.state(), limit);
    done(step, limit.map(Event::RiskLimitSet))
}

/// A limit with the version that it takes, where it may be set.
pub(super) fn limit(state: &State, limit: RiskLimit) -> Result<RiskLimit, Refusal> {
    is_known(state, limit.scope)?;
    let limit = RiskLimit::of(limit.key().normal(), limit.value, 0);
    oms_risk::validate_limit(&limit).map_err(|error| Refusal::new(Code::ValidationError, error.to_string()))?;
    Ok(RiskLimit { version: state.risk().next_version(limit.key()), ..limit })
}

pub(crate) fn remove_limit(step: &mut Step<'_>, key: LimitKey) -> CommandOutcome {
    let removed = no_limit(step.state(), key);
    done(step, removed.map(Event::RiskLimitRemoved))
}

/// A limit less, where it is there.
pub(super) fn no_limit(state: &State, key: LimitKey) -> Result<RiskLimitRemoved, Refusal> {
    let key = key.normal();
    if state.risk().limit_of(key).is_none() {
        return Err(Refusal::new(Code::NotFound, format!("there is no such limit {} for {}", key.limit_type, key.scope)));
    }
    Ok(RiskLimitRemoved::of(key))
}

pub(crate) fn set_policy(step: &mut Step<'_>, policy: SorPolicy) -> CommandOutcome {
    let policy = self::policy(step.state(), policy);
    done(step, policy.map(|policy| Event::SorPolicySet(Box::new(policy))))
}

/// A routing policy with the version that it takes, where it may be set.
pub(super) fn policy(state: &State, mut policy: SorPolicy) -> Result<SorPolicy, Refusal> {
    let invalid = |text: &str| Err(Refusal::new(Code::ValidationError, text));
    let weights = policy.weights;
    let sum = [weights.price, weights.latency, weights.fill, weights.fee].iter().map(|&w| u64::from(w)).sum::<u64>();
    if sum == 0 || policy.price_range_bps == 0 || policy.max_quote_age_ns == 0 {
        return invalid("weights must sum to more than zero; price_range_bps and max_quote_age must be above zero");
    }
    if policy.min_leg_qty.is_negative() || policy.max_replans > 100 {
        return invalid("min_leg_qty is not below zero and max_replans is at most 100");
    }
    if policy.mode == oms_model::SorMode::Named {
        return invalid("a policy cannot be NAMED: only an order names its venue");
    }
    let unknown = policy.allow.iter().chain(&policy.deny).find(|mic| state.venue(**mic).is_none());
    if let Some(mic) = unknown {
        return Err(Refusal::new(Code::NotFound, format!("there is no venue {mic}")));
    }
    policy.version = state.policy(&policy.name).map_or(0, |known| known.version) + 1;
    Ok(policy)
}

pub(crate) fn configure_venue(step: &mut Step<'_>, venue: Venue) -> CommandOutcome {
    if venue.fill_prior_ppm > 1_000_000 || venue.latency_prior_ns == 0 || venue.fill_prior_weight == 0 {
        return invalid("a venue needs a latency above zero and a fill prior of at most 1000000 ppm with a weight above zero");
    }
    step.emit(Event::VenueConfigured(Box::new(venue)));
    CommandOutcome::Done
}

pub(crate) fn list_instrument(step: &mut Step<'_>, mut instrument: Instrument) -> CommandOutcome {
    let ticks_rise = instrument.ticks.windows(2).all(|pair| matches!(pair, [a, b] if a.from < b.from));
    if instrument.ticks.is_empty() || !ticks_rise || instrument.ticks.iter().any(|step| !step.tick.is_positive()) {
        return invalid("an instrument needs a tick table of rising steps with ticks above zero");
    }
    if !instrument.lot.is_positive() || instrument.min_qty.is_negative() || instrument.max_qty < instrument.min_qty {
        return invalid("an instrument needs a lot above zero and a maximum quantity not below its minimum");
    }
    if instrument.adv_qty.is_some_and(|adv| !adv.is_positive()) {
        return invalid("an average daily volume is above zero");
    }
    if let Err(refusal) = check_kind(&instrument) {
        return refused(refusal);
    }
    let known = step.state().by_symbol(&instrument.symbol);
    if instrument.nav.is_none() {
        // A listing changes what a fund is, not what it is worth.
        (instrument.nav, instrument.nav_at) = known.map_or((None, None), |known| (known.nav, known.nav_at));
    }
    let known = known.map(|known| known.instrument_id);
    let next = u32::try_from(step.state().instruments().len()).unwrap_or(u32::MAX);
    instrument.instrument_id = known.unwrap_or(InstrumentId(next));
    step.emit(Event::InstrumentListed(Box::new(instrument)));
    CommandOutcome::Done
}

/// What an instrument says of its kind.
fn check_kind(instrument: &Instrument) -> Result<(), Refusal> {
    let invalid = |text: &str| Err(Refusal::new(Code::ValidationError, text));
    rules_of(instrument.asset_class).check_instrument(instrument)?;
    if instrument.multiplier.is_some_and(|m| !m.is_positive() || i64::try_from(m.raw()).is_err()) {
        return invalid("a multiplier is above zero and below 9 thousand million");
    }
    if instrument.strike.is_some_and(|strike| !strike.is_positive()) || instrument.nav.is_some_and(|nav| !nav.is_positive()) {
        return invalid("a strike and a net asset value are above zero");
    }
    if instrument.cut_off_utc_s.is_some_and(|seconds| seconds >= 86_400) {
        return invalid("a cut-off is a time of day: 0 to 86399 seconds after midnight UTC");
    }
    if instrument.base_currency == Some(instrument.currency) {
        return invalid("a pair has two currencies");
    }
    if instrument.external_ids.len() > MAX_EXTERNAL_IDS {
        return invalid("an instrument has at most 16 external ids");
    }
    Ok(())
}

pub(crate) fn open_account(step: &mut Step<'_>, account: Account) -> CommandOutcome {
    if account.currencies.len() > MAX_CURRENCIES {
        return invalid(format!("an account has at most {MAX_CURRENCIES} currencies beside its own"));
    }
    if account.capital.is_some_and(|capital| capital.is_negative() || capital.to_notional().is_none()) {
        return invalid("an account's capital is not below zero, and within range");
    }
    step.emit(Event::AccountOpened(account));
    CommandOutcome::Done
}

pub(crate) fn create_tenant(step: &mut Step<'_>, tenant_id: TenantId, slug: String) -> CommandOutcome {
    if step.state().tenant_id() != TenantId::default() {
        return refused(Refusal::new(Code::StateConflict, "this partition has its tenant"));
    }
    // The tenant's id is random, so its bits keep the order ids of two logs apart.
    let id_salt = u64::try_from(tenant_id.as_u128() & u128::from(u64::MAX)).unwrap_or_default();
    step.emit(Event::TenantCreated(TenantCreated { tenant_id, slug, id_salt }));
    CommandOutcome::Done
}

pub(crate) fn create_api_key(
    step: &mut Step<'_>,
    api_key_id: ApiKeyId,
    user_id: UserId,
    prefix: String,
    sha256: [u8; 32],
) -> CommandOutcome {
    if step.state().api_key(&sha256).is_some() {
        return refused(Refusal::new(Code::StateConflict, "this key is recorded"));
    }
    step.emit(Event::ApiKeyCreated(Box::new(ApiKeyCreated { api_key_id, user_id, prefix, sha256 })));
    CommandOutcome::Done
}
