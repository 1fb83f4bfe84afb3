use super::*;
use crate::json::parse;
use oms_model::compliance::ListKind;
use oms_model::instrument::Instrument;
use oms_model::limit::{LimitKey, LimitType, Period, Scope};
use oms_model::{AccountId, AssetClass, InstrumentId, StrategyId, UserId};
use proptest::collection::btree_map;
use proptest::prelude::*;

fn catalog() -> Catalog {
    let mut catalog = Catalog::default();
    for (id, symbol) in [(0, "AAPL"), (1, "BRK.B")] {
        catalog.list(&Instrument { instrument_id: InstrumentId(id), symbol: symbol.parse().unwrap(), ..Instrument::default() });
    }
    catalog
}

fn scope() -> impl Strategy<Value = Scope> {
    prop_oneof![
        Just(Scope::Tenant),
        any::<u128>().prop_map(|bits| Scope::Account(AccountId::from_u128(bits))),
        any::<u128>().prop_map(|bits| Scope::User(UserId::from_u128(bits))),
        (0_u32..2).prop_map(|id| Scope::Instrument(InstrumentId(id))),
        Just(Scope::Strategy(StrategyId::of(b"MM-1"))),
        proptest::sample::select(AssetClass::ALL).prop_map(Scope::AssetClass),
    ]
}

prop_compose! {
    fn key()(
        limit_type in proptest::sample::select(LimitType::ALL),
        scope in scope(),
        period in proptest::sample::select(&[None, Some(Period::Second), Some(Period::Minute), Some(Period::Day)][..]),
        soft in any::<bool>(),
    ) -> LimitKey {
        LimitKey { limit_type, scope, period, soft }.normal()
    }
}

fn limits_of(body: &Body<'_>) -> Result<File<RiskLimit>, Refusal> {
    limits(body, &catalog())
}

proptest! {
    /// What is exported is imported as it was, by either format.
    #[test]
    fn limits_come_back_as_they_went(values in btree_map(key(), 0_i128..i128::from(i64::MAX), 0..20)) {
        let wanted: Vec<RiskLimit> = values.into_iter().map(|(key, raw)| RiskLimit::of(key, Decimal::from_raw(raw), 0)).collect();
        let text = limits_csv(&wanted, &catalog());
        prop_assert_eq!(&limits_of(&Body::Csv(&text)).unwrap().items, &wanted);
        let mut w = Writer::default();
        w.object(|w| {
            w.number("revision", 7_u64);
            w.array_at("data", &wanted, |w, limit| w.object(|w| limit_row_fields(w, limit, &catalog())));
        });
        let document = w.finish();
        let value = parse(&document, 8).unwrap();
        prop_assert_eq!(limits_of(&Body::Json(&value)).unwrap().items, wanted);
    }

    #[test]
    fn lists_come_back_as_they_went(
        entries in btree_map((proptest::sample::select(ListKind::ALL), scope(), scope()), "[a-zé\",\n\r]{1,12}", 0..20)
    ) {
        let reason = |text: String| format!("x{text}x");
        let wanted: Vec<Restriction> =
            entries.into_iter().map(|((list, scope, subject), text)| Restriction { list, scope, subject, reason: reason(text) }).collect();
        let text = restrictions_csv(&wanted, &catalog());
        prop_assert_eq!(restrictions(&Body::Csv(&text), &catalog()).unwrap().items, wanted);
    }
}

#[test]
fn every_wrong_line_is_named() {
    let text = "limit_type,scope,value\nMAX_ORDER_QTY,TENANT,5\nMAX_ORDER_QTY,NOWHERE,5\nLEMON,,5\n\nMAX_ORDER_QTY,,x\nMAX_ORDER_QTY,,\n";
    let refusal = limits_of(&Body::Csv(text)).err().unwrap();
    assert_eq!((refusal.code, refusal.message.as_str()), (Code::ValidationError, "4 of 5 lines cannot be taken, so none was"));
    for (line, words) in [(3, "scope must be TENANT"), (4, "limit_type must be one of"), (6, "value"), (7, "value is required")] {
        let found = refusal.details.iter().find(|(name, _)| *name == format!("line {line}"));
        assert!(found.is_some_and(|(_, why)| why.contains(words)), "{line}: {:?}", refusal.details);
    }
}

#[test]
fn what_is_no_file_is_refused() {
    let many = format!("limit_type,value\n{}", "MAX_ORDER_QTY,1\n".repeat(MAX_IMPORT + 1));
    for (text, words) in [
        ("", "no head line"),
        ("limit_type,worth\n", "names \"worth\", which is no field"),
        ("value,value\n", "names value twice"),
        ("limit_type,value\nMAX_ORDER_QTY\n", "1 of 1 lines"),
        ("limit_type,value\n\"MAX", "a quote is not closed"),
        ("limit_type,soft,value\nMAX_ORDER_QTY,maybe,5\n", "1 of 1 lines"),
        (many.as_str(), "at most 10000 lines"),
    ] {
        let refusal = limits_of(&Body::Csv(text)).err().unwrap();
        assert!(refusal.message.contains(words), "{refusal}");
    }
    assert_eq!(limits_of(&Body::Csv("limit_type,value\n")).unwrap().items, []);
    for (text, words) in
        [("[]", "must be an object"), ("{}", "data is required"), (r#"{"data":[7]}"#, "1 of 1 lines"), (r#"{"data":[],"x":1}"#, "x is not")]
    {
        let value = parse(text.as_bytes(), 8).unwrap();
        let refusal = limits_of(&Body::Json(&value)).err().unwrap();
        assert!(refusal.message.contains(words), "{refusal}");
    }
}
