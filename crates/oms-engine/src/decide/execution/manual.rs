//! What a person does about executions.

use super::charge;
use super::effect::{self, Booked};
use crate::decide::admin::check_reason;
use crate::decide::{parent, refused, report};
use crate::step::Step;
use oms_model::command::{BookOn, CommandOutcome, Correction, ExecutionRef, Figures, NewExecution};
use oms_model::event::{Event, ExecutionRecorded, ExecutionUnmatched, OrderStateSynced, SuspenseResolved};
use oms_model::position::Booking;
use oms_model::{
    AccountId, Code, ExecId, InstrumentId, Liquidity, Mic, Notional, OrdState, Order, OrderId, Price, Qty, Refusal, Reversal, Side, Symbol,
    Time,
};

fn outcome(result: Result<(), Refusal>) -> CommandOutcome {
    result.map_or_else(refused, |()| CommandOutcome::Done)
}

/// The figures of an execution that is to be booked.
struct Told {
    exec_id: ExecId,
    venue: Option<Mic>,
    last_qty: Qty,
    last_px: Price,
    fee: Notional,
    liquidity: Liquidity,
    transact_time: Time,
    manual: bool,
    suspense: Option<Mic>,
}

/// What an execution is booked on.
struct Target {
    account_id: AccountId,
    instrument_id: InstrumentId,
    side: Side,
    order: Option<Order>,
}

pub(crate) fn create(step: &mut Step<'_>, new: NewExecution) -> CommandOutcome {
    outcome(try_create(step, new))
}

fn try_create(step: &mut Step<'_>, new: NewExecution) -> Result<(), Refusal> {
    check_reason(&new.reason)?;
    let told = told(step, new.figures)?;
    let last_notional = told.last_px.notional(told.last_qty);
    let Some(last_notional) = last_notional.filter(|_| told.last_qty.is_positive() && !told.last_px.is_negative()) else {
        return Err(Refusal::new(Code::ValidationError, "last_qty is above zero, last_px not below it, and their product in range"));
    };
    let target = target(step, &new.on)?;
    let venue = target.order.as_ref().and_then(|order| order.venue).or(told.venue).unwrap_or(Mic::OFF_EXCHANGE);
    if told.suspense.is_some_and(|seen| seen != venue) {
        return Err(Refusal::new(Code::ValidationError, format!("the execution was told by {}", told.venue.unwrap_or_default())));
    }
    let holding = step.state().holding(target.account_id, target.instrument_id);
    let on_order = target.order.as_ref().and_then(|order| step.state().entry(order.order_id));
    let known = holding.is_some_and(|holding| holding.find(&told.exec_id, venue, None).is_some())
        || on_order.is_some_and(|entry| entry.execs().binary_search(&told.exec_id).is_ok());
    if known {
        let text = "an execution with this id is booked, or was and has been taken back";
        return Err(Refusal::new(Code::DuplicateExecution, text).with("exec_id", &told.exec_id));
    }
    match target.order.as_ref() {
        Some(order) if order.venue.is_none() => check_room(step, order, told.last_qty)?,
        Some(part) if told.suspense.is_none() => check_silent(part)?,
        _ => (),
    }
    book(step, target, told, venue, last_notional, new.reason);
    Ok(())
}

/// A venue tells what it executes of a part itself. Were it booked by hand before that, the part could be FILLED here and
/// work on there.
fn check_silent(part: &Order) -> Result<(), Refusal> {
    if part.state.is_done() {
        return Ok(());
    }
    if part.extras.replacing.is_some() {
        // How much of it there is to execute is not known either.
        let text = "a replace of the part is pending; book it once the venue has answered";
        return Err(Refusal::new(Code::StateConflict, text).with("order_id", part.order_id));
    }
    if part.extras.doubt.is_some() {
        return Ok(());
    }
    let text = "the part works at its venue, which tells its executions; cancel it first, or book what is with no part on the order above";
    Err(Refusal::new(Code::StateConflict, text).with("order_id", part.order_id))
}

/// On an order that has parts at venues, only what is with no part can be booked directly.
fn check_room(step: &Step<'_>, order: &Order, qty: Qty) -> Result<(), Refusal> {
    // A replace that is under way may have given more of it to its parts than counts as placed yet.
    let room = order.order_qty.saturating_sub(parent::placed(step, order).max(order.place_qty));
    if let Some(group) = order.group_order_id() {
        let text = "the order is worked in a group; book on the group, or dissolve it first";
        return Err(Refusal::new(Code::StateConflict, text).with("group_order_id", group));
    }
    if order.state.is_done() || qty > room {
        let text = format!(
            "{room} of the order are with none of its parts and not executed; book on a part, or cancel it first ({} are being booked)",
            qty
        );
        return Err(Refusal::new(Code::StateConflict, text).with("room", room));
    }
    Ok(())
}

fn told(step: &Step<'_>, figures: Figures) -> Result<Told, Refusal> {
    match figures {
        Figures::Given { exec_id, venue, last_qty, last_px, fee, liquidity, transact_time } => {
            let own = || ExecId::new(&format!("OWN-{}", step.state().next_seq())).unwrap_or_default();
            let exec_id = exec_id.unwrap_or_else(own);
            let transact_time = transact_time.unwrap_or_else(|| step.now());
            if venue.is_some_and(|mic| step.state().venue(mic).is_none()) {
                return Err(Refusal::new(Code::NotFound, "there is no such venue").with("venue", venue.unwrap_or_default()));
            }
            if transact_time > step.now() {
                return Err(Refusal::new(Code::ValidationError, "transact_time lies in the future"));
            }
            Ok(Told { exec_id, venue, last_qty, last_px, fee, liquidity, transact_time, manual: true, suspense: None })
        }
        Figures::Suspense { venue, exec_id } => {
            let ExecutionUnmatched { exec_id, last_qty, last_px, transact_time, exec_ref, .. } =
                in_suspense(step, venue, &exec_id)?.clone();
            if exec_ref.is_some() {
                let text = "it takes back, corrects or charges for an execution; do that to the execution and dismiss this";
                return Err(Refusal::new(Code::StateConflict, text));
            }
            let (fee, liquidity) = (Notional::ZERO, Liquidity::default());
            let (suspense, venue) = (Some(venue), Some(venue));
            Ok(Told { exec_id, venue, last_qty, last_px, fee, liquidity, transact_time, manual: true, suspense })
        }
    }
}

fn in_suspense<'a>(step: &'a Step<'_>, venue: Mic, exec_id: &ExecId) -> Result<&'a ExecutionUnmatched, Refusal> {
    let found = step.state().suspense().find(|known| known.venue == venue && known.exec_id == *exec_id);
    found.ok_or_else(|| Refusal::new(Code::NotFound, "no such execution is in suspense").with("exec_id", exec_id).with("venue", venue))
}

fn target(step: &Step<'_>, on: &BookOn) -> Result<Target, Refusal> {
    match on {
        BookOn::Order(reference) => {
            let order = step.state().find(reference).cloned();
            let order =
                order.ok_or_else(|| Refusal::new(Code::NotFound, "there is no such order, or it is closed: book on its account"))?;
            if order.venue.is_some() && order.state == OrdState::New {
                return Err(Refusal::new(Code::StateConflict, "the part was not sent yet"));
            }
            let (account_id, instrument_id, side) = (order.account_id, order.instrument_id, order.side);
            Ok(Target { account_id, instrument_id, side, order: Some(order) })
        }
        BookOn::Account { account_id, symbol, side } => {
            let (account_id, instrument_id) = owner(step, *account_id, symbol)?;
            Ok(Target { account_id, instrument_id, side: *side, order: None })
        }
    }
}

/// The account and instrument that a person names.
fn owner(step: &Step<'_>, account_id: Option<AccountId>, symbol: &Symbol) -> Result<(AccountId, InstrumentId), Refusal> {
    let state = step.state();
    let instrument = state.by_symbol(symbol).ok_or_else(|| {
        let text = format!("there is no instrument {symbol}");
        Refusal::new(Code::UnknownSymbol, text).with("symbol", symbol)
    })?;
    let account_id = match account_id {
        Some(id) if state.account(id).is_some() => id,
        Some(id) => return Err(Refusal::new(Code::NotFound, "there is no such account").with("account_id", id)),
        None => {
            let mut accounts = state.accounts();
            match (accounts.next(), accounts.next()) {
                (Some(only), None) => only.account_id,
                _ => return Err(Refusal::new(Code::ValidationError, "account_id is needed: the tenant has not exactly one account")),
            }
        }
    };
    Ok((account_id, instrument.instrument_id))
}

fn book(step: &mut Step<'_>, target: Target, told: Told, venue: Mic, last_notional: Notional, reason: String) {
    let order_id = target.order.as_ref().map(|order| order.order_id);
    if let Some(venue) = told.suspense {
        let account_id = Some(target.account_id);
        let exec_id = told.exec_id.clone();
        let reason = reason.clone();
        step.emit(Event::SuspenseResolved(Box::new(SuspenseResolved { venue, exec_id, order_id, account_id, reason })));
    }
    step.emit(Event::ExecutionRecorded(Box::new(ExecutionRecorded {
        exec_id: told.exec_id.clone(),
        order_id: order_id.unwrap_or_default(),
        root_order_id: target.order.as_ref().map(|order| order.root_order_id).unwrap_or_default(),
        account_id: target.account_id,
        instrument_id: target.instrument_id,
        side: target.side,
        venue,
        last_qty: told.last_qty,
        last_px: told.last_px,
        liquidity: told.liquidity,
        fee: told.fee,
        transact_time: told.transact_time,
        manual: told.manual,
    })));
    charge::book_waiting(step, venue, &told.exec_id, order_id, &reason);
    let Some(order) = target.order else { return };
    if order.venue.is_some() {
        let was_done = order.state.is_done();
        return report::after_execution(step, &order, was_done, &told.exec_id, told.last_qty, told.last_px, last_notional);
    }
    fill_directly(step, &order, &told, last_notional);
}

/// Executes an order itself, and those above it.
fn fill_directly(step: &mut Step<'_>, order: &Order, told: &Told, last_notional: Notional) {
    let (mut next, mut whole) = (Some(order.order_id), Vec::new());
    while let Some(order) = next.and_then(|id| step.state().order(id)).cloned() {
        let order_id = order.order_id;
        if order.state == OrdState::New {
            // Somebody worked it, so it is as if it had been sent.
            let place_qty = order.place_qty;
            step.emit(Event::OrderStateSynced(OrderStateSynced { order_id, state: OrdState::Unack, place_qty }));
        }
        if report::fill_one(step, order_id, &told.exec_id, told.last_qty, told.last_px, last_notional) {
            whole.push(order_id);
        }
        if let Some(order) = step.state().order(order_id).cloned() {
            parent::sync_placed(step, &order);
        }
        next = order.parent_order_id;
    }
    for order_id in whole {
        parent::part_ended(step, order_id);
    }
}

fn located(step: &Step<'_>, execution: &ExecutionRef) -> Result<Booked, Refusal> {
    let (account_id, instrument_id) = owner(step, execution.account_id, &execution.symbol)?;
    let not_found = || {
        let text = "no such execution of this account and instrument stands in the open day or the last closed one";
        Refusal::new(Code::NotFound, text).with("exec_id", &execution.exec_id)
    };
    let holding = step.state().holding(account_id, instrument_id).ok_or_else(not_found)?;
    let booking = match execution.venue {
        Some(venue) => holding.find(&execution.exec_id, venue, None).map(|(booking, _)| booking),
        None => one_of(holding.day().iter().chain(holding.closed()), &execution.exec_id)?,
    };
    Ok(Booked { account_id, instrument_id, booking: booking.ok_or_else(not_found)?.clone() })
}

/// The only execution with this id; an error where several venues gave it.
fn one_of<'a>(all: impl Iterator<Item = &'a Booking>, exec_id: &ExecId) -> Result<Option<&'a Booking>, Refusal> {
    let mut found = all.filter(|booking| booking.exec_id == *exec_id && !booking.against);
    match (found.next(), found.next()) {
        (one, None) => Ok(one),
        _ => Err(Refusal::new(Code::ValidationError, "several executions have this id; name the venue").with("exec_id", exec_id)),
    }
}

pub(crate) fn reverse(step: &mut Step<'_>, execution: &ExecutionRef, reversal: Reversal, reason: String) -> CommandOutcome {
    let booked = match check_reason(&reason).and_then(|()| located(step, execution)) {
        Ok(booked) => booked,
        Err(refusal) => return refused(refusal),
    };
    if reversal == Reversal::Whack && !booked.booking.manual {
        let text = "a venue told this execution; only the market takes it back, as a bust";
        return refused(Refusal::new(Code::StateConflict, text));
    }
    effect::reverse(step, &booked, reversal, None, reason);
    CommandOutcome::Done
}

pub(crate) fn correct(step: &mut Step<'_>, execution: &ExecutionRef, correction: &Correction, reason: String) -> CommandOutcome {
    outcome(try_correct(step, execution, correction, reason))
}

fn try_correct(step: &mut Step<'_>, execution: &ExecutionRef, correction: &Correction, reason: String) -> Result<(), Refusal> {
    check_reason(&reason)?;
    let booked = located(step, execution)?;
    let old = &booked.booking;
    let changed = Booking {
        qty: correction.last_qty.unwrap_or(old.qty),
        price: correction.last_px.unwrap_or(old.price),
        fee: correction.fee.unwrap_or(old.fee),
        ..old.clone()
    };
    let usable = changed.qty.is_positive() && !changed.price.is_negative() && changed.price.notional(changed.qty).is_some();
    if !usable {
        let text = "last_qty is above zero, last_px not below it, and their product in range; what is to vanish is busted or whacked";
        return Err(Refusal::new(Code::ValidationError, text));
    }
    if changed == *old {
        return Err(Refusal::new(Code::ValidationError, "the correction changes nothing"));
    }
    let rise = changed.qty.saturating_sub(old.qty);
    let order = step.state().order(old.order_id).filter(|order| order.venue.is_none()).cloned();
    if let Some(order) = order.filter(|_| rise.is_positive()) {
        check_room(step, &order, rise)?;
    }
    effect::correct(step, &booked, &changed, None, reason);
    Ok(())
}

pub(crate) fn dismiss(step: &mut Step<'_>, venue: Mic, exec_id: ExecId, reason: String) -> CommandOutcome {
    let found = check_reason(&reason).and_then(|()| in_suspense(step, venue, &exec_id).map(drop));
    if let Err(refusal) = found {
        return refused(refusal);
    }
    let (order_id, account_id): (Option<OrderId>, _) = (None, None);
    step.emit(Event::SuspenseResolved(Box::new(SuspenseResolved { venue, exec_id, order_id, account_id, reason })));
    CommandOutcome::Done
}
