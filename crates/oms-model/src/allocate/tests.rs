use super::*;
use crate::amount::Price;

fn weight(id: u128, created: i64, remaining: &str) -> Weight {
    Weight { order_id: OrderId::from_u128(id), created_at: Time(created), remaining: remaining.parse().unwrap() }
}

fn shares(qty: &str, notional: &str, lot: &str, members: &[Weight]) -> Vec<(String, String)> {
    let shares = allocate(qty.parse().unwrap(), notional.parse().unwrap(), lot.parse().unwrap(), members).unwrap();
    shares.iter().map(|share| (share.qty.to_string(), share.notional.to_string())).collect()
}

fn told(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(qty, notional)| ((*qty).to_owned(), (*notional).to_owned())).collect()
}

#[test]
fn pro_rata_in_lots_by_largest_remainder() {
    // 100 of 300 over 150, 90 and 60: 50, 30, 20.
    let members = [weight(1, 1, "150"), weight(2, 2, "90"), weight(3, 3, "60")];
    assert_eq!(shares("100", "2000", "1", &members), told(&[("50", "1000"), ("30", "600"), ("20", "400")]));
    // In lots of ten the exact shares 50, 30 and 20 of 105 are 52.5, 31.5 and 21: two lots too few, then a rest of five.
    assert_eq!(shares("105", "1050", "10", &members), told(&[("55", "550"), ("30", "300"), ("20", "200")]));
}

#[test]
fn ties_go_to_the_older_order_and_then_to_the_smaller_id() {
    let members = [weight(3, 2, "10"), weight(2, 1, "10"), weight(1, 2, "10")];
    assert_eq!(shares("1", "7", "1", &members), told(&[("0", "0"), ("1", "7"), ("0", "0")]));
    assert_eq!(shares("2", "14", "1", &members), told(&[("0", "0"), ("1", "7"), ("1", "7")]));
}

#[test]
fn nobody_gets_more_than_it_had_left_and_the_rest_is_shared_to_nobody() {
    let members = [weight(1, 1, "15"), weight(2, 2, "5")];
    assert_eq!(shares("30", "300", "10", &members), told(&[("15", "150"), ("5", "50")]));
    assert_eq!(shares("0", "0", "10", &members), told(&[("0", "0"), ("0", "0")]));
    assert_eq!(shares("5", "50", "1", &[]), told(&[]));
}

#[test]
fn a_value_that_cannot_be_divided_is_shared_to_the_last_unit() {
    let members = [weight(1, 1, "1"), weight(2, 2, "1"), weight(3, 3, "1")];
    let all = shares("3", "1.000000000000000001", "1", &members);
    assert_eq!(all, told(&[("1", "0.333333333333333334"), ("1", "0.333333333333333334"), ("1", "0.333333333333333333")]));
}

#[test]
fn figures_below_zero_are_refused() {
    let members = [weight(1, 1, "10")];
    let (one, none): (Qty, Notional) = ("1".parse().unwrap(), Notional::ZERO);
    assert_eq!(allocate(one.negated(), none, one, &members), None);
    assert_eq!(allocate(one, Notional::from_raw(-1), one, &members), None);
    assert_eq!(allocate(one, none, one, &[weight(1, 1, "-10")]), None);
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    }
    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// A group of the kinds that there are: round and odd lots, fractions, huge and tiny, many and few.
fn group(random: &mut Random) -> (Qty, Notional, Qty, Vec<Weight>) {
    let lot = [1_000_000_000_i128, 100_000_000_000, 1, 10_000_000, 7_000_000_000][random.below(5) as usize];
    let scale = [1_i128, 1_000_000_000, 100_000_000_000, 1_000_000_000_000_000][random.below(4) as usize];
    let members: Vec<Weight> = (0..=random.below(12))
        .map(|nth| Weight {
            order_id: OrderId::from_u128(u128::from(nth * 7 % 13)),
            created_at: Time(random.below(3) as i64),
            remaining: Qty::from_raw(i128::from(random.below(1_000)) * scale),
        })
        .collect();
    let whole = members.iter().fold(0, |sum, member| sum + member.remaining.raw());
    let qty = match random.below(4) {
        0 => whole,
        1 => whole + 1,
        _ => whole * i128::from(random.below(1_000)) / 1_000,
    };
    let price = Price::from_raw(random.below(1_000_000_000_000) as i64);
    // An average of many prices is no price of its own.
    let notional = price.notional(Qty::from_raw(qty)).unwrap().raw() + i128::from(random.below(1_000));
    (Qty::from_raw(qty), Notional::from_raw(if qty == 0 { 0 } else { notional }), Qty::from_raw(lot), members)
}

/// So many in an ordinary run; `OMS_ALLOCATION_GROUPS` asks for more.
const GROUPS: u64 = 100_000;

#[test]
fn random_groups_sum_exactly() {
    let groups = std::env::var("OMS_ALLOCATION_GROUPS").map_or(GROUPS, |text| text.parse().unwrap());
    let mut random = Random(2_026);
    for nth in 0..groups {
        let (qty, notional, lot, members) = group(&mut random);
        let shares = allocate(qty, notional, lot, &members).unwrap_or_else(|| panic!("group {nth}"));
        let whole = members.iter().fold(0, |sum, member| sum + member.remaining.raw());
        let sum = shares.iter().fold((0, 0), |(q, n), share| (q + share.qty.raw(), n + share.notional.raw()));
        assert_eq!(sum.0, qty.raw().min(whole), "group {nth}: quantity");
        if qty.raw() <= whole {
            assert_eq!(sum.1, if whole == 0 { 0 } else { notional.raw() }, "group {nth}: value");
        }
        for (share, member) in shares.iter().zip(&members) {
            assert!(share.qty <= member.remaining && !share.qty.is_negative(), "group {nth}: {share:?} of {member:?}");
            // Nobody is a lot or more away from its exact share, unless what it had left was no whole lot.
            let exact = qty.raw().min(whole) as f64 * member.remaining.raw() as f64 / (whole.max(1)) as f64;
            let off = (share.qty.raw() as f64 - exact).abs();
            assert!(off < 1.01 * lot.raw() as f64 * members.len() as f64 + exact * 1e-9, "group {nth}: {share:?} is {off} off");
            if let Some((low, price, high)) = exact_lots(share.qty, share.notional) {
                let next = Price::from_raw(price.raw() + 1);
                let sum = price.notional(low).unwrap().saturating_add(next.notional(high).unwrap());
                assert_eq!((low.saturating_add(high), sum), (share.qty, share.notional), "group {nth}: lots");
            }
        }
    }
}

#[test]
fn the_order_of_members_does_not_matter() {
    let mut random = Random(7);
    for _ in 0..10_000 {
        let (qty, notional, lot, mut members) = group(&mut random);
        let mut shares = allocate(qty, notional, lot, &members).unwrap();
        members.reverse();
        let mut again = allocate(qty, notional, lot, &members).unwrap();
        // Ids repeat among thirteen, so what is equal in every respect may stand in for another.
        let key = |share: &Share| (share.order_id, share.qty, share.notional);
        shares.sort_unstable_by_key(key);
        again.sort_unstable_by_key(key);
        assert_eq!(shares, again);
    }
}
