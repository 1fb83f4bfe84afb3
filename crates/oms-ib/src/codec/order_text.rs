//! The text form of orders: long rows in which a field's meaning is its place.
//!
//! Some fields are there only if an earlier one says so (legs of a combination, a delta-neutral hedge, a scale, an
//! algorithm, conditions). They are counted off exactly, since a slip would give every later field another's meaning.

use super::layout::Wire;
use super::text::{TextIn, TextOut};
use super::{CompletedOrder, Condition, Contract, Fault, Number, OpenOrder, Order, OrderState, PlaceOrder};

/// The first server version without the profile of advisors.
const NO_PROFILE_VERSION: u16 = 177;
/// What TWS says for no delta-neutral order; its presence brings eight more fields.
const NO_DELTA_NEUTRAL: &str = "None";

impl Wire for PlaceOrder {
    fn write_text(&self, version: u16, out: &mut TextOut<'_>) {
        let order = &self.order;
        out.put(&self.order_id);
        self.contract.write_twelve(out);
        // 14 to 34.
        out.all(&["", ""]).put(&order.action).put(&order.quantity).put(&order.order_type).put(&order.limit).put(&order.aux);
        out.put(&order.tif).put(&order.oca_group).put(&order.account).put(&order.open_close).put(&order.origin).put(&order.order_ref);
        out.put(&order.transmit).put(&order.parent_id).all(&["0", "0"]).put(&order.display_size).put(&order.trigger_method);
        out.put(&order.outside_rth).put(&order.hidden);
        if self.contract.sec_type == "BAG" {
            out.all(&["0", "0", "0"]);
        }
        // 35 to 41.
        out.all(&["", "0"]).put(&order.good_after).put(&order.good_till).all(&["", "", ""]);
        if version < NO_PROFILE_VERSION {
            out.raw("");
        }
        // 42 to 54.
        out.all(&["", "0", "", "-1"]).put(&order.oca_type).all(&["", ""]).put(&order.all_or_none).put(&order.min_qty);
        out.put(&order.percent_offset).all(&["0", "0", ""]);
        // 55 to 67.
        out.all(&["0", "", "", "", "", "", "0", "", "", "", "", "0", ""]);
        // 68 to 81.
        out.put(&order.trail_stop).put(&order.trailing_percent).all(&["", "", "", "", "", "", "", "0", "", "", "0", "0"]);
        write_algo(order, out);
        // 83 to 88.
        out.raw("").put(&order.what_if).all(&["", "0", "0", "0"]);
        write_peg(order, out);
        write_conditions(order, out);
        // 90 to 113.
        out.all(&["", ""]).put(&order.limit_offset).all(&["", "", "", "0", "", "", ""]).put(&order.cash_qty);
        out.all(&["", "", "", "", "0", "0", "0", "", "", "", "0", "", ""]);
        match peg_tail(order, &self.contract) {
            PegTail::None => (),
            PegTail::MinTrade => drop(out.raw("")),
            PegTail::Best { min_trade } => drop(out.all(if min_trade { &["", "", ""] } else { &["", ""] })),
            PegTail::Mid { min_trade } => drop(out.all(if min_trade { &["", "", ""] } else { &["", ""] })),
        }
    }

    fn read_text(version: u16, input: &mut TextIn<'_>) -> Result<Self, Fault> {
        let order_id = input.get()?;
        let contract = Contract::read_twelve(input)?;
        let mut order = Order { order_id, ..Order::default() };
        input.skip(2)?;
        read_terms(&mut order, input)?;
        read_holder(&mut order, input)?;
        (order.transmit, order.parent_id) = (input.get()?, input.get()?);
        input.skip(2)?;
        (order.display_size, order.trigger_method) = (input.get()?, input.get()?);
        (order.outside_rth, order.hidden) = (input.get()?, input.get()?);
        if contract.sec_type == "BAG" {
            skip_legs(input)?;
        }
        input.skip(2)?;
        (order.good_after, order.good_till) = (input.get()?, input.get()?);
        input.skip(3 + usize::from(version < NO_PROFILE_VERSION))?;
        input.skip(4)?;
        order.oca_type = input.get()?;
        input.skip(2)?;
        (order.all_or_none, order.min_qty, order.percent_offset) = (input.get()?, input.get()?, input.get()?);
        input.skip(3 + 6 + 3)?;
        skip_delta_neutral(input, 8)?;
        input.skip(2)?;
        (order.trail_stop, order.trailing_percent) = (input.get()?, input.get()?);
        skip_scale(input)?;
        input.skip(3)?;
        skip_hedge(input)?;
        input.skip(4)?;
        skip_delta_contract(input)?;
        read_algo(&mut order, input)?;
        input.skip(1)?;
        order.what_if = input.get()?;
        input.skip(4)?;
        skip_peg(&order, input)?;
        read_conditions(&mut order, input)?;
        input.skip(2)?;
        order.limit_offset = input.get()?;
        input.skip(7)?;
        order.cash_qty = input.get()?;
        input.skip(13)?;
        // What follows depends on the order type and has no meaning here.
        Ok(Self { order_id, contract, order })
    }
}

impl Wire for OpenOrder {
    fn write_text(&self, version: u16, out: &mut TextOut<'_>) {
        let (order, state) = (&self.order, &self.state);
        out.put(&self.order_id);
        self.contract.write_eleven(out);
        write_terms(order, out);
        // 23 to 33.
        out.put(&order.order_ref).put(&order.client_id).put(&order.perm_id).put(&order.outside_rth).put(&order.hidden);
        out.raw("0").put(&order.good_after).all(&["", "", "", ""]);
        if version < NO_PROFILE_VERSION {
            out.raw("");
        }
        // 34 to 61.
        out.raw("").put(&order.good_till).raw("").put(&order.percent_offset).all(&["", "0", "", "-1", "0", "", "", "", "", ""]);
        out.put(&order.display_size).all(&["0", "0"]).put(&order.all_or_none).put(&order.min_qty).put(&order.oca_type);
        out.all(&["0", "0", ""]).put(&order.parent_id).put(&order.trigger_method).all(&["", "0"]);
        // 61 to 72: no delta-neutral order, which has eight fields of its own.
        out.all(&[NO_DELTA_NEUTRAL, "", "0", "", "", "", "?", "0", "0", "", "0", ""]);
        // 73 to 89.
        out.put(&order.trail_stop).put(&order.trailing_percent).all(&["", "", "", "0", "0", "0", "", "", "", ""]);
        out.all(&["0", "", "IB", "0", "0"]);
        write_algo(order, out);
        // 91 to 109.
        out.raw("0").put(&order.what_if);
        write_state(state, out);
        out.all(&["0", "0"]);
        write_peg(order, out);
        write_conditions(order, out);
        // 111 to 118: the trailing stop again.
        out.all(&["None", ""]).put(&order.trail_stop).put(&order.limit_offset).all(&["", "", "", "0"]);
        // 119 to 129.
        out.all(&["", "", ""]).put(&order.cash_qty).all(&["0", "0", "0", "0", "", "", "0"]);
        out.all(&["", "", "", "", ""]);
    }

    fn read_text(version: u16, input: &mut TextIn<'_>) -> Result<Self, Fault> {
        let order_id = input.get()?;
        let contract = Contract::read_eleven(input)?;
        let mut order = Order { order_id, transmit: true, ..Order::default() };
        read_terms(&mut order, input)?;
        read_holder(&mut order, input)?;
        (order.client_id, order.perm_id, order.outside_rth, order.hidden) = (input.get()?, input.get()?, input.get()?, input.get()?);
        input.skip(1)?;
        order.good_after = input.get()?;
        input.skip(4 + usize::from(version < NO_PROFILE_VERSION))?;
        input.skip(1)?;
        order.good_till = input.get()?;
        input.skip(1)?;
        order.percent_offset = input.get()?;
        input.skip(10)?;
        order.display_size = input.get()?;
        input.skip(2)?;
        (order.all_or_none, order.min_qty, order.oca_type) = (input.get()?, input.get()?, input.get()?);
        input.skip(3)?;
        (order.parent_id, order.trigger_method) = (input.get()?, input.get()?);
        input.skip(2)?;
        skip_delta_neutral(input, 8)?;
        input.skip(2)?;
        (order.trail_stop, order.trailing_percent) = (input.get()?, input.get()?);
        input.skip(3)?;
        skip_legs(input)?;
        skip_scale(input)?;
        skip_hedge(input)?;
        input.skip(4)?;
        skip_delta_contract(input)?;
        read_algo(&mut order, input)?;
        input.skip(1)?;
        order.what_if = input.get()?;
        let state = read_state(input)?;
        input.skip(2)?;
        skip_peg(&order, input)?;
        read_conditions(&mut order, input)?;
        input.skip(3)?;
        order.limit_offset = input.get()?;
        input.skip(4 + 3)?;
        order.cash_qty = input.get()?;
        input.skip(4 + 3 + 5)?;
        Ok(Self { order_id, contract, order, state })
    }
}

impl Wire for CompletedOrder {
    fn write_text(&self, version: u16, out: &mut TextOut<'_>) {
        let (order, state) = (&self.order, &self.state);
        self.contract.write_eleven(out);
        write_terms(order, out);
        out.put(&order.order_ref).put(&order.perm_id).put(&order.outside_rth).put(&order.hidden);
        out.raw("0").put(&order.good_after).all(&["", "", ""]);
        if version < NO_PROFILE_VERSION {
            out.raw("");
        }
        out.raw("").put(&order.good_till).raw("").put(&order.percent_offset).all(&["", "0", "", "-1", "", "", "", "", ""]);
        out.put(&order.display_size).raw("0").put(&order.all_or_none).put(&order.min_qty).put(&order.oca_type);
        out.put(&order.trigger_method).all(&["", "0"]);
        out.all(&[NO_DELTA_NEUTRAL, "", "0", "0", "0", "", "0", ""]);
        out.put(&order.trail_stop).put(&order.trailing_percent).all(&["", "0", "0", "0", "", "", "", ""]);
        out.all(&["", "IB", "0", "0"]);
        write_algo(order, out);
        out.raw("0").put(&state.status).all(&["0", "0"]);
        write_peg(order, out);
        write_conditions(order, out);
        out.put(&order.trail_stop).put(&order.limit_offset).put(&order.cash_qty).all(&["0", "0", ""]).put(&self.filled);
        out.all(&["0", "0", "", "0", "0", "0"]).put(&state.completed_time).put(&state.completed_status);
        out.all(&["", "", "", "", ""]);
    }

    fn read_text(version: u16, input: &mut TextIn<'_>) -> Result<Self, Fault> {
        let contract = Contract::read_eleven(input)?;
        let mut order = Order { transmit: true, ..Order::default() };
        read_terms(&mut order, input)?;
        read_holder(&mut order, input)?;
        (order.perm_id, order.outside_rth, order.hidden) = (input.get()?, input.get()?, input.get()?);
        input.skip(1)?;
        order.good_after = input.get()?;
        input.skip(3 + usize::from(version < NO_PROFILE_VERSION))?;
        input.skip(1)?;
        order.good_till = input.get()?;
        input.skip(1)?;
        order.percent_offset = input.get()?;
        input.skip(9)?;
        order.display_size = input.get()?;
        input.skip(1)?;
        (order.all_or_none, order.min_qty, order.oca_type) = (input.get()?, input.get()?, input.get()?);
        order.trigger_method = input.get()?;
        input.skip(2)?;
        skip_delta_neutral(input, 4)?;
        input.skip(2)?;
        (order.trail_stop, order.trailing_percent) = (input.get()?, input.get()?);
        input.skip(1)?;
        skip_legs(input)?;
        skip_scale(input)?;
        skip_hedge(input)?;
        input.skip(3)?;
        skip_delta_contract(input)?;
        read_algo(&mut order, input)?;
        input.skip(1)?;
        let mut state = OrderState { status: input.get()?, ..OrderState::default() };
        input.skip(2)?;
        skip_peg(&order, input)?;
        read_conditions(&mut order, input)?;
        input.skip(1)?;
        (order.limit_offset, order.cash_qty) = (input.get()?, input.get()?);
        input.skip(3)?;
        let filled = input.get()?;
        input.skip(6)?;
        (state.completed_time, state.completed_status) = (input.get()?, input.get()?);
        input.skip(5)?;
        Ok(Self { contract, order, state, filled })
    }
}

/// Action to origin, as told.
fn write_terms(order: &Order, out: &mut TextOut<'_>) {
    out.put(&order.action).put(&order.quantity).put(&order.order_type).put(&order.limit).put(&order.aux).put(&order.tif);
    out.put(&order.oca_group).put(&order.account).put(&order.open_close).put(&order.origin);
}

/// Action to time in force.
fn read_terms(order: &mut Order, input: &mut TextIn<'_>) -> Result<(), Fault> {
    (order.action, order.quantity, order.order_type) = (input.get()?, input.get()?, input.get()?);
    (order.limit, order.aux, order.tif) = (input.get()?, input.get()?, input.get()?);
    Ok(())
}

/// Group to reference.
fn read_holder(order: &mut Order, input: &mut TextIn<'_>) -> Result<(), Fault> {
    (order.oca_group, order.account, order.open_close) = (input.get()?, input.get()?, input.get()?);
    (order.origin, order.order_ref) = (input.get()?, input.get()?);
    Ok(())
}

/// Legs of a combination, their prices, and how it is routed.
fn skip_legs(input: &mut TextIn<'_>) -> Result<(), Fault> {
    for fields in [8, 1, 2] {
        let count = input.count(fields)?;
        input.skip(fields * count)?;
    }
    Ok(())
}

/// A delta-neutral order, its price, and `more` fields where there is one.
fn skip_delta_neutral(input: &mut TextIn<'_>, more: usize) -> Result<(), Fault> {
    let kind = input.raw()?;
    input.skip(1)?;
    if kind.is_empty() { Ok(()) } else { input.skip(more) }
}

fn skip_scale(input: &mut TextIn<'_>) -> Result<(), Fault> {
    input.skip(2)?;
    let increment: Option<Number> = input.get()?;
    if increment.is_some_and(Number::is_positive) { input.skip(7) } else { Ok(()) }
}

fn skip_hedge(input: &mut TextIn<'_>) -> Result<(), Fault> {
    if input.raw()?.is_empty() { Ok(()) } else { input.skip(1) }
}

fn skip_delta_contract(input: &mut TextIn<'_>) -> Result<(), Fault> {
    if input.get()? { input.skip(3) } else { Ok(()) }
}

fn write_algo(order: &Order, out: &mut TextOut<'_>) {
    out.put(&order.algo_strategy);
    if !order.algo_strategy.is_empty() {
        out.put(&order.algo_params);
    }
}

fn read_algo(order: &mut Order, input: &mut TextIn<'_>) -> Result<(), Fault> {
    order.algo_strategy = input.get()?;
    if !order.algo_strategy.is_empty() {
        order.algo_params = input.get()?;
    }
    Ok(())
}

fn is_peg_bench(order: &Order) -> bool {
    matches!(order.order_type.as_str(), "PEG BENCH" | "PEGBENCH")
}

fn write_peg(order: &Order, out: &mut TextOut<'_>) {
    if is_peg_bench(order) {
        out.all(&["0", "0", "", "", ""]);
    }
}

fn skip_peg(order: &Order, input: &mut TextIn<'_>) -> Result<(), Fault> {
    if is_peg_bench(order) { input.skip(5) } else { Ok(()) }
}

/// Fields at the end that only some orders have.
enum PegTail {
    None,
    MinTrade,
    Best { min_trade: bool },
    Mid { min_trade: bool },
}

fn peg_tail(order: &Order, contract: &Contract) -> PegTail {
    let min_trade = contract.exchange == "IBKRATS";
    match order.order_type.as_str() {
        "PEG BEST" | "PEGBEST" => PegTail::Best { min_trade },
        "PEG MID" | "PEGMID" => PegTail::Mid { min_trade },
        _ if min_trade => PegTail::MinTrade,
        _ => PegTail::None,
    }
}

fn write_conditions(order: &Order, out: &mut TextOut<'_>) {
    out.raw(&order.conditions.len().to_string());
    for condition in &order.conditions {
        out.put(&condition.kind);
        for field in &condition.fields {
            out.raw(field);
        }
    }
    if !order.conditions.is_empty() {
        out.put(&order.conditions_ignore_rth).put(&order.conditions_cancel);
    }
}

fn read_conditions(order: &mut Order, input: &mut TextIn<'_>) -> Result<(), Fault> {
    let count = input.count(4)?;
    for _ in 0..count {
        let kind = input.get()?;
        let fields = Condition::fields(kind).ok_or(Fault::Missing("a condition of a kind that is known"))?;
        let fields = (0..fields).map(|_| input.get()).collect::<Result<_, _>>()?;
        order.conditions.push(Condition { kind, fields });
    }
    if count > 0 {
        (order.conditions_ignore_rth, order.conditions_cancel) = (input.get()?, input.get()?);
    }
    Ok(())
}

/// Status, margins, commissions and warning.
fn write_state(state: &OrderState, out: &mut TextOut<'_>) {
    out.put(&state.status).put(&state.init_margin_before).put(&state.maint_margin_before).put(&state.equity_before);
    out.put(&state.init_margin_change).put(&state.maint_margin_change).put(&state.equity_change);
    out.put(&state.init_margin_after).put(&state.maint_margin_after).put(&state.equity_after);
    out.put(&state.commission).put(&state.min_commission).put(&state.max_commission);
    out.put(&state.commission_currency).put(&state.warning);
}

fn read_state(input: &mut TextIn<'_>) -> Result<OrderState, Fault> {
    Ok(OrderState {
        status: input.get()?,
        init_margin_before: input.get()?,
        maint_margin_before: input.get()?,
        equity_before: input.get()?,
        init_margin_change: input.get()?,
        maint_margin_change: input.get()?,
        equity_change: input.get()?,
        init_margin_after: input.get()?,
        maint_margin_after: input.get()?,
        equity_after: input.get()?,
        commission: input.get()?,
        min_commission: input.get()?,
        max_commission: input.get()?,
        commission_currency: input.get()?,
        warning: input.get()?,
        ..OrderState::default()
    })
}
