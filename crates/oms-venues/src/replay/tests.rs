use std::collections::BTreeMap;

use oms_model::market::Market;

use super::*;

fn embedded() -> Arc<Recording> {
    Arc::new(Recording::embedded().unwrap())
}

fn raw(millis: u32, venue: u8, kind: RawKind, price_e4: u32, size: u32) -> RawTick {
    RawTick { millis, symbol: 0, venue, kind, price_e4, size }
}

fn slice(ticks: Vec<RawTick>) -> Slice {
    Slice {
        start_ns: 1_000_000_000,
        length_ns: 100_000_000,
        symbols: vec!["BAC".to_owned()],
        venues: vec![*b"XNYS", *b"XNAS", *b"FINN"],
        ticks,
    }
}

fn small() -> Slice {
    slice(vec![
        raw(0, 0, RawKind::Bid, 138_900, 100),
        raw(0, 1, RawKind::Ask, 139_100, 300),
        raw(7, 2, RawKind::TradeOther, 139_000, 5),
        raw(30, 1, RawKind::Bid, 138_800, 70_000),
        raw(99, 0, RawKind::Trade, 138_800, 1),
    ])
}

#[test]
fn the_shipped_slice_is_what_it_says() {
    assert!(EMBEDDED.len() < 3_000_000, "{} bytes", EMBEDDED.len());
    let recording = embedded();
    let symbols: Vec<_> = recording.symbols().iter().map(Symbol::as_str).collect();
    assert_eq!(symbols, ["AIG", "BAC", "IBM"]);
    // 2013-10-08 10:00 New York is 14:00 UTC.
    assert_eq!(recording.start(), Time(1_381_240_800_000_000_000));
    assert_eq!(recording.length_ns(), 1_800_000_000_000);
    let bounds = [(470_000, 500_000), (135_000, 142_000), (1_760_000, 1_850_000)];
    let mut rows: BTreeMap<(u8, bool), u32> = BTreeMap::new();
    for tick in recording.ticks() {
        let (low, high) = bounds[usize::from(tick.symbol)];
        let quote = matches!(tick.kind, RawKind::Bid | RawKind::Ask);
        assert!((low..high).contains(&tick.price_e4), "{tick:?}");
        *rows.entry((tick.symbol, quote)).or_default() += 1;
    }
    // As counted in the original files between 10:00 and 10:30, and the board at 10:00.
    let counted = [(121_706, 4_029), (43_944, 10_402), (7_562, 2_295)];
    for (symbol, (quotes, trades)) in counted.into_iter().enumerate() {
        let symbol = u8::try_from(symbol).unwrap();
        assert_eq!(rows[&(symbol, false)], trades);
        assert!((quotes..quotes + 30).contains(&rows[&(symbol, true)]), "{rows:?}");
    }
    for mic in ["XNYS", "XNAS", "ARCX", "BATS", "BATY", "EDGX", "EDGA", "XBOS"] {
        assert!(recording.venues().iter().any(|venue| venue.as_str() == mic), "{mic}");
    }
}

#[test]
fn the_best_bid_and_offer_follow_the_tape_and_do_not_cross() {
    let recording = embedded();
    let mut replay = Replay::new(Arc::clone(&recording), Time(0), Speed::AsFastAsPossible, false);
    let mut markets: Vec<Market> = vec![Market::default(); recording.symbols().len()];
    let (mut both, mut crossed, mut locked, mut trades, mut outside) = (0_u32, 0, 0, 0, 0);
    let mut last = Time(i64::MIN);
    while let Some(tick) = replay.pop(Time(i64::MAX)) {
        assert!(tick.at >= last);
        assert_eq!(tick.source.since(recording.start()), tick.at.0);
        last = tick.at;
        let market = &mut markets[tick.symbol];
        match tick.kind {
            TickKind::Quote { venue, side, shown } => {
                let level = shown.map(|s| oms_model::market::Level { price: s.price, size: s.size, at: tick.at });
                market.set_quote(venue, side.is_buy(), level);
                if let Some(shown) = shown {
                    // The tape's best is our best.
                    let best = if side.is_buy() { market.bid } else { market.ask };
                    assert_eq!(best.unwrap().price, shown.price);
                }
            }
            TickKind::Trade { traded, last_sale: true, .. } => {
                if let (Some(bid), Some(ask)) = (market.bid, market.ask) {
                    trades += 1;
                    outside += u32::from(traded.price < bid.price || traded.price > ask.price);
                }
            }
            TickKind::Trade { last_sale: false, .. } => (),
        }
        if let (Some(bid), Some(ask)) = (market.bid, market.ask) {
            both += 1;
            crossed += u32::from(bid.price > ask.price);
            locked += u32::from(bid.price == ask.price);
        }
    }
    println!("{both} two-sided markets, {crossed} crossed, {locked} locked; {trades} last sales, {outside} outside");
    assert!(both > 170_000);
    assert!(crossed * 200 < both, "{crossed} of {both} crossed");
    assert!(outside * 5 < trades, "{outside} of {trades} trades outside the quote");
    // The market was seen on several venues at once.
    assert!(markets.iter().all(|market| market.quotes.len() >= 8));
}

#[test]
fn a_slice_reads_back_equal() {
    assert_eq!(Slice::decode(&small().encode(3).unwrap()).unwrap(), small());
}

#[test]
fn a_slice_cut_anywhere_is_refused_with_its_place() {
    let bytes = small().encode(3).unwrap();
    for end in 0..bytes.len() {
        assert!(Slice::decode(&bytes[..end]).is_err(), "cut at {end}");
    }
    let plain = zstd::stream::decode_all(&bytes[..]).unwrap();
    for end in 0..plain.len() {
        let cut = zstd::stream::encode_all(&plain[..end], 1).unwrap();
        match Slice::decode(&cut) {
            Err(SliceError::Truncated { offset, .. }) => assert!(offset <= end),
            other => panic!("cut at {end}: {other:?}"),
        }
    }
    let mut longer = plain.clone();
    longer.push(0);
    let longer = zstd::stream::encode_all(&longer[..], 1).unwrap();
    assert_eq!(Slice::decode(&longer), Err(SliceError::Trailing { offset: plain.len() }));
}

#[test]
fn a_damaged_slice_never_panics_and_never_grows() {
    let plain = zstd::stream::decode_all(&small().encode(3).unwrap()[..]).unwrap();
    for at in 0..plain.len() {
        for bit in 0..8 {
            let mut bytes = plain.clone();
            bytes[at] ^= 1 << bit;
            let packed = zstd::stream::encode_all(&bytes[..], 1).unwrap();
            if let Ok(read) = Slice::decode(&packed) {
                assert!(read.ticks.len() <= 5);
            }
        }
    }
    let bomb = zstd::stream::encode_all(&vec![0_u8; (64 << 20) + 1][..], 1).unwrap();
    assert_eq!(Slice::decode(&bomb), Err(SliceError::TooLarge { limit: 64 << 20 }));
}

#[test]
fn a_recording_that_cannot_be_repeated_is_refused() {
    assert!(matches!(Recording::from_slice(slice(Vec::new())), Err(RecordingError::Empty { ticks: 0, .. })));
    let mut odd = small();
    odd.venues[1] = *b"nope";
    assert!(matches!(Recording::from_slice(odd), Err(RecordingError::BadVenue { venue }) if venue == *b"nope"));
}

#[test]
fn the_tape_withdraws_what_it_contradicts_and_a_roll_withdraws_the_rest() {
    let recording = Arc::new(Recording::from_slice(small()).unwrap());
    let mut replay = Replay::new(recording, Time(5_000), Speed::times(10).unwrap(), true);
    let told: Vec<String> = (0..10)
        .map_while(|_| replay.pop(Time(i64::MAX)))
        .map(|tick| {
            let what = match tick.kind {
                TickKind::Quote { venue, side, shown: Some(shown) } => format!("{venue} {side} {} x {}", shown.price, shown.size),
                TickKind::Quote { venue, side, shown: None } => format!("{venue} {side} gone"),
                TickKind::Trade { venue, traded, last_sale } => format!("{venue} {} x {} {last_sale}", traded.price, traded.size),
            };
            format!("{} {what}", (tick.at.0 - 5_000) / 1_000)
        })
        .collect();
    assert_eq!(
        told,
        [
            "0 XNYS BUY 13.89 x 100",
            "0 XNAS SELL 13.91 x 300",
            "700 FINN 13.9 x 5 false",
            "3000 XNYS BUY gone",
            "3000 XNAS BUY 13.88 x 70000",
            "9900 XNYS 13.88 x 1 true",
            "10000 XNAS BUY gone",
            "10000 XNAS SELL gone",
            "10000 XNYS BUY 13.89 x 100",
            "10000 XNAS SELL 13.91 x 300",
        ]
    );
    assert_eq!(replay.round(), 1);
}

#[test]
fn nothing_comes_before_it_is_due_and_the_end_is_the_end() {
    let recording = Arc::new(Recording::from_slice(small()).unwrap());
    let mut replay = Replay::new(recording, Time(0), Speed::Times(1), false);
    while replay.pop(Time(0)).is_some() {}
    assert_eq!(replay.next_due(), Some(Time(7_000_000)));
    assert_eq!(replay.pop(Time(6_999_999)), None);
    assert!(replay.pop(Time(7_000_000)).is_some());
    while replay.pop(Time(i64::MAX)).is_some() {}
    assert_eq!(replay.next_due(), None);
}

#[test]
fn speeds() {
    assert_eq!("1".parse(), Ok(Speed::Times(1)));
    assert_eq!("100x".parse(), Ok(Speed::Times(100)));
    assert_eq!("max".parse(), Ok(Speed::AsFastAsPossible));
    for text in ["0", "101", "", "-1", "1.5", "fast"] {
        assert!(text.parse::<Speed>().is_err(), "{text}");
    }
    // Ten thousand rounds on, due times are still exact.
    let mut clock = ReplayClock::new(Time(0), 1_800_000_000_000, Speed::Times(7));
    for _ in 0..10_000 {
        clock.roll();
    }
    assert_eq!(clock.due(3), Time((1_800_000_000_000_i128 * 10_000 + 3) as i64 / 7));
}
