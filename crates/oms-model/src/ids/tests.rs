use super::*;

#[test]
fn uuids_round_trip_as_text() {
    let id = OrderId::derive(Time(1_763_700_000_123_000_000), 0xABCD, Seq(42), 3);
    let text = id.to_string();
    assert_eq!(text.len(), 36);
    assert_eq!(&text[14..15], "7");
    assert_eq!(text.parse::<OrderId>().unwrap(), id);
    for bad in ["", "0", &text[1..], &text.replace('-', "_"), &format!("{text}0")] {
        assert_eq!(bad.parse::<OrderId>(), Err(IdError::NotUuid));
    }
}

#[test]
fn order_ids_of_one_log_never_collide() {
    let mut seen = std::collections::BTreeSet::new();
    for seq in 1..2_000 {
        for nth in 0..5 {
            assert!(seen.insert(OrderId::derive(Time(1_000_000_000), 7, Seq(seq), nth)));
        }
    }
}

#[test]
fn wire_ids_name_their_order_and_revision() {
    let id = OrderId::derive(Time(5_000_000), 1, Seq(9), 0);
    for revision in [0, 9, 10, 17, u32::MAX] {
        assert_eq!(WireId::derive(id, revision).as_str(), format!("{:032x}-{revision}", id.as_u128()));
        assert_eq!(WireId::derive(id, revision).parts(), Some((id, revision)));
    }
    for not_ours in ["", "-0", "+123456789abcdef0123456789abcdef-0", "0123456789abcdeg0123456789abcdef-0", "0123456789abcdef-0"] {
        assert_eq!(WireId::new(not_ours).ok().and_then(|id| id.parts()), None, "{not_ours}");
    }
    assert_eq!(WireId::derive(id, 17).parts(), Some((id, 17)));
    assert_eq!(WireId::new("someone-elses").unwrap().parts(), None);
}

#[test]
fn text_ids_refuse_spaces_controls_and_length() {
    assert!(ClOrdId::new("A-1").is_ok());
    for bad in ["", "a b", "a\n", "é", &"x".repeat(65)] {
        assert_eq!(ClOrdId::new(bad), Err(IdError::BadText));
    }
    assert!("XNAS".parse::<Mic>().is_ok());
    for bad in ["xnas", "XNA", "XNASD", "X AS"] {
        assert_eq!(bad.parse::<Mic>(), Err(IdError::NotMic));
    }
}

#[test]
fn days_are_those_of_the_calendar() {
    let day = |text: i64| Time(text * 1_000_000_000).day();
    assert_eq!([day(0), day(86_399), day(86_400)], [19_700_101, 19_700_101, 19_700_102]);
    assert_eq!([day(951_782_400), day(951_868_800)], [20_000_229, 20_000_301]);
    assert_eq!(day(1_795_185_000), 20_261_120);
    assert_eq!((Time(-1).day(), Time(i64::MAX).day()), (0, 22_620_411));
}
