use super::*;

fn read(text: &str) -> Result<String, NumberError> {
    text.parse::<Number>().map(|number| number.to_string())
}

#[test]
fn what_is_written_is_what_was_read_without_idle_zeros() {
    for (text, shown) in [
        ("0", "0"),
        ("-0.0", "0"),
        ("10.0", "10"),
        ("0.5", "0.5"),
        (".5", "0.5"),
        ("5.", "5"),
        ("-12.3450", "-12.345"),
        ("1.0E-4", "0.0001"),
        ("1.5e+3", "1500"),
        ("150e-2", "1.5"),
        ("1.4210854715202004E-14", "0.000000000000014210854715202004"),
        ("12.33333333333333", "12.33333333333333"),
    ] {
        assert_eq!(read(text).as_deref(), Ok(shown), "{text}");
    }
}

#[test]
fn what_is_no_number_or_too_long_is_refused_and_never_rounded() {
    for text in ["", "-", ".", "1,5", "NaN", "Infinity", "0x10", "1e", "1e5.0", "--1", "1.2.3"] {
        assert_eq!(read(text), Err(NumberError::Malformed), "{text}");
    }
    for text in ["1e99", "1e-99", "1234567890123456789012345678901234567"] {
        assert_eq!(read(text), Err(NumberError::OutOfRange), "{text}");
    }
}

#[test]
fn only_what_fits_exactly_becomes_an_amount_of_the_model() {
    let number: Number = "177.25".parse().unwrap();
    assert_eq!(number.price().unwrap().to_string(), "177.25");
    assert_eq!(number.qty().unwrap().to_string(), "177.25");
    assert_eq!("0.0000000001".parse::<Number>().unwrap().price(), None);
    assert_eq!("99999999999".parse::<Number>().unwrap().price(), None);
    assert_eq!(Number::from("0.000000001".parse::<Price>().unwrap()).to_string(), "0.000000001");
}

#[test]
fn the_word_for_unset_is_known_in_every_spelling() {
    for text in ["1.7976931348623157E308", "1.7976931348623157e308", "1.7976931348623157E+308", "1.7976931348623157e+308"] {
        assert!(Number::is_unset(text), "{text}");
    }
    assert!(!Number::is_unset("1.7976931348623157"));
}
