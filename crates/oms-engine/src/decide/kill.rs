//! A kill switch from its first moment to the confirmation that nothing works under it any more.

use crate::step::Step;
use oms_model::EndedBy;
use oms_model::event::{Event, KillSwitchConfirmed};

/// Confirms the kill switches of whose scopes the last order is gone. One that is in doubt keeps its switch ENGAGING.
pub(crate) fn follow(step: &mut Step<'_>) {
    if step.state().risk().engaging().next().is_none() || !may_confirm(step) {
        return;
    }
    let engaging: Vec<_> = step.state().risk().engaging().collect();
    for (scope, killed) in engaging {
        let sweeping = step.sweeps.iter().any(|(swept, by)| *swept == scope && *by == EndedBy::KillSwitch);
        if !sweeping && !step.state().works_in(scope) {
            let (engaged_at, last_asked_at) = (killed.since, killed.last_asked_at);
            step.emit(Event::KillSwitchConfirmed(KillSwitchConfirmed { scope, engaged_at, last_asked_at }));
        }
    }
}

/// Whether this input may have ended the last order: looking through the orders of a scope is not for every input.
fn may_confirm(step: &Step<'_>) -> bool {
    let ends = |event: &Event| {
        matches!(
            event,
            Event::KillSwitchEngaged(_)
                | Event::OrderCanceled(_)
                | Event::OrderFilled(_)
                | Event::OrderExpired(_)
                | Event::OrderRejected(_)
                | Event::OrderOutcomeResolved(_)
                | Event::OrderClosed(_)
        )
    };
    step.is_sweeping || step.events().iter().any(ends)
}
