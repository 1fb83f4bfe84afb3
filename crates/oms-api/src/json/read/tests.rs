use super::*;
use proptest::prelude::*;

fn problem(text: &str) -> Problem {
    parse(text.as_bytes(), 4).expect_err(text).problem
}

#[test]
fn numbers_keep_their_text() {
    for text in ["0", "-0", "177.25", "100", "1e3", "0.10", "123456789012345678901234567890.000000000000000001"] {
        assert_eq!(parse(text.as_bytes(), 4).unwrap(), Value::Number(text));
    }
    for text in ["01", "1.", ".5", "+1", "1e", "-", "0x10", "NaN", "Infinity"] {
        assert!(parse(text.as_bytes(), 4).is_err(), "{text}");
    }
}

#[test]
fn a_key_that_occurs_twice_is_refused_at_any_depth() {
    assert_eq!(problem(r#"{"a":1,"a":1}"#), Problem::DuplicateKey("a".into()));
    assert_eq!(problem(r#"{"m":{"x":[{"b":1,"\u0062":2}]}}"#), Problem::DuplicateKey("b".into()));
    let many: Vec<String> = (0..40).map(|n| format!("\"k{}\":0", n % 39)).collect();
    assert_eq!(problem(&format!("{{{}}}", many.join(","))), Problem::DuplicateKey("k0".into()));
}

#[test]
fn depth_is_bounded() {
    assert!(parse(b"[[[[1]]]]", 4).is_ok());
    assert_eq!(problem("[[[[[1]]]]]"), Problem::TooDeep(4));
    assert_eq!(problem(&"[".repeat(1_000_000)), Problem::TooDeep(4));
}

#[test]
fn the_raw_text_of_an_object_is_kept() {
    let Ok(Value::Object(object)) = parse(br#" {"m" : { "a":[1, 2] } } "#, 8) else { panic!("an object") };
    assert_eq!(object.raw, r#"{"m" : { "a":[1, 2] } }"#);
    let Some((_, Value::Object(inner))) = object.fields.first() else { panic!("an object") };
    assert_eq!(inner.raw, r#"{ "a":[1, 2] }"#);
}

#[test]
fn broken_documents_say_where() {
    assert_eq!(parse(b"{\"a\":}", 4), Err(ReadError { at: 5, problem: Problem::Expected("a value") }));
    assert_eq!(parse(b"{\"a\":1", 4), Err(ReadError { at: 6, problem: Problem::Ended }));
    assert_eq!(parse(b"{} {}", 4), Err(ReadError { at: 3, problem: Problem::Trailing }));
    assert_eq!(parse(b"\"\xff\"", 4), Err(ReadError { at: 1, problem: Problem::NotUtf8 }));
    assert_eq!(problem("\"a\nb\""), Problem::BadString);
    assert_eq!(problem(r#""\ud800""#), Problem::BadString);
    assert_eq!(problem(r#""\ud800\u0041""#), Problem::BadString);
    assert_eq!(parse(r#""\ud83d\ude00""#.as_bytes(), 4).unwrap(), Value::String("😀".into()));
}

fn same(ours: &Value<'_>, theirs: &serde_json::Value) -> bool {
    match (ours, theirs) {
        (Value::Null, serde_json::Value::Null) | (Value::Number(_), serde_json::Value::Number(_)) => true,
        (Value::Bool(a), serde_json::Value::Bool(b)) => a == b,
        (Value::String(a), serde_json::Value::String(b)) => a == b,
        (Value::Array(a), serde_json::Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), serde_json::Value::Object(b)) => {
            a.fields.len() == b.len() && a.fields.iter().all(|(key, value)| b.get(key.as_ref()).is_some_and(|other| same(value, other)))
        }
        _ => false,
    }
}

proptest! {
    /// The reader takes and refuses what an independent implementation takes and refuses.
    #[test]
    fn agrees_with_serde_json(text in r#"[\[\]{}:,"a0-9.eE+\-\\u tfnrlsi]{0,24}"#) {
        let theirs: Result<serde_json::Value, _> = serde_json::from_str(&text);
        match (parse(text.as_bytes(), 64), theirs) {
            (Ok(ours), Ok(theirs)) => prop_assert!(same(&ours, &theirs), "{}", text),
            (Err(_), Err(_)) => (),
            (Err(error), Ok(_)) => prop_assert!(matches!(error.problem, Problem::DuplicateKey(_)), "{}: {}", text, error),
            // Theirs refuses numbers beyond the range of a float, which ours keeps as text.
            (Ok(_), Err(error)) => prop_assert!(error.to_string().contains("number out of range"), "{}: {}", text, error),
        }
    }

    #[test]
    fn strings_survive(text in any::<String>()) {
        let written = serde_json::to_string(&text).unwrap();
        prop_assert_eq!(parse(written.as_bytes(), 4), Ok(Value::String(text.into())));
    }

    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _answered = parse(&bytes, 8);
    }
}
