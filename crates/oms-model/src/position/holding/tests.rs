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
        let parts = Holding::from_parts(method, holding.base().clone(), holding.day().to_vec(), holding.closed().to_vec(), holding.strategy_bases());
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

/// What a desk does to a position.
#[derive(Clone, Debug)]
enum Deed {
    Book { strategy: u8, is_buy: bool, qty: i128, price: i64, time: i64 },
    Bust(usize),
    Correct { nth: usize, qty: i128, price: i64 },
    Charge { nth: usize, fee: i128 },
    CloseDay,
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let (qty, price) = (1..5_000_000_000_i128, 1..90_000_000_000_i64);
    let book = (0..4_u8, any::<bool>(), qty.clone(), price.clone(), 0..400_i64)
        .prop_map(|(strategy, is_buy, qty, price, time)| Deed::Book { strategy, is_buy, qty, price, time });
    let deed = prop_oneof![
        12 => book,
        2 => any::<usize>().prop_map(Deed::Bust),
        2 => (any::<usize>(), qty, price).prop_map(|(nth, qty, price)| Deed::Correct { nth, qty, price }),
        1 => (any::<usize>(), -900..900_i128).prop_map(|(nth, fee)| Deed::Charge { nth, fee }),
        1 => Just(Deed::CloseDay),
    ];
    proptest::collection::vec(deed, 1..400)
}

fn named(strategy: u8) -> Option<StrategyId> {
    (strategy > 0).then(|| StrategyId::new(&format!("S-{strategy}")).unwrap())
}

fn picked(holding: &Holding, nth: usize) -> Option<Booking> {
    let real: Vec<&Booking> = holding.day().iter().chain(holding.closed()).filter(|booking| !booking.against).collect();
    (!real.is_empty()).then(|| real[nth % real.len()].clone())
}

fn done(holding: &mut Holding, method: CostMethod, nth: usize, deed: &Deed) {
    let now = Time(1_000 + nth as i64);
    match *deed {
        Deed::Book { strategy, is_buy, qty, price, time } => {
            holding.book(method, Booking { strategy: named(strategy), ..booking(nth, is_buy, qty, price, time) });
        }
        Deed::Bust(at) => {
            if let Some(known) = picked(holding, at) {
                assert!(holding.reverse(method, &known.exec_id, known.venue, known.order_id, now));
            }
        }
        Deed::Correct { nth: at, qty, price } => {
            if let Some(known) = picked(holding, at) {
                let corrected = Booking { qty: Qty::from_raw(qty), price: Price::from_raw(price), ..known };
                assert!(holding.correct(method, &corrected, now));
            }
        }
        Deed::Charge { nth: at, fee } => {
            if let Some(known) = picked(holding, at) {
                assert!(holding.correct(method, &Booking { fee: Notional::from_raw(fee), ..known }, now));
            }
        }
        Deed::CloseDay => holding.close_day(),
    }
}

/// What a position has made at a price: realised and not, less fees.
fn net(position: &Position, mark: Price) -> i128 {
    position.realized.raw() + position.unrealized(mark).unwrap().raw() - position.fees.raw()
}

fn add_up(holding: &Holding, mark: Price) {
    let shares: Vec<_> = holding.strategies().collect();
    let sum = |of: fn(&Position) -> i128| shares.iter().map(|share| of(share.now)).sum::<i128>();
    let whole = holding.now();
    assert_eq!(sum(|p| p.qty.raw()), whole.qty.raw());
    assert_eq!(sum(|p| p.fees.raw()), whole.fees.raw());
    assert_eq!(sum(|p| p.bought_notional.raw()), whole.bought_notional.raw());
    assert_eq!(sum(|p| p.realized.raw() - p.cost().raw()), whole.realized.raw() - whole.cost().raw());
    assert_eq!(shares.iter().map(|share| net(share.now, mark)).sum::<i128>(), net(whole, mark));
    assert_eq!(shares.iter().map(|share| net(share.base, mark)).sum::<i128>(), net(holding.base(), mark));
}

proptest! {
    #[test]
    fn strategies_and_what_has_none_add_up_to_the_position(deeds in deeds(), method in methods(), mark in 1..90_000_000_000_i64) {
        let mut holding = Holding::flat(AccountId::from_u128(1), InstrumentId(0));
        // Each strategy's orders in a book of their own must give what its share says.
        let mut alone: Vec<Holding> = (0..4).map(|_| holding.clone()).collect();
        for (nth, deed) in deeds.iter().enumerate() {
            let of = match *deed {
                Deed::Book { strategy, .. } => named(strategy),
                Deed::Bust(at) | Deed::Correct { nth: at, .. } | Deed::Charge { nth: at, .. } => picked(&holding, at).and_then(|b| b.strategy),
                Deed::CloseDay => None,
            };
            let known = match *deed {
                Deed::Bust(at) | Deed::Correct { nth: at, .. } | Deed::Charge { nth: at, .. } => picked(&holding, at),
                _ => None,
            };
            done(&mut holding, method, nth, deed);
            for (strategy, book) in (0..4).zip(&mut alone) {
                let mine = named(strategy) == of;
                match (deed, &known) {
                    (Deed::CloseDay, _) => book.close_day(),
                    (Deed::Book { .. }, _) if mine => done(book, method, nth, deed),
                    (_, Some(known)) if mine => {
                        let all = book.day().iter().chain(book.closed()).filter(|booking| !booking.against);
                        let at = all.enumerate().find(|(_, b)| b.exec_id == known.exec_id).map(|(at, _)| at).unwrap();
                        let deed = match deed.clone() {
                            Deed::Correct { qty, price, .. } => Deed::Correct { nth: at, qty, price },
                            Deed::Charge { fee, .. } => Deed::Charge { nth: at, fee },
                            _ => Deed::Bust(at),
                        };
                        done(book, method, nth, &deed);
                    }
                    _ => (),
                }
            }
            add_up(&holding, Price::from_raw(mark));
        }
        for share in holding.strategies() {
            let at = (0..4).position(|strategy| named(strategy) == share.strategy).unwrap();
            prop_assert_eq!((share.now, share.base), (alone[at].now(), alone[at].base()), "{:?}", share.strategy);
        }
        let again = Holding::from_parts(
            method, holding.base().clone(), holding.day().to_vec(), holding.closed().to_vec(), holding.strategy_bases(),
        );
        prop_assert_eq!(&again, &holding);
        add_up(&again, Price::from_raw(mark));
    }
}

#[test]
fn what_one_strategy_sells_of_what_another_bought_is_realised_by_the_account_alone() {
    let mut holding = Holding::flat(AccountId::from_u128(1), InstrumentId(0));
    let (ten, twelve) = (10_000_000_000, 12_000_000_000);
    holding.book(CostMethod::Fifo, Booking { strategy: named(1), ..booking(1, true, 100_000_000_000, ten, 1) });
    holding.book(CostMethod::Fifo, Booking { strategy: named(2), ..booking(2, false, 100_000_000_000, twelve, 2) });
    assert_eq!((holding.now().qty, holding.now().realized.to_string()), (Qty::ZERO, "200".to_owned()));
    let shares: Vec<_> = holding.strategies().map(|s| (s.strategy, s.now.qty.to_string(), s.now.realized)).collect();
    assert_eq!(shares, [(named(1), "100".to_owned(), Notional::ZERO), (named(2), "-100".to_owned(), Notional::ZERO)]);
    let at = |px| holding.strategies().map(|s| s.now.unrealized(Price::from_raw(px)).unwrap().to_string()).collect::<Vec<_>>();
    assert_eq!(at(11_000_000_000), ["100", "100"]);
    assert_eq!(at(13_000_000_000), ["300", "-100"]);
}

#[test]
fn a_position_of_no_strategy_is_not_divided() {
    let mut holding = booked(CostMethod::Fifo, &[booking(1, true, 5_000_000_000, 10_000_000_000, 1)]);
    assert_eq!(holding.strategy_bases().count(), 0);
    let undivided = StrategyShare { strategy: None, now: holding.now(), base: holding.base() };
    assert_eq!(holding.strategies().collect::<Vec<_>>(), [undivided]);
    // One that is taken back leaves no trace.
    let before = holding.clone();
    let late = Booking { strategy: named(1), ..booking(2, true, 7_000_000_000, 10_000_000_000, 0) };
    holding.book(CostMethod::Fifo, late.clone());
    assert_eq!(holding.strategies().count(), 2);
    assert!(holding.reverse(CostMethod::Fifo, &late.exec_id, late.venue, late.order_id, Time(9)));
    assert_eq!(holding, before);
}
