//! Planted bugs of the gate's memory.

use crate::simulator::mutant::Mutant;
use oms_engine::input::InputBody;
use oms_engine::{Config, Engine, State};
use oms_model::breaker::BreakerState;
use oms_model::command::{Command, RiskCommand};
use oms_model::compliance::InFlightRule;
use oms_model::dead_man::DeadManState;
use oms_model::event::{Batch, Event};
use oms_model::limit::{KillState, Scope};
use oms_model::overrides::OverrideState;
use oms_model::{Qty, StrategyId};
use oms_risk::parts::HeldParts;

const DAY_NS: i64 = 86_400_000_000_000;

/// The state with what the bug forgets; `None` where the bug is another.
pub(super) fn forget(state: &State, mutant: Mutant) -> Option<State> {
    let mut parts = state.parts();
    let risk = &mut parts.risk;
    match mutant {
        Mutant::KillConfirmedEarly => risk.killed.iter_mut().for_each(|one| one.killed.state = KillState::Engaged),
        Mutant::LimitsForgotten => risk.limits.clear(),
        Mutant::LimitVersionsForgotten => risk.retired.clear(),
        Mutant::ListsForgotten => risk.restrictions.clear(),
        Mutant::LocatesForgotten => risk.locates.clear(),
        Mutant::PriceTestForgotten => risk.short_sale_restricted.clear(),
        Mutant::SelfMatchForgotten => risk.self_match.clear(),
        Mutant::StrategiesForgotten => risk.envelopes.clear(),
        Mutant::ThrottleForgotten => risk.tripped.clear(),
        Mutant::RequiredForgotten => risk.required.clear(),
        Mutant::OverrideRevived => {
            for known in risk.overrides.iter_mut().filter(|known| known.state == OverrideState::Used) {
                (known.state, known.used_by) = (OverrideState::Active, None);
            }
        }
        Mutant::OverrideStretched => risk.overrides.iter_mut().for_each(|known| known.expires_at = known.expires_at.plus(DAY_NS)),
        Mutant::ConsentForgotten => risk.override_rule.second_person = false,
        Mutant::SchedulesForgotten => risk.schedules.clear(),
        Mutant::DeadMenForgotten => risk.dead_men.clear(),
        Mutant::DeadManRearmed => risk.dead_men.iter_mut().for_each(|man| man.state = DeadManState::Armed),
        Mutant::BreachesForgotten => {
            parts.orders.iter_mut().for_each(|entry| entry.order.extras.clear_with(|extras| extras.breached = 0));
        }
        Mutant::InFlightRuleForgotten => risk.in_flight_rule = None,
        Mutant::BreakersForgotten => risk.breakers.clear(),
        Mutant::HaltsForgotten => risk.trading_states.clear(),
        Mutant::ShortedForgotten => risk.holdings.iter_mut().for_each(|one| one.held.shorted_qty = Qty::ZERO),
        Mutant::HoldingsForgotten => {
            let idle = |one: &HeldParts| one.held.buy_qty.is_zero() && one.held.sell_qty.is_zero();
            risk.holdings.retain(idle);
        }
        _ => return None,
    }
    Some(State::from_parts(parts))
}

/// What a planted bug lets in in place of what came.
pub(super) fn swapped(body: InputBody, mutant: Option<Mutant>) -> InputBody {
    let heartbeat = |command: &Command| matches!(command, Command::Risk(risk) if matches!(**risk, RiskCommand::BeatDeadMan { .. }));
    match body {
        InputBody::Command { command, idempotency } if mutant == Some(Mutant::HeartbeatDropped) && heartbeat(&command) => {
            // Answered as done, and nothing comes of it.
            let command = Command::MassCancel { scope: Scope::Strategy(StrategyId::of(b"NOBODY")) };
            InputBody::Command { command, idempotency }
        }
        other => other,
    }
}

/// Turns the rule in flight for one decision, where a bug is planted there. Whether it did.
pub(super) fn turn_rule(engine: &mut Engine, from: InFlightRule, to: InFlightRule) -> bool {
    if engine.state().risk().in_flight_rule() != from {
        return false;
    }
    let mut parts = engine.state().parts();
    parts.risk.in_flight_rule = Some(to).filter(|rule| *rule != InFlightRule::default());
    *engine = Engine::new(State::from_parts(parts), Config::default());
    true
}

/// A breaker calmed down and everything that its scope was kept from is let in.
pub(super) fn opened(state: &State, batch: &Batch) -> Option<State> {
    let calm = batch.events.iter().filter_map(|event| match event {
        Event::BreakerMoved(e) if e.state != BreakerState::Open => Some(e.scope),
        _ => None,
    });
    let calm: Vec<Scope> = calm.collect();
    let mut parts = state.parts();
    let before = parts.risk.trading_states.len();
    parts.risk.trading_states.retain(|one| !calm.contains(&one.scope));
    (parts.risk.trading_states.len() < before).then(|| State::from_parts(parts))
}
