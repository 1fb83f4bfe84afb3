//! Planted bugs in what a process keeps of executions, groups and replaces.

use crate::simulator::mutant::Mutant;
use oms_engine::State;
use oms_engine::state::StateParts;
use oms_model::event::{Batch, Event};
use oms_model::position::{Booking, Holding, Position};
use oms_model::{AccountId, InstrumentId, Notional, Qty};

/// Whether it is one of a recovery that forgets.
pub(super) fn is_forgetful(mutant: Mutant) -> bool {
    matches!(
        mutant,
        Mutant::SagaForgotten
            | Mutant::ExecutionsForgotten
            | Mutant::GroupsForgotten
            | Mutant::AllocationForgotten
            | Mutant::ProposalForgotten
            | Mutant::SuspenseForgotten
            | Mutant::RatesForgotten
            | Mutant::FrozenForgotten
            | Mutant::DirectForgotten
    )
}

/// What a planted bug makes of a recovered state.
pub(super) fn forget(state: &State, mutant: Mutant) -> State {
    let mut parts = state.parts();
    match mutant {
        Mutant::SagaForgotten => parts.orders.iter_mut().for_each(|entry| entry.order.extras.clear_with(|extras| extras.saga = None)),
        Mutant::ExecutionsForgotten => parts.orders.iter_mut().for_each(|entry| entry.execs.clear()),
        Mutant::GroupsForgotten => parts.groups.clear(),
        Mutant::AllocationForgotten => parts.groups.iter_mut().for_each(|group| group.booked = None),
        Mutant::ProposalForgotten => parts.groups.iter_mut().for_each(|group| group.proposed = None),
        Mutant::SuspenseForgotten => parts.suspense.clear(),
        Mutant::RatesForgotten => parts.fx_rates.clear(),
        Mutant::FrozenForgotten => {
            for holding in &mut parts.holdings {
                let Position { account_id, instrument_id, .. } = holding.base;
                holding.base = Position { account_id, instrument_id, ..Position::default() };
            }
        }
        Mutant::DirectForgotten => parts.orders.iter_mut().for_each(|entry| {
            entry.order.extras.clear_with(|extras| {
                if let Some(booked) = extras.booked.as_deref_mut() {
                    booked.direct_qty = Qty::ZERO;
                }
            });
        }),
        _ => (),
    }
    State::from_parts(parts)
}

/// What a planted bug makes of the state after a batch; `None` where it leaves it alone.
pub(super) fn folded_wrongly(state: &State, batch: &Batch, mutant: Mutant) -> Option<StateParts> {
    let mut changed = None;
    for event in &batch.events {
        match (mutant, event) {
            (Mutant::BustLeavesPosition, Event::ExecutionBusted(e)) if e.last_qty.is_positive() => {
                let booking = Booking {
                    transact_time: e.transact_time,
                    exec_id: e.exec_id.clone(),
                    venue: e.venue,
                    order_id: e.order_id,
                    is_buy: e.side.is_buy(),
                    qty: e.last_qty,
                    price: e.last_px,
                    fee: e.fee,
                    ..Booking::default()
                };
                let parts = changed.get_or_insert_with(|| state.parts());
                with_day(parts, state, (e.account_id, e.instrument_id), |day| day.push(booking));
            }
            (Mutant::ArrivalOrder, Event::ExecutionRecorded(e)) => {
                let parts = changed.get_or_insert_with(|| state.parts());
                with_day(parts, state, (e.account_id, e.instrument_id), |day| {
                    let at = day.iter().position(|booking| booking.exec_id == e.exec_id && booking.order_id == e.order_id);
                    if let Some(booking) = at.map(|at| day.remove(at)) {
                        day.push(booking);
                    }
                });
            }
            (Mutant::ShareLost, Event::AllocationBooked(e)) => {
                let parts = changed.get_or_insert_with(|| state.parts());
                let member = e.shares.iter().find(|share| share.qty.is_positive()).map(|share| share.order_id);
                for entry in parts.orders.iter_mut().filter(|entry| Some(entry.order.order_id) == member) {
                    entry.order.cum_notional = Notional::ZERO;
                }
            }
            (Mutant::DayNotFrozen, Event::DayClosed(_)) => {
                let parts = changed.get_or_insert_with(|| state.parts());
                for holding in &mut parts.holdings {
                    holding.day = std::mem::take(&mut holding.closed);
                    let Position { account_id, instrument_id, .. } = holding.base;
                    holding.base = Position { account_id, instrument_id, ..Position::default() };
                }
            }
            _ => (),
        }
    }
    changed
}

/// Changes the executions of the open day of one position, and works it out again.
fn with_day(parts: &mut StateParts, state: &State, key: (AccountId, InstrumentId), change: impl FnOnce(&mut Vec<Booking>)) {
    let at = parts.positions.iter().position(|position| (position.account_id, position.instrument_id) == key);
    let Some(at) = at else { return };
    change(&mut parts.holdings[at].day);
    let holding = &parts.holdings[at];
    let again = Holding::from_parts(state.cost_method(), holding.base.clone(), holding.day.clone(), holding.closed.clone(), []);
    parts.positions[at] = again.now().clone();
}
