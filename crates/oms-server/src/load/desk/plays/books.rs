//! What a desk does with orders and executions in its books: groups, and trades that were made by telephone.

use super::{Idea, jitter, px};
use crate::exit::Failure;
use crate::load::desk::trader::Trader;
use serde_json::json;

/// Orders that wait for a person, worked as one and shared out as it trades.
pub(super) fn group(trader: &mut Trader) -> Result<(), Failure> {
    let first = Idea::new(trader, 200);
    let price = first.through(100 + jitter(trader));
    let mut members = Vec::new();
    for _ in 0..3 {
        let idea = Idea { quote: first.quote.clone(), side: first.side, qty: 1 + trader.below(200) };
        let order = idea.order("LIMIT", Some(price), &json!({"routing": {"care": true}}));
        members.extend(trader.place("grouped", order)?);
    }
    if members.len() > 1 {
        trader.command(&json!({"type": "OrderGroupCmd", "members": members, "mode": "STP"}))?;
    }
    Ok(())
}

/// A trade that a person books, corrects, and now and then takes back.
pub(super) fn told_by_telephone(trader: &mut Trader) -> Result<(), Failure> {
    let idea = Idea::new(trader, 50);
    let (exec_id, symbol, reason) = (trader.id(), &idea.quote.symbol, "told by telephone");
    let (last_qty, last_px) = (idea.qty.to_string(), px(idea.quote.bid));
    trader.command(&json!({
        "type": "ExecutionCreateCmd", "symbol": symbol, "side": idea.side, "exec_id": exec_id, "last_qty": last_qty, "last_px": last_px, "reason": reason
    }))?;
    let corrected = px(idea.quote.bid - 1);
    trader
        .command(&json!({"type": "ExecutionCorrectCmd", "symbol": symbol, "exec_id": exec_id, "last_px": corrected, "reason": reason}))?;
    if trader.below(2) == 0 {
        trader.command(&json!({"type": "ExecutionWhackCmd", "symbol": symbol, "exec_id": exec_id, "reason": "booked twice"}))?;
    }
    Ok(())
}
