use super::*;

#[test]
fn decimal_text_round_trips_and_refuses_what_it_cannot_hold() {
    for (text, shown) in [("177.25", "177.25"), ("0", "0"), ("-0.000000001", "-0.000000001"), ("100.10", "100.1"), ("007", "7")] {
        assert_eq!(text.parse::<Price>().unwrap().to_string(), shown);
        assert_eq!(text.parse::<Qty>().unwrap().to_string(), shown);
    }
    for text in ["", "-", ".5", "5.", "1e5", "+1", " 1", "1,0", "NaN", "0x1", "1.2.3", "--1"] {
        assert_eq!(text.parse::<Qty>(), Err(AmountError::Malformed), "{text:?}");
    }
    assert_eq!("0.0000000001".parse::<Qty>(), Err(AmountError::TooPrecise { digits: 9 }));
    assert_eq!("9223372037".parse::<Price>(), Err(AmountError::OutOfRange));
    assert_eq!("9".repeat(60).parse::<Qty>(), Err(AmountError::OutOfRange));
    assert_eq!(format!("-{}", "9".repeat(39)).parse::<Notional>(), Err(AmountError::OutOfRange));
}

#[test]
fn average_price_rounds_half_to_even_both_sides_of_zero() {
    let avg = |n: i128, q: i128| Notional::from_raw(n).avg_px(Qty::from_raw(q)).unwrap().raw();
    assert_eq!(avg(5, 2), 2);
    assert_eq!(avg(7, 2), 4);
    assert_eq!(avg(-5, 2), -2);
    assert_eq!(avg(-7, 2), -4);
    assert_eq!(avg(8, 3), 3);
    assert_eq!(avg(-8, 3), -3);
    assert_eq!(avg(1, 3), 0);
    assert_eq!(Notional::from_raw(1).avg_px(Qty::ZERO), None);
}

#[test]
fn a_shown_notional_never_hides_a_breach() {
    assert_eq!(Notional::from_raw(1).to_decimal().raw(), 1);
    assert_eq!(Notional::from_raw(-1).to_decimal().raw(), -1);
    assert_eq!(Notional::from_units(5).unwrap().to_decimal().to_string(), "5");
}

#[test]
fn lots() {
    let q = |t: &str| t.parse::<Qty>().unwrap();
    assert_eq!(q("250").round_down_to(q("100")), q("200"));
    assert!(q("0.3").is_multiple_of(q("0.1")));
    assert!(!q("0.35").is_multiple_of(q("0.1")));
}
