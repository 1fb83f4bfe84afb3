use super::*;
use proptest::prelude::*;

fn booking(nth: usize, is_buy: bool, qty: i128, price: i64, time: i64) -> Booking {
    Booking {
        transact_time: Time(time),
        exec_id: ExecId::new(&format!("E{nth}")).unwrap(),
        venue: Mic::of(b"XNAS"),
        order_id: OrderId::from_u128(7),
        is_buy,
        qty: Qty::from_raw(qty),
        price: Price::from_raw(price),
        fee: Notional::from_raw(qty),
        ..Booking::default()
    }
}

fn bookings() -> impl Strategy<Value = Vec<Booking>> {
    // Times repeat, so that the id decides too.
    proptest::collection::vec((any::<bool>(), 1..5_000_000_000_i128, 1..90_000_000_000_i64, 0..40_i64), 1..300)
        .prop_map(|all| all.into_iter().enumerate().map(|(nth, (is_buy, qty, px, time))| booking(nth, is_buy, qty, px, time)).collect())
}

fn methods() -> impl Strategy<Value = CostMethod> {
    prop_oneof![Just(CostMethod::Fifo), Just(CostMethod::AverageCost)]
}

fn folded(method: CostMethod, base: &Position, all: &[Booking]) -> Position {
    let mut sorted: Vec<&Booking> = all.iter().collect();
    sorted.sort_by(|a, b| a.key().cmp(&b.key()));
    let mut position = base.clone();
    for b in sorted {
        position.book_by(method, b.is_buy, b.qty, b.price, b.fee);
    }
    position
}

fn booked(method: CostMethod, all: &[Booking]) -> Holding {
    let mut holding = Holding::flat(AccountId::from_u128(1), InstrumentId(0));
    for one in all {
        holding.book(method, one.clone());
    }
    holding
}

proptest! {
    #[test]
    fn any_order_of_delivery_gives_the_same(all in bookings(), method in methods(), seed: u64) {
        let mut other = all.clone();
        // A shuffle that shrinks with its seed.
        let mut state = seed | 1;
        for at in (1..other.len()).rev() {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            other.swap(at, (state % (at as u64 + 1)) as usize);
        }
        let (one, two) = (booked(method, &all), booked(method, &other));
        prop_assert_eq!(&one, &two);
        prop_assert_eq!(one.now(), &folded(method, one.base(), &all));
    }

    #[test]
    fn a_reversal_leaves_what_was_before(all in bookings(), method in methods(), extra in 0..300_usize) {
        let before = booked(method, &all);
        let mut after = before.clone();
        let late = booking(1_000, extra % 2 == 0, 77, 9_000, (extra % 40) as i64);
        after.book(method, late.clone());
        prop_assert_ne!(&after, &before);
        prop_assert!(after.reverse(method, &late.exec_id, late.venue, late.order_id, Time(99)));
        prop_assert_eq!(&after, &before);
        prop_assert!(!after.reverse(method, &late.exec_id, late.venue, late.order_id, Time(99)));
    }

    #[test]
    fn what_was_paid_is_profit_or_cost(all in bookings(), method in methods(), close_at in 0..300_usize) {
        let mut holding = Holding::flat(AccountId::from_u128(1), InstrumentId(0));
        for (at, one) in all.iter().enumerate() {
            if at == close_at {
                holding.close_day();
            }
            holding.book(method, one.clone());
            let p = holding.now();
            prop_assert_eq!(p.realized, p.sold_notional.saturating_sub(p.bought_notional).saturating_add(p.cost()));
            let lots = p.lots.iter().fold(Qty::ZERO, |sum, lot| sum.saturating_add(lot.qty));
            prop_assert_eq!(lots, p.qty);
        }
        let parts = Holding::from_parts(method, holding.base().clone(), holding.day().to_vec(), holding.closed().to_vec());
        prop_assert_eq!(&parts, &holding);
    }
}

#[test]
fn a_closed_day_stays_and_the_open_one_takes_the_reversal() {
    let method = CostMethod::Fifo;
    let mut holding = booked(method, &[booking(1, true, 100_000_000_000, 10_000_000_000, 1)]);
    holding.close_day();
    let frozen = holding.base().clone();
    let first = ExecId::new("E1").unwrap();
    let (venue, order) = (Mic::of(b"XNAS"), OrderId::from_u128(7));
    assert_eq!(holding.find(&first, venue, None).map(|(_, day)| day), Some(Day::Closed));
    assert!(holding.reverse(method, &first, venue, order, Time(50)));
    assert_eq!(holding.base(), &frozen);
    assert_eq!((holding.now().qty, holding.now().realized, holding.now().fees), (Qty::ZERO, Notional::ZERO, Notional::ZERO));
    assert_eq!(holding.day().len(), 1);
    assert!(!holding.reverse(method, &first, venue, order, Time(60)), "it is reversed once");
}

#[test]
fn a_correction_of_a_closed_day_moves_the_difference() {
    let method = CostMethod::Fifo;
    let mut holding = booked(method, &[booking(1, true, 100_000_000_000, 10_000_000_000, 1)]);
    holding.close_day();
    let mut corrected = booking(1, true, 60_000_000_000, 11_000_000_000, 1);
    corrected.fee = Notional::ZERO;
    assert!(holding.correct(method, &corrected, Time(50)));
    let now = holding.now();
    assert_eq!((now.qty.to_string(), now.cost().to_string(), now.realized.to_string()), ("60".into(), "660".into(), "0".into()));
    assert_eq!(holding.day().len(), 2);
}

#[test]
fn a_late_charge_of_a_closed_day_moves_no_quantity() {
    let method = CostMethod::Fifo;
    let mut holding = booked(method, &[booking(1, true, 100_000_000_000, 10_000_000_000, 1)]);
    holding.close_day();
    let mut corrected = booking(1, true, 100_000_000_000, 10_000_000_000, 1);
    corrected.fee = "1.5".parse().unwrap();
    assert!(holding.correct(method, &corrected, Time(50)));
    assert_eq!((holding.now().fees, &holding.now().lots), ("1.5".parse().unwrap(), &holding.base().lots));
    corrected.fee = "0.5".parse().unwrap();
    assert!(holding.correct(method, &corrected, Time(50)));
    assert_eq!(holding.now().fees.to_string(), "0.5");
}

#[test]
fn at_average_cost_what_is_closed_leaves_at_the_average() {
    let mut p = Position::default();
    let mut book = |is_buy, qty: &str, price: &str| {
        p.book_by(CostMethod::AverageCost, is_buy, qty.parse().unwrap(), price.parse().unwrap(), Notional::ZERO);
        (p.qty.to_string(), p.cost().to_string(), p.realized.to_string())
    };
    assert_eq!(book(true, "100", "10"), ("100".into(), "1000".into(), "0".into()));
    assert_eq!(book(true, "100", "12"), ("200".into(), "2200".into(), "0".into()));
    assert_eq!(book(false, "50", "13"), ("150".into(), "1650".into(), "100".into()));
    assert_eq!(book(false, "250", "13"), ("-100".into(), "-1300".into(), "400".into()));
    assert_eq!(book(true, "100", "12"), ("0".into(), "0".into(), "500".into()));
}
