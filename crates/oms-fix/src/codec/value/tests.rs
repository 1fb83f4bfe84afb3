use super::*;
use proptest::prelude::*;

#[test]
fn numbers_have_the_form_that_fix_gives_them() {
    for (text, value) in [("0", Some(0)), ("007", Some(7)), ("-12", Some(-12)), ("+1", None), ("", None), ("-", None), ("1.0", None)] {
        assert_eq!(parse_int(text.as_bytes()), value, "{text}");
    }
    assert_eq!(parse_uint(b"18446744073709551615"), Some(u64::MAX));
    assert_eq!(parse_uint(b"18446744073709551616"), None);
    assert_eq!(parse_uint(&[b'0'; 41]), None, "no number is that long");
}

#[test]
fn decimals_are_exact_or_refused() {
    let price = |text: &str| parse_price(text.as_bytes()).map(|price| price.to_string());
    assert_eq!(price("002000.00"), Ok("2000".to_owned()));
    assert_eq!(price("-.5"), Ok("-0.5".to_owned()));
    assert_eq!(price("5."), Ok("5".to_owned()));
    assert_eq!(price("0.1234567890"), Ok("0.123456789".to_owned()));
    assert_eq!(price("0.1234567891"), Err(DecimalError::TooPrecise));
    assert_eq!(price("9223372037"), Err(DecimalError::OutOfRange));
    for text in ["+200.00", "", ".", "-", "1e5", "1.2.3", "1,5", " 1"] {
        assert_eq!(price(text), Err(DecimalError::Malformed), "{text}");
    }
}

#[test]
fn times_are_read_and_written() {
    let noon = parse_timestamp(b"20261127-12:00:00").unwrap();
    assert_eq!(noon, 1_795_780_800_000_000_000);
    let text = |precision| {
        let mut out = Vec::new();
        put_timestamp(&mut out, noon + 123_456_789, precision);
        String::from_utf8(out).unwrap()
    };
    assert_eq!(text(Precision::Seconds), "20261127-12:00:00");
    assert_eq!(text(Precision::Millis), "20261127-12:00:00.123");
    assert_eq!(text(Precision::Micros), "20261127-12:00:00.123456");
    assert_eq!(text(Precision::Nanos), "20261127-12:00:00.123456789");
    assert_eq!(parse_timestamp(b"20161231-23:59:60"), parse_timestamp(b"20161231-23:59:59"));
    for bad in [
        "20040415",
        "20040231-00:00:00",
        "20041301-00:00:00",
        "20040415-24:00:00",
        "20040415-1:00:00",
        "20040415-10:00:00.",
        "16000101-00:00:00",
    ] {
        assert_eq!(parse_timestamp(bad.as_bytes()), None, "{bad}");
    }
}

proptest! {
    #[test]
    fn every_timestamp_survives_the_way_there_and_back(time in 0_i64..9_000_000_000_000_000_000) {
        let mut out = Vec::new();
        put_timestamp(&mut out, time, Precision::Nanos);
        prop_assert_eq!(parse_timestamp(&out), Some(time));
    }

    #[test]
    fn every_price_survives_the_way_there_and_back(raw: i64) {
        let text = Price::from_raw(raw).to_string();
        prop_assert_eq!(parse_price(text.as_bytes()), Ok(Price::from_raw(raw)));
    }

    #[test]
    fn a_float_is_read_exactly_when_it_has_the_form(bytes in "[-+.0-9e]{0,14}") {
        prop_assert_eq!(parse_scaled(bytes.as_bytes()) != Err(DecimalError::Malformed), is_float(bytes.as_bytes()));
    }

    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        let _ = (parse_int(&bytes), parse_scaled(&bytes), parse_timestamp(&bytes), parse_date(&bytes), parse_time_only(&bytes), parse_bool(&bytes));
    }
}
