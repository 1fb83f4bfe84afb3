//! Planted bugs of the gate's memory.

use crate::simulator::mutant::Mutant;
use oms_engine::State;
use oms_model::Qty;
use oms_model::limit::KillState;
use oms_model::overrides::OverrideState;
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
        Mutant::ShortedForgotten => risk.holdings.iter_mut().for_each(|one| one.held.shorted_qty = Qty::ZERO),
        Mutant::HoldingsForgotten => {
            let idle = |one: &HeldParts| one.held.buy_qty.is_zero() && one.held.sell_qty.is_zero();
            risk.holdings.retain(idle);
        }
        _ => return None,
    }
    Some(State::from_parts(parts))
}
