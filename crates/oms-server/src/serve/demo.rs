//! The demo desk: what is missing for a first order is set up, by the same commands that anybody would give.
//!
//! Repeatable: a set-up that a crash broke off is finished at the next start, and what was changed since is left alone.

pub mod classes;

use super::key;
use super::settings::Desk;
use crate::config;
use crate::exit::{Failure, Outcome};
use oms_api::auth;
use oms_model::command::{Actor, Command, CommandOutcome, RiskCommand};
use oms_model::compliance::Locate;
use oms_model::instrument::{Account, Currency, Instrument, TickStep, Venue};
use oms_model::limit::{LimitType, RiskLimit, Scope};
use oms_model::policy::{Exhausted, SorPolicy};
use oms_model::{
    AccountId, ApiKeyId, AssetClass, Decimal, InstrumentId, Mic, PolicyName, Price, Qty, SorMode, Source, Symbol, TenantId, Time, TraceId,
    UserId,
};
use oms_runtime::{Clock as _, Handle, Request, SystemClock};
use oms_venues::paper::profile::{VENUES, VenueProfile};

/// What the recording that ships with the program has.
const SYMBOLS: [&str; 3] = ["AIG", "BAC", "IBM"];
/// A tenth of a thousandth of a dollar, in units of [`Price`].
const TENTH_OF_MIL: i64 = 100_000;
/// A cent.
const CENT: i64 = 10_000_000;
/// A dollar.
const DOLLAR: i64 = 1_000_000_000;

/// What a log already has.
struct Known {
    tenant_id: TenantId,
    set_up: bool,
    account: bool,
    symbols: Vec<Symbol>,
    venues: Vec<Mic>,
    policies: Vec<PolicyName>,
    limits: Vec<LimitType>,
    key: bool,
}

/// Sets up what is missing and answers the desk's API key.
///
/// # Errors
/// [`Failure::Refused`] where the engine refuses a command, [`Failure::Fault`] where the key cannot be kept.
pub fn set_up(handle: &Handle, desk: &Desk) -> Result<String, Failure> {
    let path = key::path(&desk.data);
    let key = key::read_or_make(&desk.data).map_err(|error| Failure::Fault(format!("the key in {}: {error}", path.display())))?;
    let sha256 = auth::key_hash(&key);
    let known = known(handle, sha256)?;
    let tenant_id = if known.tenant_id == TenantId::default() { TenantId::from_u128(new_id()?) } else { known.tenant_id };
    let actor = Actor { tenant_id, user_id: UserId::default(), api_key_id: None, source: Source::System };
    for command in missing(&known, tenant_id, desk)? {
        execute(handle, actor, command)?;
    }
    if !known.set_up {
        for locate in locates(handle)? {
            execute(handle, actor, Command::Risk(Box::new(RiskCommand::SetLocate(locate))))?;
        }
    }
    if !known.key {
        let (api_key_id, user_id) = (ApiKeyId::from_u128(new_id()?), UserId::from_u128(new_id()?));
        // Last: a recorded key says that the set-up was finished.
        execute(handle, actor, Command::CreateApiKey { api_key_id, user_id, prefix: auth::key_prefix(&key), sha256 })?;
    }
    Ok(key)
}

/// Shares to be sold short, for a year: a million of each that are listed and not promised yet.
fn locates(handle: &Handle) -> Result<Vec<Locate>, Failure> {
    let until = SystemClock.now().plus(365 * 86_400_000_000_000);
    let wanted = handle.inspect_blocking(move |state, _| {
        let account_id = state.accounts().next().map(|account| account.account_id).unwrap_or_default();
        let promised: Vec<InstrumentId> = state.risk().locates().map(|locate| locate.instrument_id).collect();
        let shares_of = |one: &&Instrument| one.asset_class == AssetClass::Equity && !promised.contains(&one.instrument_id);
        let locate = |one: &Instrument| Locate {
            account_id,
            instrument_id: one.instrument_id,
            qty: shares(1_000_000),
            until,
            source: "the demo's lender".to_owned(),
        };
        state.instruments().iter().filter(shares_of).map(locate).collect()
    });
    wanted.map_err(|refusal| Failure::Fault(refusal.message))
}

fn known(handle: &Handle, sha256: [u8; 32]) -> Result<Known, Failure> {
    let known = handle.inspect_blocking(move |state, _| Known {
        tenant_id: state.tenant_id(),
        set_up: state.api_keys().next().is_some(),
        account: state.accounts().next().is_some(),
        symbols: state.instruments().iter().map(|instrument| instrument.symbol.clone()).collect(),
        venues: state.venues().map(|entry| entry.venue.venue).collect(),
        policies: state.policies().map(|policy| policy.name.clone()).collect(),
        limits: state.risk().limits().iter().filter(|limit| limit.scope == Scope::Tenant).map(|limit| limit.limit_type).collect(),
        key: state.api_key(&sha256).is_some(),
    });
    known.map_err(|refusal| Failure::Fault(refusal.message))
}

fn missing(known: &Known, tenant_id: TenantId, desk: &Desk) -> Result<Vec<Command>, Failure> {
    let mut commands = Vec::new();
    if known.set_up {
        return Ok(commands);
    }
    if known.tenant_id == TenantId::default() {
        commands.push(Command::CreateTenant { tenant_id, slug: "demo".to_owned() });
    }
    if !known.account {
        let account_id = AccountId::from_u128(new_id()?);
        commands.push(Command::OpenAccount(Account {
            account_id,
            name: "paper".to_owned(),
            currency: Currency::USD,
            active: true,
            ..Account::default()
        }));
    }
    let listed = instruments()
        .into_iter()
        .chain(classes::instruments(SystemClock.now()))
        .filter(|instrument| !known.symbols.contains(&instrument.symbol));
    commands.extend(listed.map(|instrument| Command::ListInstrument(Box::new(instrument))));
    let venues = venues().into_iter().chain(classes::venues()).filter(|venue| !known.venues.contains(&venue.venue));
    commands.extend(venues.map(|venue| Command::ConfigureVenue(Box::new(venue))));
    let policies = policies().into_iter().filter(|policy| !known.policies.contains(&policy.name));
    commands.extend(policies.map(|policy| Command::SetSorPolicy(Box::new(policy))));
    let limits = limits(&desk.settings.demo)?.into_iter().filter(|limit| !known.limits.contains(&limit.limit_type));
    commands.extend(limits.map(Command::SetRiskLimit));
    Ok(commands)
}

/// The three instruments of the recording, with the tick table of SEC Rule 612.
fn instruments() -> Vec<Instrument> {
    let listed = |symbol: &&str| Instrument {
        instrument_id: InstrumentId::default(),
        symbol: Symbol::new(symbol).unwrap_or_default(),
        listing: Mic::of(b"XNYS"),
        asset_class: AssetClass::Equity,
        currency: Currency::USD,
        ticks: vec![
            TickStep { from: Price::ZERO, tick: Price::from_raw(TENTH_OF_MIL) },
            TickStep { from: Price::from_raw(DOLLAR), tick: Price::from_raw(CENT) },
        ],
        lot: shares(1),
        min_qty: shares(1),
        max_qty: shares(1_000_000),
        active: true,
        ..Instrument::default()
    };
    SYMBOLS.iter().map(listed).collect()
}

/// The paper venues as the router is told of them: fees and latencies are theirs; that about every second order is
/// filled is what it assumes until it has measured.
fn venues() -> Vec<Venue> {
    VENUES.iter().map(told).collect()
}

fn told(profile: &VenueProfile) -> Venue {
    Venue {
        venue: profile.mic,
        name: profile.name.to_owned(),
        maker_fee: profile.maker_fee,
        taker_fee: profile.taker_fee,
        latency_prior_ns: profile.latency_ns,
        fill_prior_ppm: 500_000,
        fill_prior_weight: 10,
        enabled: true,
        lacks_stops: false,
        lacks_gtd: false,
    }
}

/// `default` takes the best venue; `sweep` and `split` take several.
fn policies() -> Vec<SorPolicy> {
    // The recording shows an exchange only while it is the best: its last quote holds until the next.
    let max_quote_age_ns = 60_000_000_000;
    let plain = SorPolicy { max_quote_age_ns, ..SorPolicy::default() };
    let named = |name: &str, mode: SorMode| SorPolicy { name: PolicyName::new(name).unwrap_or_default(), mode, ..plain.clone() };
    vec![
        named("default", SorMode::SingleBest),
        SorPolicy { fee_adjusted: true, exhausted: Exhausted::Rest, ..named("sweep", SorMode::Sweep) },
        SorPolicy { min_leg_qty: shares(100), ..named("split", SorMode::Split) },
    ]
}

/// The tenant's limits that the settings ask for.
///
/// # Errors
/// [`Failure::Usage`] naming the one that cannot be set.
pub fn limits(demo: &config::Demo) -> Result<Vec<RiskLimit>, Failure> {
    let mut limits = Vec::new();
    for (name, text) in demo.limits.iter().filter(|(_, text)| !text.is_empty()) {
        let refused = |why: &dyn std::fmt::Display| Failure::Usage(format!("demo.limits.{name} = {text:?}: {why}"));
        let limit_type: LimitType = name.parse().map_err(|_| refused(&"there is no such limit"))?;
        let value: Decimal = text.parse().map_err(|error: oms_model::amount::AmountError| refused(&error))?;
        limits.push(RiskLimit { limit_type, scope: Scope::Tenant, value, ..RiskLimit::default() });
    }
    Ok(limits)
}

fn shares(units: i64) -> Qty {
    Qty::from_units(units).unwrap_or_default()
}

/// A random UUIDv7 (RFC 9562).
pub(super) fn new_id() -> Result<u128, Failure> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| Failure::Fault(format!("the system has no randomness: {error}")))?;
    let Time(now) = SystemClock.now();
    let ms = u128::from((now / 1_000_000).max(0).unsigned_abs() & 0xFFFF_FFFF_FFFF);
    let bits = u128::from_be_bytes(random);
    Ok(ms << 80 | 0x7 << 76 | (bits >> 64 & 0xFFF) << 64 | 0b10 << 62 | bits & 0x3FFF_FFFF_FFFF_FFFF)
}

pub(super) fn execute(handle: &Handle, actor: Actor, command: Command) -> Outcome {
    let shown = format!("{command:?}");
    let request = Request { actor, trace_id: TraceId::default(), idempotency: None, command };
    let answer = handle.execute_blocking(request).map_err(|refusal| Failure::Fault(refusal.message))?;
    match &answer.outcome {
        CommandOutcome::Done => Ok(()),
        // What is shown names the command; a key is in it as its hash only.
        CommandOutcome::Refused(refusal) => {
            let name = shown.split(['(', ' ']).next().unwrap_or_default();
            Err(Failure::Refused(format!("the demo desk cannot be set up: {name}: {} {}", refusal.code, refusal.message)))
        }
        CommandOutcome::Orders(_)
        | CommandOutcome::Pending { .. }
        | CommandOutcome::QuoteRequested { .. }
        | CommandOutcome::QuoteReceived { .. } => Err(Failure::Fault("an unexpected answer to a set-up command".to_owned())),
    }
}

#[cfg(test)]
mod tests;
