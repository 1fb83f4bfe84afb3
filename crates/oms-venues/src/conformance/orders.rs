//! The rules of the port when nothing goes wrong.

use oms_model::{Liquidity, OrdType, Side, TimeInForce};
use oms_runtime::port::{Answer, Handed, RequestState, VenueState};

use super::{
    Outcome, Rig, cancel_of, cents, complete, equal, executions, expect, fills, known, limit, replace_of, send, shares, story, traded, wire,
};

/// A marketable order is accepted, then filled at the venue's quote.
///
/// # Errors
/// What was found wrong; so for every case.
pub fn new_is_accepted_and_filled(rig: &mut dyn Rig) -> Outcome {
    rig.quote(Side::Sell, Some((cents(2000), shares(500))));
    let order = limit(rig, 1, Side::Buy, 300, 2005);
    send(rig, &order)?;
    let reports = rig.settle();
    equal("story", story(&reports, &order.wire_id), vec!["accepted", "fill"])?;
    let fills = fills(&reports);
    let Some((_, fill)) = fills.first() else { return super::violated("no fill") };
    equal("price", fill.last_px, cents(2000))?;
    equal("quantity", fill.last_qty, shares(300))?;
    equal("liquidity", fill.liquidity, Liquidity::Removed)?;
    let order = known(rig, 1)?;
    equal("state", order.state, VenueState::Filled)?;
    equal("executions", executions(rig)?.len(), 1)
}

/// What the quote cannot fill works on and is filled by the next one.
///
/// # Errors
/// As above.
pub fn partial_fill_rests_and_fills_later(rig: &mut dyn Rig) -> Outcome {
    rig.quote(Side::Sell, Some((cents(2000), shares(100))));
    let order = limit(rig, 1, Side::Buy, 300, 2000);
    send(rig, &order)?;
    let reports = rig.settle();
    equal("story", story(&reports, &order.wire_id), vec!["accepted", "fill"])?;
    equal("state", known(rig, 1)?.state, VenueState::Live)?;
    equal("open orders", complete(rig.port().open_orders())?.len(), 1)?;
    rig.quote(Side::Sell, Some((cents(2000), shares(1000))));
    equal("story", story(&rig.settle(), &order.wire_id), vec!["fill"])?;
    let order = known(rig, 1)?;
    equal("state", order.state, VenueState::Filled)?;
    equal("quantity", traded(&order.fills), shares(300))?;
    equal("open orders", complete(rig.port().open_orders())?.len(), 0)
}

/// A cancel is answered under its own id, and nothing trades after it.
///
/// # Errors
/// As above.
pub fn cancel_ends_the_order(rig: &mut dyn Rig) -> Outcome {
    rig.quote(Side::Sell, Some((cents(2000), shares(500))));
    let order = limit(rig, 1, Side::Buy, 300, 1990);
    send(rig, &order)?;
    rig.settle();
    let request = cancel_of(rig, 1, 1, 0);
    equal("handing over", rig.port().cancel(&request), Handed::Over)?;
    equal("story", story(&rig.settle(), &request.wire_id), vec!["canceled"])?;
    rig.quote(Side::Sell, Some((cents(1980), shares(500))));
    equal("reports after the end", rig.settle().len(), 0)?;
    let order = known(rig, 1)?;
    equal("state", order.state, VenueState::Canceled)?;
    equal("requests", order.requests, vec![(request.wire_id, RequestState::Accepted)])
}

/// A cancel of a filled or unknown order is refused under its own id.
///
/// # Errors
/// As above.
pub fn cancel_is_refused_when_too_late_or_unknown(rig: &mut dyn Rig) -> Outcome {
    rig.quote(Side::Sell, Some((cents(2000), shares(500))));
    let order = limit(rig, 1, Side::Buy, 300, 2000);
    send(rig, &order)?;
    rig.settle();
    let (late, unknown) = (cancel_of(rig, 1, 1, 0), cancel_of(rig, 2, 1, 0));
    equal("handing over", rig.port().cancel(&late), Handed::Over)?;
    equal("handing over", rig.port().cancel(&unknown), Handed::Over)?;
    let reports = rig.settle();
    equal("too late", story(&reports, &late.wire_id), vec!["cancel rejected"])?;
    equal("unknown", story(&reports, &unknown.wire_id), vec!["cancel rejected"])?;
    let order = known(rig, 1)?;
    equal("state", order.state, VenueState::Filled)?;
    equal("requests", order.requests, vec![(late.wire_id, RequestState::Rejected)])
}

/// After a replace the order has its terms and goes by its id.
///
/// # Errors
/// As above.
pub fn replace_changes_terms_and_id(rig: &mut dyn Rig) -> Outcome {
    rig.quote(Side::Sell, Some((cents(2000), shares(500))));
    let order = limit(rig, 1, Side::Buy, 300, 1990);
    send(rig, &order)?;
    rig.settle();
    let request = replace_of(rig, 1, 1, 0, 400, 2000);
    equal("handing over", rig.port().replace(&request), Handed::Over)?;
    equal("story", story(&rig.settle(), &request.wire_id), vec!["replaced", "fill"])?;
    let order = known(rig, 1)?;
    equal("quantity", order.order_qty, shares(400))?;
    equal("price", order.price, Some(cents(2000)))?;
    equal("traded", traded(&order.fills), shares(400))?;
    equal("requests", order.requests, vec![(request.wire_id, RequestState::Accepted)])
}

/// A replace below what is executed, or of a done order, is refused and nothing changes.
///
/// # Errors
/// As above.
pub fn replace_is_refused_and_changes_nothing(rig: &mut dyn Rig) -> Outcome {
    rig.quote(Side::Sell, Some((cents(2000), shares(200))));
    let order = limit(rig, 1, Side::Buy, 300, 2000);
    send(rig, &order)?;
    rig.settle();
    let below = replace_of(rig, 1, 1, 0, 100, 2000);
    equal("handing over", rig.port().replace(&below), Handed::Over)?;
    equal("below what is executed", story(&rig.settle(), &below.wire_id), vec!["replace rejected"])?;
    let before = known(rig, 1)?;
    equal("quantity", before.order_qty, shares(300))?;
    equal("state", before.state, VenueState::Live)?;
    let request = cancel_of(rig, 1, 2, 0);
    equal("handing over", rig.port().cancel(&request), Handed::Over)?;
    rig.settle();
    let late = replace_of(rig, 1, 3, 0, 500, 2000);
    equal("handing over", rig.port().replace(&late), Handed::Over)?;
    equal("too late", story(&rig.settle(), &late.wire_id), vec!["replace rejected"])?;
    equal("state", known(rig, 1)?.state, VenueState::Canceled)
}

/// A ClOrdID that comes twice is refused the second time, and stays one order.
///
/// # Errors
/// As above.
pub fn duplicate_cl_ord_id_is_one_order(rig: &mut dyn Rig) -> Outcome {
    rig.quote(Side::Sell, Some((cents(2000), shares(1000))));
    let order = limit(rig, 1, Side::Buy, 300, 2000);
    send(rig, &order)?;
    send(rig, &order)?;
    let reports = rig.settle();
    equal("story", story(&reports, &order.wire_id), vec!["accepted", "fill", "rejected"])?;
    let order = known(rig, 1)?;
    equal("state", order.state, VenueState::Filled)?;
    equal("quantity", traded(&order.fills), shares(300))?;
    equal("executions", executions(rig)?.len(), 1)
}

/// IOC takes what is displayed and cancels the rest, unasked and under the order's own id.
///
/// # Errors
/// As above.
pub fn ioc_takes_what_is_there(rig: &mut dyn Rig) -> Outcome {
    rig.quote(Side::Sell, Some((cents(2000), shares(100))));
    let mut order = limit(rig, 1, Side::Buy, 300, 2000);
    order.time_in_force = TimeInForce::Ioc;
    send(rig, &order)?;
    equal("story", story(&rig.settle(), &order.wire_id), vec!["accepted", "fill", "canceled"])?;
    let order = known(rig, 1)?;
    equal("state", order.state, VenueState::Canceled)?;
    equal("quantity", traded(&order.fills), shares(100))
}

/// FOK takes everything or nothing.
///
/// # Errors
/// As above.
pub fn fok_takes_all_or_nothing(rig: &mut dyn Rig) -> Outcome {
    rig.quote(Side::Sell, Some((cents(2000), shares(300))));
    for (id, qty, wanted) in [(1, 301, vec!["accepted", "canceled"]), (2, 300, vec!["accepted", "fill"])] {
        let mut order = limit(rig, id, Side::Buy, qty, 2000);
        order.time_in_force = TimeInForce::Fok;
        send(rig, &order)?;
        equal("story", story(&rig.settle(), &order.wire_id), wanted)?;
    }
    equal("quantity", traded(&known(rig, 1)?.fills), shares(0))?;
    equal("quantity", traded(&known(rig, 2)?.fills), shares(300))
}

/// A market order without a market is refused, and remembered as refused.
///
/// # Errors
/// As above.
pub fn market_without_quote_is_refused(rig: &mut dyn Rig) -> Outcome {
    rig.quote(Side::Sell, None);
    let mut order = limit(rig, 1, Side::Buy, 300, 1);
    (order.ord_type, order.price) = (OrdType::Market, None);
    send(rig, &order)?;
    equal("story", story(&rig.settle(), &order.wire_id), vec!["rejected"])?;
    equal("state", known(rig, 1)?.state, VenueState::Rejected)
}

/// A stop works unseen until a trade at or beyond its price, then trades at the market.
///
/// # Errors
/// As above.
pub fn stop_waits_for_its_trade(rig: &mut dyn Rig) -> Outcome {
    rig.quote(Side::Buy, Some((cents(1990), shares(900))));
    rig.quote(Side::Sell, Some((cents(2000), shares(900))));
    rig.trade(cents(1995), shares(100));
    let mut order = limit(rig, 1, Side::Sell, 300, 1);
    (order.ord_type, order.price, order.stop_px) = (OrdType::Stop, None, Some(cents(1985)));
    send(rig, &order)?;
    equal("story", story(&rig.settle(), &order.wire_id), vec!["accepted"])?;
    rig.trade(cents(1986), shares(100));
    equal("reports before the stop price", rig.settle().len(), 0)?;
    rig.trade(cents(1985), shares(100));
    let reports = rig.settle();
    equal("story", story(&reports, &order.wire_id), vec!["fill"])?;
    equal("price", fills(&reports).first().map(|(_, fill)| fill.last_px), Some(cents(1990)))
}

/// A complete answer tells what there is, also that there is nothing.
///
/// # Errors
/// As above.
pub fn query_knows_and_does_not_know(rig: &mut dyn Rig) -> Outcome {
    equal("unknown", complete(rig.port().query(&wire(9, 0)))?, None)?;
    equal("open orders", complete(rig.port().open_orders())?.len(), 0)?;
    equal("executions", executions(rig)?.len(), 0)?;
    let order = limit(rig, 1, Side::Buy, 300, 1990);
    send(rig, &order)?;
    // Asked at once: the answer must know what was handed over before the question.
    let found = known(rig, 1)?;
    equal("state", found.state, VenueState::Live)?;
    equal("id", found.wire_id, order.wire_id)?;
    equal("still unknown", complete(rig.port().query(&wire(9, 0)))?, None)
}

/// What is too old is not handed over.
///
/// # Errors
/// As above.
pub fn deadline_passed_is_not_sent(rig: &mut dyn Rig) -> Outcome {
    let mut order = limit(rig, 1, Side::Buy, 300, 1990);
    order.deadline = rig.now().plus(-1);
    let handed = rig.port().send(&order);
    expect(matches!(handed, Handed::NotSent(_)), || format!("handed over too late: {handed:?}"))?;
    rig.settle();
    match rig.port().query(&order.wire_id) {
        Answer::Complete(None) => Ok(()),
        other => super::violated(format!("an order that was not sent is there: {other:?}")),
    }
}
