//! What a venue remembers when its process dies.

use super::*;

/// A day that leaves every kind of record; answers the orders it used.
fn busy_day(desk: &mut Desk) -> Vec<WireId> {
    desk.bid(1990, 100);
    desk.ask(2000, 150);
    desk.send(order(1, Side::Buy, 100, 2000));
    desk.send(order(2, Side::Buy, 100, 2000));
    desk.send(order(3, Side::Buy, 300, 1980));
    desk.replace(3, 1, 200, 1985);
    desk.replace(3, 2, 150, 1985);
    desk.replace(3, 3, 0, 1985);
    desk.send(stop(4, Side::Sell, 100, 1980));
    desk.send(stop(5, Side::Sell, 100, 1970));
    desk.elsewhere(1979);
    desk.send(order(6, Side::Sell, 0, 2000));
    desk.send(order(7, Side::Sell, 100, 2100));
    desk.cancel(7, 1);
    desk.cancel(7, 2);
    desk.cancel(99, 1);
    desk.send(order(1, Side::Buy, 100, 2000));
    desk.replace(3, 1, 10, 1985);
    desk.cancel(7, 1);
    let expiring = WireOrder { time_in_force: TimeInForce::Gtd, expire_at: Some(desk.now.plus(1)), ..order(8, Side::Buy, 1, 1) };
    desk.send(expiring);
    desk.told();
    (1..=8).map(|id| wire(id, 0)).collect()
}

#[test]
fn every_kind_of_record_is_kept_and_reads_back() {
    let mut desk = Desk::new();
    busy_day(&mut desk);
    let records = desk.ledger.records().unwrap();
    let mut kinds: Vec<String> = records.iter().map(|r| format!("{r:?}").split(' ').next().unwrap().to_owned()).collect();
    kinds.sort();
    kinds.dedup();
    assert_eq!(kinds.len(), 9, "{kinds:?}");
    let mut bytes = Vec::new();
    records.iter().for_each(|record| encode(record, &mut bytes));
    assert_eq!(decode(&bytes).unwrap(), (records, bytes.len()));
}

#[test]
fn cut_at_every_byte_the_venue_is_as_it_was_at_the_last_whole_record() {
    let mut desk = Desk::new();
    let ids = busy_day(&mut desk);
    let records = desk.ledger.records().unwrap();
    let mut bytes = Vec::new();
    let mut ends = vec![0];
    for record in &records {
        encode(record, &mut bytes);
        ends.push(bytes.len());
    }
    for cut in 0..=bytes.len() {
        let (read, whole) = decode(&bytes[..cut]).unwrap();
        let expected = ends.iter().rposition(|&end| end <= cut).unwrap();
        assert_eq!((read.len(), whole), (expected, ends[expected]), "cut at {cut}");
        assert_eq!(read, records[..expected]);
        let mut venue = PaperVenue::open(profile(), 1, Box::new(MemoryLedger::new()), &read).unwrap();
        let known = ids.iter().filter(|id| venue.query(desk.now, id) != Answer::Complete(None)).count();
        let sent = read.iter().filter(|r| matches!(r, LedgerRecord::Accepted { .. } | LedgerRecord::Rejected { .. })).count();
        assert_eq!(known, sent, "cut at {cut}");
    }
}

#[test]
fn a_restored_venue_answers_as_the_one_that_died() {
    let mut desk = Desk::new();
    let ids = busy_day(&mut desk);
    let records = desk.ledger.records().unwrap();
    let mut again = PaperVenue::open(profile(), 2, Box::new(desk.ledger.clone()), &records).unwrap();
    for id in &ids {
        assert_eq!(again.query(desk.now, id), desk.venue.query(desk.now, id));
    }
    assert_eq!(again.open_orders(desk.now), desk.venue.open_orders(desk.now));
    let all = Time(i64::MIN);
    assert_eq!(again.executions_since(desk.now, all), desk.venue.executions_since(desk.now, all));
    assert_eq!(again.stats(), desk.venue.stats());
    assert_eq!(desk.venue.stats().duplicates_seen, 2);
    assert_eq!(desk.venue.stats().repeated_cancels, 1);
    // It goes on where it stopped: an exec id or order number is never used again.
    desk.venue = again;
    desk.ask(1985, 1000);
    desk.send(order(20, Side::Buy, 100, 2000));
    let Answer::Complete(told) = desk.venue.executions_since(desk.now, all) else { panic!() };
    let mut exec_ids: Vec<_> = told.iter().map(|(_, _, fill)| fill.exec_id.clone()).collect();
    exec_ids.sort();
    exec_ids.dedup();
    assert_eq!(exec_ids.len(), told.len());
}

#[test]
fn a_file_keeps_what_memory_keeps_and_a_torn_tail_is_cut_off() {
    let folder = std::env::temp_dir().join(format!("oms-ledger-{}", std::process::id()));
    let path = folder.join("XNYS.ledger");
    let _ = std::fs::remove_dir_all(&folder);
    assert_eq!(read_ledger(&path).unwrap(), []);
    let (ledger, records) = FileLedger::open(&path).unwrap();
    assert!(records.is_empty());
    let mut desk = Desk::new();
    desk.venue = PaperVenue::open(profile(), 1, Box::new(ledger), &[]).unwrap();
    desk.venue.list(&symbol());
    busy_day(&mut desk);
    let kept = read_ledger(&path).unwrap();
    assert!(kept.len() > 15);

    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 3]).unwrap();
    let (mut ledger, records) = FileLedger::open(&path).unwrap();
    assert_eq!(records, kept[..kept.len() - 1]);
    let mut last = Vec::new();
    encode(&kept[kept.len() - 1], &mut last);
    ledger.append(&last).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), whole);

    let mut damaged = whole.clone();
    damaged[20] ^= 1;
    std::fs::write(&path, &damaged).unwrap();
    assert!(matches!(FileLedger::open(&path), Err(LedgerError::Damaged { offset: 0, what: "checksum" })));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn duplicates_are_proved_by_the_ledger() {
    let mut desk = Desk::new();
    desk.send(order(1, Side::Buy, 100, 2000));
    desk.send(order(1, Side::Buy, 100, 2000));
    let twice = desk.ledger.records().unwrap().into_iter().filter_map(|record| match record {
        LedgerRecord::Duplicate { wire_id, kind, .. } => Some((wire_id, kind)),
        _ => None,
    });
    assert_eq!(twice.collect::<Vec<_>>(), [(wire(1, 0), IntentKind::New)]);
}

/// A disk that is full.
struct Full;

impl Ledger for Full {
    fn append(&mut self, _: &[u8]) -> Result<(), LedgerError> {
        let error = std::io::Error::from(std::io::ErrorKind::StorageFull);
        Err(LedgerError::File { path: "full".into(), error })
    }
}

#[test]
fn a_venue_that_cannot_remember_says_nothing_and_stops() {
    let mut desk = Desk::new();
    desk.venue = PaperVenue::open(profile(), 1, Box::new(Full), &[]).unwrap();
    desk.venue.list(&symbol());
    desk.venue.on_quote(desk.now, &symbol(), Side::Sell, Some(Shown { price: price(2000), size: qty(100) }));
    assert_eq!(desk.send(order(1, Side::Buy, 100, 2000)), ["down"]);
    assert!(matches!(desk.venue.query(desk.now, &wire(1, 0)), Answer::Failed(_)));
    let handed = desk.venue.submit(desk.now, Request::New(order(2, Side::Buy, 100, 2000)));
    assert!(matches!(handed, Handed::NotSent(_)));
}

/// A disk that is full after so many writes.
struct Filling {
    kept: MemoryLedger,
    room: usize,
}

impl Ledger for Filling {
    fn append(&mut self, bytes: &[u8]) -> Result<(), LedgerError> {
        self.room = self.room.checked_sub(1).ok_or_else(|| Full.append(bytes).unwrap_err())?;
        self.kept.append(bytes)
    }
}

#[test]
fn what_arrives_together_is_one_write_before_any_of_its_answers() {
    let mut desk = Desk::new();
    desk.venue = PaperVenue::open(profile(), 1, Box::new(Filling { kept: desk.ledger.clone(), room: 2 }), &[]).unwrap();
    desk.venue.list(&symbol());
    let submit = |desk: &mut Desk, ids: std::ops::Range<u128>| {
        for id in ids {
            assert_eq!(desk.venue.submit(desk.now, Request::New(order(id, Side::Buy, 100, 2000))), Handed::Over);
        }
    };
    for (ids, answers) in [(1..4, vec!["1-0 accepted", "2-0 accepted", "3-0 accepted"]), (4..5, vec!["4-0 accepted"])] {
        submit(&mut desk, ids.clone());
        desk.venue.advance(desk.now);
        assert_eq!(desk.ledger.records().unwrap().len() as u128, ids.end - 1, "recorded before anybody polls");
        assert_eq!(desk.told(), answers);
    }
    submit(&mut desk, 5..7);
    assert_eq!(desk.told(), ["down"], "what was not recorded is not answered");
    assert_eq!(desk.ledger.records().unwrap().len(), 4);
}
