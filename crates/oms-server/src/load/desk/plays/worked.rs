//! Orders that the desk works itself: triggers, pegs, algorithms, lists.

use super::{Idea, jitter, px};
use crate::exit::Failure;
use crate::load::desk::trader::Trader;
use serde_json::{Value, json};

/// A time so many milliseconds from now.
fn in_ms(ms: i64) -> String {
    let at = oms_api::past::now().0.saturating_add(ms.saturating_mul(1_000_000));
    oms_api::json::write::rfc3339(oms_model::Time(at))
}

pub(super) fn trailing_stop(trader: &mut Trader) -> Result<(), Failure> {
    let idea = Idea::new(trader, 90);
    let trail = if trader.below(2) == 0 { json!({"amount": px(2 + jitter(trader) / 4)}) } else { json!({"percent": "0.5"}) };
    trader.place("trailing stop", idea.order("TRAILING_STOP", None, &json!({"trail": trail, "trigger_source": "MID"})))?;
    Ok(())
}

pub(super) fn displayed_in_part(trader: &mut Trader) -> Result<(), Failure> {
    let mut idea = Idea::new(trader, 900);
    idea.qty += 100;
    let floor = (idea.qty / 5).to_string();
    let price = idea.through(50 + jitter(trader));
    trader.place("limit, displayed in part", idea.order("LIMIT", Some(price), &json!({"max_floor": floor})))?;
    Ok(())
}

pub(super) fn pegged(trader: &mut Trader) -> Result<(), Failure> {
    let idea = Idea::new(trader, 200);
    let peg_price = if trader.below(2) == 0 { "PRIMARY" } else { "MID" };
    trader.place("pegged", idea.order("PEGGED", Some(idea.through(200)), &json!({"peg": {"peg_price": peg_price}})))?;
    Ok(())
}

/// An algorithm that ends within the day, some of them suspended and resumed on the way.
pub(super) fn sliced(trader: &mut Trader) -> Result<(), Failure> {
    let mut idea = Idea::new(trader, 400);
    idea.qty += 50;
    let end = 1_000 + i64::try_from(trader.below(4_000)).unwrap_or(0);
    let algo = match trader.below(3) {
        0 => json!({"strategy": "TWAP", "slices": 5, "end_time": in_ms(end), "leftover": "CANCEL"}),
        1 => json!({"strategy": "TIME_SLICED", "interval_ms": 200, "slice_qty": "20", "end_time": in_ms(end), "leftover": "CROSS"}),
        _ => json!({"strategy": "POV", "interval_ms": 250, "max_participation": "0.2", "end_time": in_ms(end)}),
    };
    let price = idea.through(100 + jitter(trader));
    let Some(id) = trader.place("algorithm", idea.order("LIMIT", Some(price), &json!({"algo": algo})))? else { return Ok(()) };
    if trader.below(3) == 0 {
        for name in ["OrderSuspendCmd", "OrderResumeCmd"] {
            trader.command(&json!({"type": name, "order_id": id}))?;
        }
    }
    Ok(())
}

/// The orders of a list are taken or refused together.
fn list(trader: &mut Trader, kind: &'static str, command: &Value) -> Result<(), Failure> {
    let answer = trader.command(command)?;
    let results = answer.get("results").and_then(Value::as_array);
    let count = command.get("orders").and_then(Value::as_array).map_or(0, Vec::len);
    for nth in 0..count {
        let accepted = results.and_then(|all| all.get(nth)).and_then(|one| one.get("status")).and_then(Value::as_str) == Some("ACCEPTED");
        trader.note(kind, if accepted { 201 } else { 422 }, &answer);
    }
    Ok(())
}

/// An order that trades, with a target and a stop that it arms as it is executed.
pub(super) fn bracket(trader: &mut Trader) -> Result<(), Failure> {
    let first = Idea::new(trader, 90);
    let entry = first.order("LIMIT", Some(first.through(100 + jitter(trader))), &json!({"time_in_force": "DAY"}));
    let exit = Idea { quote: first.quote.clone(), side: if first.is_buy() { "SELL" } else { "BUY" }, qty: first.qty };
    let target = exit.order("LIMIT", Some(exit.away(200 + jitter(trader))), &json!({"time_in_force": "DAY"}));
    let protection = exit.order("STOP", None, &json!({"stop_px": px(exit.through(200 + jitter(trader)))}));
    let command = json!({"type": "OrderBatchCreateCmd", "contingency": "OTOCO", "arm": "PRO_RATA", "orders": [entry, target, protection]});
    list(trader, "bracket", &command)
}

pub(super) fn one_cancels_the_other(trader: &mut Trader) -> Result<(), Failure> {
    let idea = Idea::new(trader, 90);
    let target = idea.order("LIMIT", Some(idea.away(150 + jitter(trader))), &json!({"time_in_force": "DAY"}));
    let stop = idea.order("STOP", None, &json!({"stop_px": px(idea.through(150 + jitter(trader)))}));
    list(trader, "one cancels the other", &json!({"type": "OrderBatchCreateCmd", "contingency": "OCO", "orders": [target, stop]}))
}
