use super::*;

fn book(position: &mut Position, side: &str, qty: &str, price: &str) {
    position.book(side == "buy", qty.parse().unwrap(), price.parse().unwrap(), Notional::ZERO);
}

#[test]
fn first_in_first_out_through_zero() {
    let mut p = Position::default();
    book(&mut p, "buy", "100", "10");
    book(&mut p, "buy", "100", "12");
    book(&mut p, "sell", "150", "13");
    assert_eq!((p.qty.to_string(), p.realized.to_string()), ("50".into(), "350".into()));
    assert_eq!(p.avg_cost().unwrap().to_string(), "12");
    book(&mut p, "sell", "80", "11");
    assert_eq!((p.qty.to_string(), p.realized.to_string()), ("-30".into(), "300".into()));
    assert_eq!(p.unrealized("10".parse().unwrap()).unwrap().to_string(), "30");
    book(&mut p, "buy", "30", "10");
    assert_eq!((p.qty, p.realized.to_string(), p.lots.len()), (Qty::ZERO, "330".into(), 0));
    assert_eq!(p.realized, p.sold_notional.checked_sub(p.bought_notional).unwrap(), "flat: realised is received less paid");
}
