//! The comparison itself: two sides in, every difference out, in the order of their subjects.

use std::collections::BTreeSet;

use oms_model::{Notional, OrderId, Price, Qty};

use super::sides::{
    ContractName, DeskOrder, DeskSide, ExecutionView, ForeignView, GatewayExecution, GatewayOrder, GatewaySide, OrderView, Worth,
};
use super::{Difference, Kind, Subject};

/// What a comparison found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Every difference, in the order of their subjects.
    pub differences: Vec<Difference>,
    /// Executions of days that the look does not list any more: what the broker has of them it does not say.
    pub unseen: BTreeSet<String>,
}

/// Compares what the desk has with what the gateway's log and a whole look have.
#[must_use]
pub fn compare(desk: &DeskSide, gateway: &GatewaySide) -> Compared {
    let mut found = Vec::new();
    let ids: BTreeSet<OrderId> = desk.orders.keys().chain(gateway.orders.keys()).copied().collect();
    for order_id in ids {
        order(order_id, desk.orders.get(&order_id), gateway.orders.get(&order_id), gateway.has_forgotten, &mut found);
    }
    gateway.foreign.iter().for_each(|order| found.push(foreign(order)));
    let roots: BTreeSet<&String> = desk.executions.keys().chain(gateway.executions.keys()).collect();
    for root in roots {
        execution(root, desk, gateway, &mut found);
    }
    let contracts: BTreeSet<&ContractName> = desk.positions.keys().chain(gateway.positions.keys()).chain(gateway.derived.keys()).collect();
    for contract in contracts {
        found.extend(position(contract, desk, gateway));
    }
    found.sort_by(|a, b| a.subject.cmp(&b.subject));
    // One break for each subject: a second difference of the same kind of the same thing adds nothing.
    found.dedup_by(|later, first| later.subject == first.subject);
    let unseen = gateway.executions.iter().filter(|(_, one)| one.broker.is_none() && !one.is_covered);
    Compared { differences: found, unseen: unseen.map(|(root, _)| root.clone()).collect() }
}

/// An order of the desk's: what its differences have in common.
struct About<'s> {
    order_id: OrderId,
    contract: Option<(&'s ContractName, Worth)>,
    sides: [Option<OrderView>; 3],
}

impl About<'_> {
    /// A difference in one figure, worth so much of the order.
    fn differs(&self, kind: Kind, figure: impl Fn(OrderView) -> String, qty: Qty, found: &mut Vec<Difference>) {
        let [desk, ledger, broker] = self.sides.map(|side| side.map(&figure));
        let text = |side: &Option<String>| side.clone().unwrap_or_else(|| "-".to_owned());
        let gap = format!("{}/{}/{}", text(&desk), text(&ledger), text(&broker));
        let price = self.sides.iter().flatten().find_map(|view| view.price);
        let worth = self.contract.map(|(_, worth)| worth);
        found.push(Difference {
            subject: Subject { kind, what: self.order_id.to_string() },
            contract: self.contract.map(|(name, _)| name.as_str().to_owned()).unwrap_or_default(),
            order_id: Some(self.order_id),
            desk,
            ledger,
            broker,
            gap,
            value: price.zip(worth).and_then(|(price, worth)| worth.value(qty, price)),
            currency: worth.map(|worth| worth.currency).unwrap_or_default(),
        });
    }
}

/// How an order stands, in a word and its quantities.
fn words(view: OrderView) -> String {
    let word = if view.is_working { "WORKING" } else { "OVER" };
    format!("{word} {}/{}", view.cum_qty, view.order_qty)
}

/// The most that two of the figures are apart.
fn spread(figures: impl Iterator<Item = Qty> + Clone) -> Qty {
    let (least, most) = (figures.clone().min(), figures.max());
    most.unwrap_or_default().saturating_sub(least.unwrap_or_default())
}

fn order(order_id: OrderId, desk: Option<&DeskOrder>, gateway: Option<&GatewayOrder>, forgotten: bool, found: &mut Vec<Difference>) {
    let contract = desk.map(|order| (&order.contract, order.worth));
    let contract = contract.or_else(|| gateway.and_then(|order| order.contract.as_ref()).map(|(name, worth)| (name, *worth)));
    let sides = [desk.map(|order| order.view), gateway.map(|order| order.ledger), gateway.and_then(|order| order.broker)];
    let about = About { order_id, contract, sides };
    let leaves = |view: &OrderView| view.order_qty.saturating_sub(view.cum_qty);
    if let Some(order) = gateway.filter(|order| 1 < order.working) {
        about.differs(Kind::Duplicate, |view| format!("{} of {} orders", words(view), order.working), leaves(&order.ledger), found);
    }
    // What is on its way has no figures to compare; that two orders work where one should is no matter of time.
    if desk.is_some_and(|order| order.is_moving) || gateway.is_some_and(|order| order.is_moving) {
        return;
    }
    let desk_works = desk.filter(|order| order.view.is_working);
    let gateway_works = gateway.filter(|order| order.ledger.is_working);
    match (desk_works, gateway_works) {
        // The log may have forgotten what ended long ago, but not what works.
        (Some(order), None) if gateway.is_some() || !forgotten => {
            about.differs(Kind::MissingAtBroker, words, leaves(&order.view), found);
        }
        (_, Some(order)) if order.is_missing => about.differs(Kind::MissingAtBroker, words, leaves(&order.ledger), found),
        (None, Some(order)) => about.differs(Kind::UnknownAtDesk, words, leaves(&order.ledger), found),
        _ => (),
    }
    if desk.is_none() {
        // The books let go of what has ended; its executions are compared, and what the broker counts beyond them.
        if let Some(order) = gateway.filter(|order| counts_more(order)) {
            about.differs(Kind::Cumulative, |view| view.cum_qty.to_string(), cum_spread(order, None), found);
        }
        return;
    }
    figures(&about, desk_works.zip(gateway_works).is_some(), found);
    if let (Some(desk), Some(order)) = (desk, gateway)
        && (desk.view.cum_qty != order.ledger.cum_qty || counts_more(order))
    {
        about.differs(Kind::Cumulative, |view| view.cum_qty.to_string(), cum_spread(order, Some(desk.view)), found);
    }
}

/// Quantities and prices of an order that works on both sides.
fn figures(about: &About<'_>, works: bool, found: &mut Vec<Difference>) {
    if !works {
        return;
    }
    let views = || about.sides.iter().flatten();
    let apart = spread(views().map(|view| view.order_qty));
    if !apart.is_zero() {
        about.differs(Kind::Quantity, |view| view.order_qty.to_string(), apart, found);
    }
    // A side without a price has none to differ in: orders at the market.
    let mut prices = views().filter_map(|view| view.price);
    let first = prices.next();
    if prices.any(|price| Some(price) != first) {
        let leaves = views().map(|view| view.order_qty.saturating_sub(view.cum_qty)).max().unwrap_or_default();
        about.differs(Kind::Price, |view| view.price.map_or_else(|| "-".to_owned(), |price| price.to_string()), leaves, found);
    }
}

/// Whether the broker counts more executed than the log has. Less is a count on its way: executions are the evidence.
fn counts_more(order: &GatewayOrder) -> bool {
    order.broker.is_some_and(|view| order.ledger.cum_qty < view.cum_qty)
}

fn cum_spread(order: &GatewayOrder, desk: Option<OrderView>) -> Qty {
    let views = [desk, Some(order.ledger), order.broker];
    spread(views.into_iter().flatten().map(|view| view.cum_qty))
}

/// An order of somebody else's works in the account.
fn foreign(order: &ForeignView) -> Difference {
    let leaves = order.view.order_qty.saturating_sub(order.view.cum_qty);
    let broker = format!("{} {}", order.action, words(order.view));
    Difference {
        subject: Subject { kind: Kind::UnknownAtDesk, what: format!("perm.{}", order.perm_id) },
        contract: order.contract.as_str().to_owned(),
        order_id: None,
        desk: None,
        ledger: None,
        // What it has executed since is told by its executions.
        gap: format!("{} {}", order.action, order.view.order_qty),
        broker: Some(broker),
        value: order.view.price.and_then(|price| order.worth.value(leaves, price)),
        currency: order.worth.currency,
    }
}

fn done(view: &ExecutionView) -> String {
    format!("{} {} at {}", if view.is_buy { "BUY" } else { "SELL" }, view.qty, view.price)
}

/// An execution on three sides.
fn execution(root: &String, desk: &DeskSide, gateway: &GatewaySide, found: &mut Vec<Difference>) {
    let booked = desk.executions.get(root).map_or(&[][..], Vec::as_slice);
    let none = GatewayExecution { ledger: None, broker: None, is_covered: false };
    let there = gateway.executions.get(root).unwrap_or(&none);
    let sides = [booked.first(), there.ledger.as_ref(), there.broker.as_ref()];
    let Some(one) = sides.iter().flatten().next() else { return };
    let mut add = |kind: Kind, value: Option<Notional>| {
        let [desk, ledger, broker] = sides.map(|side| side.map(done));
        let text = |side: &Option<String>| side.clone().unwrap_or_else(|| "-".to_owned());
        found.push(Difference {
            subject: Subject { kind, what: root.clone() },
            contract: one.contract.as_str().to_owned(),
            order_id: sides.iter().flatten().find_map(|side| side.order_id),
            gap: format!("{}/{}/{}", text(&desk), text(&ledger), text(&broker)),
            desk,
            ledger,
            broker,
            value,
            currency: one.worth.currency,
        });
    };
    if 1 < booked.len() {
        let over = booked.iter().skip(1).fold(Qty::ZERO, |sum, view| sum.saturating_add(view.qty));
        add(Kind::Duplicate, one.worth.value(over, one.price));
    }
    let whole = one.worth.value(one.qty, one.price);
    let is_decided = desk.dismissed.contains(root);
    match sides {
        [None, ..] if is_decided => (),
        [None, ..] if desk.suspense.contains(root) => add(Kind::UnknownAtDesk, whole),
        [None, ..] => add(Kind::ExecutionMissing, whole),
        // What a log has forgotten it cannot be asked for.
        [_, None, _] if !gateway.has_forgotten => add(Kind::ExecutionMissing, whole),
        [_, _, None] if there.is_covered => add(Kind::ExecutionMissing, whole),
        _ => (),
    }
    let views = || sides.iter().flatten();
    let apart = spread(views().map(|view| view.qty));
    if !apart.is_zero() || views().any(|view| view.is_buy != one.is_buy) {
        add(Kind::Quantity, one.worth.value(if apart.is_zero() { one.qty } else { apart }, one.price));
    }
    if views().any(|view| view.price != one.price) {
        let (least, most) = (views().map(|view| view.price).min(), views().map(|view| view.price).max());
        let apart = most.unwrap_or_default().saturating_sub(least.unwrap_or_default());
        add(Kind::Price, one.worth.value(one.qty, apart));
    }
}

/// What is held of a contract, on three sides.
fn position(contract: &ContractName, desk: &DeskSide, gateway: &GatewaySide) -> Option<Difference> {
    let (booked, held) = (desk.positions.get(contract), gateway.positions.get(contract));
    let ours = booked.map(|position| position.qty).unwrap_or_default();
    let theirs = held.map(|held| held.qty).unwrap_or_default();
    let derived = gateway.derived.get(contract).copied().unwrap_or_default();
    let derived = (!gateway.has_forgotten).then_some(derived);
    if ours == theirs && derived.is_none_or(|derived| derived == theirs) {
        return None;
    }
    let apart = spread([Some(ours), Some(theirs), derived].into_iter().flatten());
    // The broker's cost has the multiplier in it; the desk's price has not.
    let by_cost = held.filter(|held| held.avg_cost != Price::ZERO).and_then(|held| held.avg_cost.notional(apart));
    let by_price = || booked.and_then(|position| position.worth.value(apart, position.last_px));
    let currency = held.map(|held| held.currency).or_else(|| booked.map(|position| position.worth.currency));
    Some(Difference {
        subject: Subject { kind: Kind::Position, what: contract.as_str().to_owned() },
        contract: contract.as_str().to_owned(),
        order_id: None,
        desk: Some(ours.to_string()),
        ledger: derived.map(|derived| derived.to_string()),
        broker: Some(theirs.to_string()),
        // Trading goes on: what stays the same is by how much they differ.
        gap: format!(
            "{}/{}",
            theirs.saturating_sub(ours),
            derived.map_or_else(|| "-".to_owned(), |derived| theirs.saturating_sub(derived).to_string())
        ),
        value: by_cost.or_else(by_price).map(Notional::abs),
        currency: currency.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests;
