//! What traders do: each play is an order, or several, with what follows.

mod books;
mod worked;

use super::trader::Trader;
use crate::exit::Failure;
use crate::load::order::Quote;
use serde_json::{Value, json};

/// One play.
pub(super) struct Play {
    /// How often it is taken, among the weights of all.
    weight: u64,
    /// What is done.
    pub run: fn(&mut Trader) -> Result<(), Failure>,
}

const fn play(weight: u64, run: fn(&mut Trader) -> Result<(), Failure>) -> Play {
    Play { weight, run }
}

const PLAYS: &[Play] = &[
    play(20, limit_that_trades),
    play(12, limit_that_rests),
    play(10, market),
    play(8, fill_or_kill),
    play(6, good_till_date),
    play(8, limit_that_is_replaced),
    play(8, limit_that_is_canceled),
    play(6, stop),
    play(4, stop_limit),
    play(6, named_venue),
    play(6, swept),
    play(5, care),
    play(2, batch),
    play(1, atomic_batch),
    play(3, refused),
    play(4, worked::trailing_stop),
    play(4, worked::displayed_in_part),
    play(3, worked::pegged),
    play(4, worked::sliced),
    play(3, worked::bracket),
    play(3, worked::one_cancels_the_other),
    play(3, books::group),
    play(2, books::told_by_telephone),
    play(5, other_class),
];

/// The sum of all weights.
pub(super) fn weights() -> u64 {
    PLAYS.iter().map(|play| play.weight).sum()
}

/// How many plays there are.
#[cfg(test)]
pub(super) fn count() -> usize {
    PLAYS.len()
}

/// The play that a number below [`weights`] means.
pub(super) fn pick(mut number: u64) -> Option<&'static Play> {
    PLAYS.iter().find(|play| {
        let meant = number < play.weight;
        number = number.saturating_sub(play.weight);
        meant
    })
}

/// Cents as a price.
fn px(cents: i64) -> String {
    let cents = cents.max(1);
    format!("{}.{:02}", cents / 100, cents % 100)
}

struct Idea {
    quote: Quote,
    side: &'static str,
    qty: u64,
}

impl Idea {
    fn new(trader: &mut Trader, most: u64) -> Self {
        let side = if trader.below(2) == 0 { "BUY" } else { "SELL" };
        Self { quote: trader.instrument(), side, qty: 1 + trader.below(most) }
    }

    fn is_buy(&self) -> bool {
        self.side == "BUY"
    }

    /// So many cents of a percent through the market.
    fn through(&self, permyriad: i64) -> i64 {
        let Quote { bid, ask, .. } = self.quote;
        if self.is_buy() { ask + ask * permyriad / 10_000 + 1 } else { bid - bid * permyriad / 10_000 - 1 }
    }

    /// So many cents of a percent away from it.
    fn away(&self, permyriad: i64) -> i64 {
        let Quote { bid, ask, .. } = self.quote;
        if self.is_buy() { bid - bid * permyriad / 10_000 - 1 } else { ask + ask * permyriad / 10_000 + 1 }
    }

    fn order(&self, ord_type: &str, price: Option<i64>, more: &Value) -> Value {
        let mut order = json!({"symbol": self.quote.symbol, "side": self.side, "ord_type": ord_type, "order_qty": self.qty.to_string()});
        if let Some(fields) = order.as_object_mut() {
            if let Some(price) = price {
                fields.insert("price".to_owned(), json!(px(price)));
            }
            fields.extend(more.as_object().cloned().unwrap_or_default());
        }
        order
    }
}

fn jitter(trader: &mut Trader) -> i64 {
    i64::try_from(trader.below(40)).unwrap_or(0)
}

fn limit_that_trades(trader: &mut Trader) -> Result<(), Failure> {
    let idea = Idea::new(trader, 90);
    let price = idea.through(100 + jitter(trader));
    trader.place("limit IOC", idea.order("LIMIT", Some(price), &json!({"time_in_force": "IOC"})))?;
    Ok(())
}

fn resting(trader: &mut Trader, more: &Value) -> (Idea, Value) {
    let idea = Idea::new(trader, 900);
    let price = idea.away(300 + jitter(trader));
    let order = idea.order("LIMIT", Some(price), more);
    (idea, order)
}

fn limit_that_rests(trader: &mut Trader) -> Result<(), Failure> {
    let tif = if trader.below(2) == 0 { "DAY" } else { "GTC" };
    let (_, order) = resting(trader, &json!({"time_in_force": tif}));
    trader.place("limit DAY, GTC", order)?;
    Ok(())
}

fn market(trader: &mut Trader) -> Result<(), Failure> {
    let idea = Idea::new(trader, 60);
    trader.place("market", idea.order("MARKET", None, &json!({})))?;
    Ok(())
}

fn fill_or_kill(trader: &mut Trader) -> Result<(), Failure> {
    let idea = Idea::new(trader, 400);
    let price = idea.through(50 + jitter(trader));
    trader.place("limit FOK", idea.order("LIMIT", Some(price), &json!({"time_in_force": "FOK"})))?;
    Ok(())
}

fn good_till_date(trader: &mut Trader) -> Result<(), Failure> {
    let until = oms_api::past::now().0.saturating_add(2_000_000_000 + i64::try_from(trader.below(20_000)).unwrap_or(0) * 1_000_000);
    let expire_at = oms_api::json::write::rfc3339(oms_model::Time(until));
    let (_, order) = resting(trader, &json!({"time_in_force": "GTD", "expire_at": expire_at}));
    trader.place("limit GTD", order)?;
    Ok(())
}

fn limit_that_is_replaced(trader: &mut Trader) -> Result<(), Failure> {
    let (idea, order) = resting(trader, &json!({"time_in_force": "DAY"}));
    let Some(id) = trader.place("limit, replaced", order)? else { return Ok(()) };
    let change = json!({"price": px(idea.away(250 + jitter(trader))), "order_qty": (idea.qty + 1).to_string()});
    trader.request("modify", &format!("/orders/{id}/modify"), true, &change)?;
    if trader.below(2) == 0 {
        trader.command(&json!({"type": "OrderReplaceCmd", "order_id": id, "order_qty": (idea.qty + 2).to_string()}))?;
    }
    Ok(())
}

fn limit_that_is_canceled(trader: &mut Trader) -> Result<(), Failure> {
    let (_, order) = resting(trader, &json!({"time_in_force": "DAY"}));
    let Some(id) = trader.place("limit, canceled", order)? else { return Ok(()) };
    if trader.below(2) == 0 {
        trader.command(&json!({"type": "OrderCancelCmd", "order_id": id}))?;
        return Ok(());
    }
    let answer = trader.request("cancel", &format!("/orders/{id}/cancel"), true, &json!({}))?;
    if answer.get("status").and_then(Value::as_str) == Some("PENDING") {
        trader.fault(format!("order {id}: a cancel was not decided within its wait"));
    }
    Ok(())
}

fn stop(trader: &mut Trader) -> Result<(), Failure> {
    let idea = Idea::new(trader, 90);
    // A stop buys above the market and sells below it.
    let stop_px = px(idea.through(80 + jitter(trader)));
    trader.place("stop", idea.order("STOP", None, &json!({"stop_px": stop_px})))?;
    Ok(())
}

fn stop_limit(trader: &mut Trader) -> Result<(), Failure> {
    let idea = Idea::new(trader, 90);
    let (stop_px, price) = (px(idea.through(60 + jitter(trader))), idea.through(120 + jitter(trader)));
    trader.place("stop limit", idea.order("STOP_LIMIT", Some(price), &json!({"stop_px": stop_px})))?;
    Ok(())
}

fn named_venue(trader: &mut Trader) -> Result<(), Failure> {
    let idea = Idea::new(trader, 90);
    let venue = if trader.below(2) == 0 { "XNYS" } else { "XNAS" };
    let price = idea.through(100 + jitter(trader));
    trader.place(
        "limit, named venue",
        idea.order("LIMIT", Some(price), &json!({"time_in_force": "IOC", "routing": {"mode": "NAMED", "venue": venue}})),
    )?;
    Ok(())
}

fn swept(trader: &mut Trader) -> Result<(), Failure> {
    let idea = Idea::new(trader, 600);
    let policy = if trader.below(2) == 0 { "sweep" } else { "split" };
    let price = idea.through(100 + jitter(trader));
    trader
        .place("limit, sweep, split", idea.order("LIMIT", Some(price), &json!({"time_in_force": "IOC", "routing": {"policy": policy}})))?;
    Ok(())
}

/// Staged, taken, worked in parts, and the rest left to the router.
fn care(trader: &mut Trader) -> Result<(), Failure> {
    let mut idea = Idea::new(trader, 90);
    idea.qty += 10;
    let price = idea.through(100 + jitter(trader));
    let Some(id) = trader.place("care", idea.order("LIMIT", Some(price), &json!({"routing": {"care": true}})))? else { return Ok(()) };
    for name in ["OrderAcceptCmd", "OrderClaimCmd"] {
        trader.command(&json!({"type": name, "order_id": id}))?;
    }
    let part = (idea.qty / 2).to_string();
    trader.command(&json!({"type": "OrderSplitCmd", "order_id": id, "parts": [{"order_qty": part}]}))?;
    trader.command(&json!({"type": "OrderReleaseCmd", "order_id": id}))?;
    Ok(())
}

fn batch(trader: &mut Trader) -> Result<(), Failure> {
    let orders: Vec<Value> = (0..5)
        .map(|_| {
            let (_, mut order) = resting(trader, &json!({"time_in_force": "DAY"}));
            order["cl_ord_id"] = json!(trader.id());
            order
        })
        .collect();
    let answer = trader.request("batch", "/orders/batch", false, &json!({"orders": orders}))?;
    for result in answer.get("results").and_then(Value::as_array).into_iter().flatten() {
        let status = if result.get("status").and_then(Value::as_str) == Some("ACCEPTED") { 201 } else { 422 };
        trader.note("batch", status, result.get("error").unwrap_or(&Value::Null));
    }
    Ok(())
}

/// All or none, with one that cannot be: none.
fn atomic_batch(trader: &mut Trader) -> Result<(), Failure> {
    let orders: Vec<Value> = (0..3)
        .map(|nth| {
            let (_, mut order) = resting(trader, &json!({"time_in_force": "DAY"}));
            if nth == 2 {
                order["price"] = json!("10.001");
            }
            order
        })
        .collect();
    let answer = trader.command(&json!({"type": "OrderBatchCreateCmd", "atomic": true, "orders": orders}))?;
    for _ in 0..3 {
        trader.note("batch, all or none", 422, &answer);
    }
    if answer.get("code").and_then(Value::as_str) != Some("BATCH_REFUSED") {
        trader.fault(format!("a batch of all or none with an impossible order was answered with {answer}"));
    }
    Ok(())
}

/// The demo's instruments of the classes that trade in books: what each counts in.
const OTHERS: &[(&str, u64, &str)] =
    &[("IBM.C180", 1, ""), ("ES.F", 1, ""), ("EURUSD", 1_000, ""), ("USD.3M", 1_000, ""), ("BTCUSD", 1, "0.0")];

/// An order in an instrument that is no share; a desk that lists none of them refuses it by name.
fn other_class(trader: &mut Trader) -> Result<(), Failure> {
    let at = usize::try_from(trader.below(OTHERS.len() as u64)).unwrap_or(0);
    let Some((symbol, unit, fraction)) = OTHERS.get(at) else { return Ok(()) };
    let side = if trader.below(2) == 0 { "BUY" } else { "SELL" };
    let qty = format!("{fraction}{}", (1 + trader.below(8)) * unit);
    trader.place("another class", json!({"symbol": symbol, "side": side, "ord_type": "MARKET", "order_qty": qty}))?;
    Ok(())
}

/// What cannot be is refused with its code.
fn refused(trader: &mut Trader) -> Result<(), Failure> {
    let (_, mut order) = resting(trader, &json!({}));
    let code = match trader.below(4) {
        0 => {
            order["price"] = json!("10.001");
            "INVALID_TICK"
        }
        1 => {
            order["symbol"] = json!("NONE");
            "UNKNOWN_SYMBOL"
        }
        2 => {
            order["order_qty"] = json!("0.5");
            "INVALID_LOT"
        }
        _ => {
            order["surprise"] = json!(1);
            "VALIDATION_ERROR"
        }
    };
    let before = trader.book.kinds.get("impossible").and_then(|kind| kind.refused.get(code)).copied().unwrap_or(0);
    trader.place("impossible", order)?;
    let after = trader.book.kinds.get("impossible").and_then(|kind| kind.refused.get(code)).copied().unwrap_or(0);
    if after != before + 1 {
        trader.fault(format!("an order that should be refused with {code} was not"));
    }
    Ok(())
}
