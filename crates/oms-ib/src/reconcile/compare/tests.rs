use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::codec::Contract;
use crate::reconcile::sides::{DeskPosition, HeldView};

const ORDER: OrderId = OrderId::from_u128(9);

fn ibm() -> (ContractName, Worth) {
    let text = |text: &str| text.to_owned();
    let contract = Contract { symbol: text("IBM"), sec_type: text("STK"), currency: text("USD"), ..Contract::default() };
    (ContractName::of(&contract), Worth::of(&contract))
}

fn qty(units: i64) -> Qty {
    Qty::from_units(units).unwrap()
}

fn px(text: &str) -> Price {
    text.parse().unwrap()
}

fn view(order_qty: i64, cum_qty: i64, price: &str) -> OrderView {
    OrderView { order_qty: qty(order_qty), cum_qty: qty(cum_qty), price: Some(px(price)), is_working: cum_qty < order_qty }
}

fn done(units: i64, price: &str) -> ExecutionView {
    let (contract, worth) = ibm();
    ExecutionView { is_buy: true, qty: qty(units), price: px(price), contract, worth, order_id: Some(ORDER) }
}

/// One order of 100 at 20, 40 of it executed in one execution: all sides agree.
fn agreed() -> (DeskSide, GatewaySide) {
    let (contract, worth) = ibm();
    let desk = DeskSide {
        orders: BTreeMap::from([(ORDER, DeskOrder { view: view(100, 40, "20"), contract: contract.clone(), worth, is_moving: false })]),
        executions: BTreeMap::from([("e".to_owned(), vec![done(40, "20")])]),
        positions: BTreeMap::from([(contract.clone(), DeskPosition { qty: qty(40), last_px: px("20"), worth })]),
        ..DeskSide::default()
    };
    let order = GatewayOrder {
        ledger: view(100, 40, "20"),
        broker: Some(view(100, 40, "20")),
        is_missing: false,
        working: 1,
        is_moving: false,
        contract: Some((contract.clone(), worth)),
    };
    let execution = GatewayExecution { ledger: Some(done(40, "20")), broker: Some(done(40, "20")), is_covered: true };
    let held = HeldView { qty: qty(40), avg_cost: px("20.01"), currency: worth.currency };
    let gateway = GatewaySide {
        orders: BTreeMap::from([(ORDER, order)]),
        executions: BTreeMap::from([("e".to_owned(), execution)]),
        positions: BTreeMap::from([(contract.clone(), held)]),
        derived: BTreeMap::from([(contract, qty(40))]),
        ..GatewaySide::default()
    };
    (desk, gateway)
}

fn found(change: impl FnOnce(&mut DeskSide, &mut GatewaySide)) -> Vec<(Kind, String, String)> {
    let (mut desk, mut gateway) = agreed();
    change(&mut desk, &mut gateway);
    let value = |one: &Difference| one.value.map(|value| value.to_string()).unwrap_or_default();
    compare(&desk, &gateway).differences.iter().map(|one| (one.subject.kind, one.subject.what.clone(), value(one))).collect()
}

fn order(gateway: &mut GatewaySide) -> &mut GatewayOrder {
    gateway.orders.get_mut(&ORDER).unwrap()
}

fn execution(gateway: &mut GatewaySide) -> &mut GatewayExecution {
    gateway.executions.get_mut("e").unwrap()
}

fn desk_order(desk: &mut DeskSide) -> &mut DeskOrder {
    desk.orders.get_mut(&ORDER).unwrap()
}

#[test]
fn sides_that_agree_have_no_differences() {
    assert_eq!(found(|_, _| ()), []);
}

/// Each kind by what makes it, with the money at stake.
#[test]
fn each_kind_of_difference_is_found_with_its_value() {
    type Change = fn(&mut DeskSide, &mut GatewaySide);
    type Row<'r> = (&'r str, Change, &'r [(Kind, &'r str, &'r str)]);
    let id = ORDER.to_string();
    let (id, root, stock) = (id.as_str(), "e", "STK IBM USD");
    let rows: [Row; 20] = [
        ("gone at the broker", |_, g| (order(g).is_missing, order(g).broker) = (true, None), &[(Kind::MissingAtBroker, id, "1200")]),
        ("over by the log", |_, g| order(g).ledger.is_working = false, &[(Kind::MissingAtBroker, id, "1200")]),
        ("never in the log", |_, g| g.orders.clear(), &[(Kind::MissingAtBroker, id, "1200")]),
        ("over at the desk", |d, _| desk_order(d).view.is_working = false, &[(Kind::UnknownAtDesk, id, "1200")]),
        ("not at the desk", |d, _| d.orders.clear(), &[(Kind::UnknownAtDesk, id, "1200")]),
        ("another quantity", |d, _| desk_order(d).view.order_qty = qty(90), &[(Kind::Quantity, id, "200")]),
        ("another quantity there", |_, g| order(g).broker = Some(view(50, 40, "20")), &[(Kind::Quantity, id, "1000")]),
        ("another price", |d, _| desk_order(d).view.price = Some(px("21")), &[(Kind::Price, id, "1260")]),
        ("no price is no other one", |_, g| order(g).broker = Some(OrderView { price: None, ..view(100, 40, "1") }), &[]),
        ("booked less", |d, _| desk_order(d).view.cum_qty = qty(30), &[(Kind::Cumulative, id, "200")]),
        ("counted more", |_, g| order(g).broker = Some(view(100, 60, "20")), &[(Kind::Cumulative, id, "400")]),
        ("two work", |_, g| order(g).working = 2, &[(Kind::Duplicate, id, "1200")]),
        ("on its way", |d, g| (desk_order(d).is_moving, order(g).is_missing) = (true, true), &[]),
        ("not booked", |d, _| d.executions.clear(), &[(Kind::ExecutionMissing, root, "800")]),
        (
            "waits for a person",
            |d, _| {
                d.executions.clear();
                d.suspense.push("e".to_owned());
            },
            &[(Kind::UnknownAtDesk, root, "800")],
        ),
        (
            "decided",
            |d, _| {
                d.executions.clear();
                d.dismissed.push("e".to_owned());
            },
            &[],
        ),
        ("not shown", |_, g| execution(g).broker = None, &[(Kind::ExecutionMissing, root, "800")]),
        ("of a day that is not shown", |_, g| (execution(g).broker, execution(g).is_covered) = (None, false), &[]),
        ("booked twice", |d, _| d.executions.get_mut("e").unwrap().push(done(40, "20")), &[(Kind::Duplicate, root, "800")]),
        ("held more", |_, g| g.positions.values_mut().for_each(|held| held.qty = qty(50)), &[(Kind::Position, stock, "200.1")]),
    ];
    for (name, change, wanted) in rows {
        let wanted: Vec<_> = wanted.iter().map(|(kind, what, value)| (*kind, (*what).to_owned(), (*value).to_owned())).collect();
        assert_eq!(found(change), wanted, "{name}");
    }
}

#[test]
fn executions_are_compared_by_quantity_and_price() {
    let two = found(|_, g| execution(g).broker = Some(done(30, "20.5")));
    assert_eq!(two, [(Kind::Quantity, "e".to_owned(), "200".to_owned()), (Kind::Price, "e".to_owned(), "20".to_owned())]);
}

#[test]
fn what_a_log_has_forgotten_proves_nothing() {
    let nothing = found(|_, g| {
        (g.has_forgotten, g.derived) = (true, BTreeMap::new());
        g.orders.clear();
        execution(g).ledger = None;
    });
    assert_eq!(nothing, []);
}

#[test]
fn a_multiplier_counts_and_no_price_is_no_value() {
    let multiplied = |d: &mut DeskSide, g: &mut GatewaySide| {
        desk_order(d).worth.multiplier = Some("50".parse().unwrap());
        (order(g).is_missing, order(g).broker) = (true, None);
    };
    assert_eq!(found(multiplied)[0].2, "60000");
    let unpriced = |d: &mut DeskSide, g: &mut GatewaySide| {
        desk_order(d).view.price = None;
        (order(g).is_missing, order(g).broker, order(g).ledger.price) = (true, None, None);
    };
    assert_eq!(found(unpriced)[0].2, "");
}

#[test]
fn contracts_have_one_name_on_every_side() {
    let text = |text: &str| text.to_owned();
    let option = Contract {
        symbol: text("IBM"),
        sec_type: text("OPT"),
        currency: text("USD"),
        last_trade_date: text("20261218"),
        strike: Some("150".parse().unwrap()),
        right: text("C"),
        ..Contract::default()
    };
    let told =
        Contract { right: text("CALL"), last_trade_date: text("20261218 16:00:00"), con_id: 7, exchange: text("CBOE"), ..option.clone() };
    assert_eq!(ContractName::of(&option).as_str(), "OPT IBM USD 20261218 C 150");
    assert_eq!(ContractName::of(&told), ContractName::of(&option));
    let share = Contract { strike: Some("0".parse().unwrap()), right: text("?"), sec_type: text("STK"), ..option };
    assert_eq!(ContractName::of(&share).as_str(), "STK IBM USD");
}

proptest! {
    /// Whatever one figure is on one side, there is a difference if and only if it differs, and its value is never below zero.
    #[test]
    fn a_figure_that_differs_is_a_difference_and_one_that_does_not_is_none(
        (desk_qty, log_qty, there) in (60i64..200, 60i64..200, 60i64..200),
        (held, derived) in (-50i64..50, -50i64..50),
    ) {
        let (mut desk, mut gateway) = agreed();
        desk_order(&mut desk).view.order_qty = qty(desk_qty);
        order(&mut gateway).ledger.order_qty = qty(log_qty);
        order(&mut gateway).broker = Some(view(there, 40, "20"));
        gateway.positions.values_mut().for_each(|row| row.qty = qty(held));
        gateway.derived.values_mut().for_each(|row| *row = qty(derived));
        let differences = compare(&desk, &gateway).differences;
        let has = |kind: Kind| differences.iter().any(|one| one.subject.kind == kind);
        prop_assert_eq!(has(Kind::Quantity), desk_qty != log_qty || log_qty != there);
        prop_assert_eq!(has(Kind::Position), held != 40 || derived != 40);
        prop_assert_eq!(differences.len(), usize::from(has(Kind::Quantity)) + usize::from(has(Kind::Position)));
        for one in &differences {
            prop_assert!(one.value.is_some_and(|value| !value.is_negative()));
        }
    }

    /// The same difference has the same gap, however far trading has gone on.
    #[test]
    fn what_stays_different_is_alike(apart in 1i64..100, traded in 0i64..1_000) {
        let at = |more: i64| {
            let (mut desk, mut gateway) = agreed();
            desk.positions.values_mut().for_each(|row| row.qty = qty(40 + more));
            gateway.positions.values_mut().for_each(|row| row.qty = qty(40 + more + apart));
            gateway.derived.values_mut().for_each(|row| *row = qty(40 + more));
            compare(&desk, &gateway).differences.remove(0)
        };
        let (before, after) = (at(0), at(traded));
        prop_assert_eq!(&before.gap, &after.gap);
        prop_assert_eq!(before == after, traded == 0);
    }
}
