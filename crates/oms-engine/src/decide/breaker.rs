//! Breakers: looked at once a second and after whatever may have tripped one.

use super::admin::{check_reason, check_scope};
use crate::step::Step;
use oms_model::breaker::{Breaker, BreakerAction, BreakerKind, BreakerState};
use oms_model::event::{BreakerMoved, BreakerRemoved, Event, KillSwitchChanged, TradingStateSet};
use oms_model::limit::Scope;
use oms_model::policy::LatencyStat;
use oms_model::{Code, Decimal, EndedBy, Mic, Notional, Refusal};
use oms_risk::Standing;
use oms_risk::breakers::{MAX_BREAKERS, MAX_COUNT, asked};

/// The longest window and wait of a breaker, seconds.
const MAX_SECONDS: u32 = 86_400;

pub(crate) fn set(step: &mut Step<'_>, mut breaker: Breaker) -> Result<(), Refusal> {
    let invalid = |text: &str| Err(Refusal::new(Code::ValidationError, text));
    check_scope(step, breaker.scope)?;
    if !watches(breaker.kind, breaker.scope) {
        return Err(Refusal::new(Code::ValidationError, format!("a breaker of {} does not watch {}", breaker.kind, breaker.scope)));
    }
    if breaker.threshold.is_negative() {
        return invalid("a threshold is not below zero");
    }
    let counts = matches!(breaker.kind, BreakerKind::RejectStorm | BreakerKind::Disconnect);
    if counts && (breaker.window_s == 0 || breaker.threshold >= Decimal::from_count(MAX_COUNT as u64)) {
        return Err(Refusal::new(Code::ValidationError, format!("what is counted needs a window and a threshold below {MAX_COUNT}")));
    }
    if breaker.window_s > MAX_SECONDS || breaker.probe_after_s > MAX_SECONDS {
        return invalid("window_s and probe_after_s are at most 86400");
    }
    let known = step.state().risk().breaker(breaker.kind, breaker.scope).map(|known| known.breaker.version);
    if known.is_none() && step.state().risk().breakers().count() >= MAX_BREAKERS {
        return Err(Refusal::new(Code::Overloaded, "there are too many breakers"));
    }
    breaker.version = known.unwrap_or(0) + 1;
    step.emit(Event::BreakerSet(breaker));
    Ok(())
}

/// Where a breaker of a kind can watch.
fn watches(kind: BreakerKind, scope: Scope) -> bool {
    match kind {
        BreakerKind::Loss => matches!(scope, Scope::Tenant | Scope::Account(_)),
        BreakerKind::RejectStorm | BreakerKind::Disconnect => matches!(scope, Scope::Tenant | Scope::Venue(_)),
        BreakerKind::Latency => matches!(scope, Scope::Venue(_)),
        BreakerKind::Staleness => matches!(scope, Scope::Instrument(_)),
        BreakerKind::ClockDrift => matches!(scope, Scope::Tenant),
    }
}

pub(crate) fn remove(step: &mut Step<'_>, kind: BreakerKind, scope: Scope) -> Result<(), Refusal> {
    if step.state().risk().breaker(kind, scope).is_none() {
        return Err(Refusal::new(Code::NotFound, format!("there is no breaker of {kind} for {scope}")));
    }
    step.emit(Event::BreakerRemoved(BreakerRemoved { kind, scope }));
    Ok(())
}

/// A person closes a breaker: what it had turned off, but for a kill switch, is on again.
pub(crate) fn close(step: &mut Step<'_>, kind: BreakerKind, scope: Scope, reason: String) -> Result<(), Refusal> {
    check_reason(&reason)?;
    let Some(standing) = step.state().risk().breaker(kind, scope).cloned() else {
        return Err(Refusal::new(Code::NotFound, format!("there is no breaker of {kind} for {scope}")));
    };
    if standing.state == BreakerState::Closed {
        return Err(Refusal::new(Code::StateConflict, "the breaker is closed"));
    }
    moved(step, &standing, BreakerState::Closed, None, reason);
    Ok(())
}

/// Looks at every breaker, where this input may concern one.
pub(crate) fn follow(step: &mut Step<'_>) {
    if step.state().risk().breakers().next().is_none() || !concerns(step) {
        return;
    }
    let all: Vec<Standing> = step.state().risk().breakers().cloned().collect();
    for standing in all {
        look(step, &standing);
    }
}

fn concerns(step: &Step<'_>) -> bool {
    let may_trip = |event: &Event| {
        matches!(
            event,
            Event::OrderRejected(_)
                | Event::OrderAccepted(_)
                | Event::BrokerDisconnected(_)
                | Event::ExecutionRecorded(_)
                | Event::PositionsMarked(_)
                | Event::BreakerSet(_)
        )
    };
    step.is_marking || step.drift_ns() > 0 || step.events().iter().any(may_trip)
}

fn look(step: &mut Step<'_>, standing: &Standing) {
    let Some(value) = measure(step, standing) else { return };
    let (breach, waited) = (value > standing.breaker.threshold, standing.has_waited(step.now()));
    match standing.state {
        BreakerState::Closed | BreakerState::HalfOpen if breach => {
            let text = format!("{value} is beyond {}", standing.breaker.threshold);
            moved(step, standing, BreakerState::Open, Some(value), text);
        }
        BreakerState::HalfOpen if waited => moved(step, standing, BreakerState::Closed, Some(value), "it stays calm".to_owned()),
        BreakerState::Open if waited && !breach && standing.breaker.action != BreakerAction::Kill => {
            moved(step, standing, BreakerState::HalfOpen, Some(value), "trading is tried again".to_owned());
        }
        _ => (),
    }
}

/// What a breaker watches, in the unit of its threshold; `None` where nothing is known yet.
fn measure(step: &mut Step<'_>, standing: &Standing) -> Option<Decimal> {
    const MS: i64 = 1_000_000;
    let ms = |ns: i64| Decimal::from_raw(i128::from(ns) * i128::from(oms_model::amount::ONE) / i128::from(MS));
    let (kind, scope) = (standing.breaker.kind, standing.breaker.scope);
    match (kind, scope) {
        (BreakerKind::Loss, _) => Some(step.state().risk().day_loss(scope).max(Notional::ZERO).to_decimal()),
        (BreakerKind::RejectStorm | BreakerKind::Disconnect, _) => Some(standing.counted(step.now())),
        (BreakerKind::Latency, Scope::Venue(mic)) => {
            // Once it has tripped only what is acknowledged from then on says whether the venue is fast again.
            let slowest = slowest(step, mic);
            if standing.state != BreakerState::Closed {
                return Some(ms(slowest));
            }
            // The percentile remembers what was slow before the breaker closed, and is rounded up. So it takes a slow
            // acknowledgement now to trip it: the past alone would open it again as soon as it is closed.
            let p95 = step.state().venue(mic)?.stats.latency_ns(LatencyStat::P95, 0);
            Some(ms(i64::try_from(p95).unwrap_or(i64::MAX).min(slowest)))
        }
        (BreakerKind::Staleness, Scope::Instrument(id)) => step.with_market(id, |_, market, now| {
            let newest = [market.bid, market.ask, market.last].into_iter().flatten().map(|level| level.at).max()?;
            Some(Decimal::from_raw(now.since(newest).max(0).into()))
        }),
        (BreakerKind::ClockDrift, _) => Some(ms(step.drift_ns())),
        (BreakerKind::Latency | BreakerKind::Staleness, _) => None,
    }
}

/// The slowest acknowledgement of a venue in this input, nanoseconds; zero where there was none.
fn slowest(step: &Step<'_>, venue: Mic) -> i64 {
    let acknowledged = step.events().iter().filter_map(|event| match event {
        Event::OrderAccepted(e) => step.state().entry(e.order_id).filter(|leg| leg.order.venue == Some(venue)),
        _ => None,
    });
    acknowledged.filter_map(|leg| Some(step.now().since(leg.leg()?.sent_at))).max().unwrap_or(0)
}

/// Records how a breaker stands now, and does what follows.
fn moved(step: &mut Step<'_>, standing: &Standing, state: BreakerState, value: Option<Decimal>, text: String) {
    let Breaker { kind, scope, action, .. } = standing.breaker;
    let reason = format!("breaker {kind}: {text}");
    step.emit(Event::BreakerMoved(Box::new(BreakerMoved { kind, scope, state, value, text })));
    let trading = match (state, action) {
        (_, BreakerAction::Alert) => return,
        (BreakerState::Open, BreakerAction::Kill) => {
            if !step.state().risk().is_killed(scope) {
                step.emit(Event::KillSwitchEngaged(KillSwitchChanged { scope, reason }));
            }
            return step.sweeps.push_back((scope, EndedBy::KillSwitch));
        }
        // A kill switch is released by a person, who knows what was behind it.
        (_, BreakerAction::Kill) => return,
        // A person may have set a stricter one.
        (BreakerState::Open, _) => step.state().risk().trading_state(scope).max(asked(action)),
        // What a person set stands, and so does what another breaker of the scope holds.
        (BreakerState::Closed | BreakerState::HalfOpen, _) => step.state().risk().calm_state(scope),
    };
    if step.state().risk().trading_state(scope) != trading {
        step.emit(Event::TradingStateSet(TradingStateSet { scope, state: trading, reason, by_breaker: true }));
    }
}
