use super::*;
use crate::dictionary::fix44;
use proptest::prelude::*;

fn fields(text: &str) -> Result<Vec<(i32, String)>, Garbled> {
    let (bytes, mut spans) = (text.replace('|', "\u{1}").into_bytes(), Vec::new());
    scan(&bytes, fix44(), 100, &mut spans)?;
    let view = View::new(&bytes, &spans);
    Ok(spans.iter().map(|span| (span.tag, String::from_utf8_lossy(view.value(span)).replace('\u{1}', "|"))).collect())
}

#[test]
fn fields_are_found_in_place() {
    let found = fields("8=FIX.4.4|9=5|35=0|-1=HI|0=|999=a=b|10=000|").unwrap();
    let tags: Vec<i32> = found.iter().map(|(tag, _)| *tag).collect();
    assert_eq!(tags, [8, 9, 35, -1, 0, 999, 10]);
    assert_eq!((found[4].1.as_str(), found[5].1.as_str()), ("", "a=b"));
}

#[test]
fn a_data_field_may_contain_the_separator() {
    let found = fields("8=FIX.4.4|9=5|35=B|95=7|96=a|10=1b|58=x|10=000|").unwrap();
    assert_eq!(found[4], (96, "a|10=1b".to_owned()));
    assert_eq!(found[5], (58, "x".to_owned()));
    assert_eq!(fields("8=FIX.4.4|9=5|35=B|95=8|96=a|10=1b|58=x|"), Err(Garbled::DataLength));
    assert_eq!(fields("8=FIX.4.4|9=5|35=B|95=99999999999|96=a|"), Err(Garbled::DataLength));
    // Without its length field right before it, a data field ends at the separator.
    assert_eq!(fields("8=FIX.4.4|9=5|35=B|95=3|58=x|96=ab|").unwrap().len(), 6);
}

#[test]
fn what_is_no_field_is_garbled() {
    for text in [
        "8=FIX.4.4|9=5|35=0|4garbled9=TW|",
        "8=FIX.4.4|9=5|35=0|=TW|",
        "8=FIX.4.4|9=5|35=0|49|",
        "8=FIX.4.4|9=5|35=0|49=TW",
        "8=FIX.4.4|9=5|35=0|99999999999=x|",
    ] {
        assert_eq!(fields(text), Err(Garbled::Field), "{text}");
    }
    assert_eq!(fields("8=FIX.4.4|9=5|34=2|35=0|"), Err(Garbled::FirstFields));
    assert_eq!(fields(&format!("8=FIX.4.4|9=5|35=0|{}", "58=x|".repeat(98))), Err(Garbled::TooManyFields));
}

proptest! {
    #[test]
    fn no_bytes_panic_and_spans_lie_within(bytes: Vec<u8>) {
        let mut spans = Vec::new();
        let _ = scan(&bytes, fix44(), 50, &mut spans);
        prop_assert!(spans.iter().all(|span| span.start <= span.value && span.value <= span.end && (span.end as usize) < bytes.len()));
    }

    #[test]
    fn what_is_split_is_the_whole_message(values in prop::collection::vec((1_i32..900, "[ -~]{0,12}"), 0..40)) {
        let mut bytes = b"8=FIX.4.4\x019=5\x0135=0\x01".to_vec();
        for (tag, value) in &values {
            // A length field would make the next one data.
            if fix44().data_of(*tag).is_none() {
                crate::codec::encode::put_field(&mut bytes, *tag, value.as_bytes());
            }
        }
        let mut spans = Vec::new();
        prop_assert_eq!(scan(&bytes, fix44(), 50, &mut spans), Ok(()));
        let view = View::new(&bytes, &spans);
        let joined: Vec<u8> = spans.iter().flat_map(|span| view.field(span)).copied().collect();
        prop_assert_eq!(joined, bytes);
    }
}
