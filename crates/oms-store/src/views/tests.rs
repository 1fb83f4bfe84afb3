mod limits;
mod stream;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use oms_model::command::OrderRef;
use oms_model::event::PositionFrozen;
use oms_model::{CommandId, InstrumentId, Order, Time};

use super::*;
pub(super) use stream::{Expected, Random, Stream, account};

/// A directory of its own for one test, gone at its end.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn new() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let path = std::env::temp_dir().join(format!("oms-views-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed)));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn orders(reader: &ViewReader) -> Vec<Order> {
    let sort = Sort::parse("created_seq");
    let page = reader.orders(&ListQuery { sort, limit: Some(500), ..ListQuery::default() }).unwrap();
    assert_eq!(page.next, None, "the test has no more orders than a page");
    page.items
}

/// Everything that the views hold is what is expected.
fn check(views: &Views, expected: &Expected) {
    assert_eq!(views.cursor(), expected.cursor);
    let reader = views.reader();
    assert_eq!(reader.cursor(), expected.cursor);

    let mut all: Vec<&Order> = expected.orders.values().collect();
    all.sort_by_key(|order| order.created_seq);
    assert_eq!(orders(&reader).iter().collect::<Vec<_>>(), all);

    let found = reader.executions(&ListQuery { sort: Sort::parse("seq"), limit: Some(500), ..ListQuery::default() }).unwrap();
    assert_eq!(found.seq, expected.cursor);
    let booked: Vec<_> = found.items.iter().map(|row| (row.seq, row.recorded_at, row.execution.clone(), row.exec_type)).collect();
    assert_eq!(booked, expected.executions);
    for row in &found.items {
        assert_eq!(row.symbol, expected.symbol(row.execution.instrument_id));
    }
    assert_eq!(reader.positions(&PositionFilter::default()).unwrap(), expected.positions.values().cloned().collect::<Vec<_>>());
    assert_eq!(reader.symbols().unwrap(), expected.symbols.clone().into_iter().collect::<Vec<_>>());

    let suspense: Vec<_> = reader.suspense(None, 500).unwrap().into_iter().rev().map(|r| (r.seq, r.recorded_at, r.execution)).collect();
    assert_eq!(suspense, expected.suspense);
    let anomalies: Vec<_> = reader.anomalies(None, 500).unwrap();
    assert_eq!(anomalies.len(), expected.anomalies.len());
    for (row, (seq, time, e)) in anomalies.iter().rev().zip(&expected.anomalies) {
        assert_eq!((row.seq, row.recorded_at, row.order_id, row.anomaly, &row.detail), (*seq, *time, e.order_id, e.anomaly, &e.detail));
    }
}

/// What is asked of single orders and trees is what is expected.
fn check_trees(views: &Views, expected: &Expected) {
    let reader = views.reader();
    for order in expected.orders.values() {
        assert_eq!(reader.order(&OrderRef::Id(order.order_id)).unwrap().as_ref(), Some(order));
        let root = &expected.orders[&order.root_order_id];
        assert_eq!(reader.order(&OrderRef::ClOrdId(order.cl_ord_id.clone())).unwrap().as_ref(), Some(root));
        let mut tree: Vec<Order> = expected.orders.values().filter(|o| o.root_order_id == order.root_order_id).cloned().collect();
        tree.sort_by_key(|order| order.created_seq);
        assert_eq!(reader.tree(order.order_id).unwrap(), tree);

        for whole_tree in [false, true] {
            let concerns = |id| if whole_tree { tree.iter().any(|o| o.order_id == id) } else { id == order.order_id };
            let wanted: Vec<_> = expected.events.iter().copied().filter(|(_, id, _)| concerns(*id)).collect();
            let (mut found, mut after) = (Vec::new(), Seq(0));
            loop {
                let part = reader.event_seqs(order.order_id, whole_tree, after, 7).unwrap();
                let Some(last) = part.last() else { break };
                after = last.seq;
                found.extend(part.iter().map(|event| (event.seq, event.order_id, event.kind)));
            }
            assert_eq!(found, wanted);
        }
        // The symbol's column follows the instrument's last listing.
        let filters = vec![
            Filter::new("order_id", Op::Eq, order.order_id.to_string()),
            Filter { field: "symbol".into(), op: Op::In, values: vec![expected.symbol(order.instrument_id).to_owned()] },
        ];
        if !expected.symbol(order.instrument_id).is_empty() {
            assert_eq!(reader.orders(&ListQuery { filters, ..ListQuery::default() }).unwrap().items, std::slice::from_ref(order));
        }
    }
}

/// Opens the views of a stream that ended where they did.
fn reopen(path: &Path, stream: &mut Stream, last: &Arc<Batch>) -> (Views, Option<ViewError>) {
    let tip = stream.expected.cursor;
    Views::open_or_rebuild::<ViewError>(path, tip, |_| Ok(Some(last.clone()))).unwrap()
}

#[test]
fn views_that_were_not_synced_are_kept_under_the_same_boot_only() {
    let scratch = Scratch::new();
    let (path, mark) = (scratch.file("views"), scratch.file("views-unsynced"));
    let mut stream = Stream::new(3);
    let batches = stream.batches(50);
    let last = batches.last().unwrap();
    Views::open(&path).unwrap().apply(&batches).unwrap();
    // The process ended without closing them, as after a kill.
    assert!(mark.exists());
    let (views, doubt) = reopen(&path, &mut stream, last);
    assert!(doubt.is_none(), "{doubt:?}");
    check(&views, &stream.expected);
    drop(views);

    for other in ["7d0e3b5c-of-another-boot", ""] {
        fs::write(&mark, other).unwrap();
        let (mut views, doubt) = reopen(&path, &mut stream, last);
        assert!(matches!(doubt, Some(ViewError::Unsynced { .. })), "{doubt:?}");
        assert_eq!(views.cursor(), Seq(0));
        assert_ne!(fs::read_to_string(&mark).unwrap(), other, "marked anew");
        views.apply(&batches).unwrap();
        check(&views, &stream.expected);
    }
}

#[test]
fn views_that_were_closed_are_kept_under_any_boot() {
    let scratch = Scratch::new();
    let (path, mark) = (scratch.file("views"), scratch.file("views-unsynced"));
    let mut stream = Stream::new(4);
    let batches = stream.batches(50);
    let mut views = Views::open(&path).unwrap();
    views.apply(&batches).unwrap();
    // Readers that are still there do not keep them from being synced.
    let reader = views.reader();
    assert_eq!(orders(&reader).len(), stream.expected.orders.len());
    views.close().unwrap();
    assert!(!mark.exists());
    assert_eq!(orders(&reader).len(), stream.expected.orders.len());
    let (views, doubt) = reopen(&path, &mut stream, batches.last().unwrap());
    assert!(doubt.is_none(), "{doubt:?}");
    check(&views, &stream.expected);
    assert!(mark.exists(), "it is written again");
    drop(views);
    Views::rebuild(&path).unwrap().close().unwrap();
    assert!(!mark.exists());
}

#[test]
fn the_views_are_the_fold_of_every_prefix() {
    for seed in 0..6 {
        let scratch = Scratch::new();
        // A memory of few orders, so that most are read back from their rows.
        let mut views = Views::open_hot(&scratch.file("views"), 6).unwrap();
        let mut stream = Stream::new(seed);
        for _ in 0..60 {
            let count = 1 + stream.random.below(6);
            let batches = stream.batches(count);
            views.apply(&batches).unwrap();
            check(&views, &stream.expected);
        }
        check_trees(&views, &stream.expected);
        assert!(stream.expected.orders.values().any(|order| order.children.len() > 1), "the stream has trees");
        views.verify().unwrap();

        // Folded at once, and again after opening: the same.
        drop(views);
        let views = Views::open(scratch.file("views")).unwrap();
        check(&views, &stream.expected);
    }
}

#[test]
fn one_transaction_for_everything_gives_the_same_as_many() {
    let scratch = Scratch::new();
    let mut stream = Stream::new(99);
    let batches = stream.batches(150);
    let mut views = Views::open(scratch.file("views")).unwrap();
    views.apply(&batches).unwrap();
    check(&views, &stream.expected);
    views.apply(&batches).unwrap();
    check(&views, &stream.expected);
    views.apply(&[]).unwrap();
    views.apply(&[Arc::new(Batch { first_seq: Seq(5000), ..Batch::default() })]).unwrap();
    check(&views, &stream.expected);
}

#[test]
fn what_cannot_be_folded_changes_nothing() {
    let scratch = Scratch::new();
    let mut stream = Stream::new(3);
    let mut views = Views::open_hot(&scratch.file("views"), 6).unwrap();
    for _ in 0..20 {
        views.apply(&stream.batches(3)).unwrap();
        let before = stream.expected.clone();
        let good = stream.batches(4);

        // A batch is missing.
        let error = views.apply(&[good[0].clone(), good[1].clone(), good[3].clone()]).unwrap_err();
        let (first, second) = (good[2].first_seq, good[3].first_seq);
        assert!(matches!(error, ViewError::Gap { expected, found } if expected == first && found == second), "{error}");
        check(&views, &before);

        // An order that nobody created.
        let event = oms_model::Event::OrderClosed(oms_model::event::OrderClosed { order_id: oms_model::OrderId::from_u128(1) });
        let stray = Batch { first_seq: good[3].last_seq().next(), events: vec![event], ..Batch::default() };
        let error = views.apply(&[good.clone(), vec![Arc::new(stray)]].concat()).unwrap_err();
        assert!(matches!(error, ViewError::UnknownOrder { .. }), "{error}");
        check(&views, &before);

        views.apply(&good).unwrap();
        check(&views, &stream.expected);
    }
}

/// Copies the files as a crash would leave them; the WAL cut to `wal` bytes.
fn crash(from: &Path, to: &Path, wal: Option<u64>) {
    let wal_of = |path: &Path| PathBuf::from(format!("{}-wal", path.display()));
    fs::copy(from, to).unwrap();
    fs::copy(wal_of(from), wal_of(to)).unwrap();
    if let Some(bytes) = wal {
        fs::OpenOptions::new().write(true).open(wal_of(to)).unwrap().set_len(bytes).unwrap();
    }
}

#[test]
fn after_a_crash_the_views_go_on_from_a_commit() {
    let scratch = Scratch::new();
    let path = scratch.file("views");
    let mut stream = Stream::new(11);
    let mut views = Views::open_hot(&path, 6).unwrap();
    let mut prefixes = vec![stream.expected.clone()];
    let mut log = Vec::new();
    for _ in 0..12 {
        let batches = stream.batches(5);
        views.apply(&batches).unwrap();
        log.extend(batches);
        prefixes.push(stream.expected.clone());
    }
    let wal_size = fs::metadata(scratch.file("views-wal")).unwrap().len();
    assert!(wal_size > 100_000, "nothing was written back yet, so that every commit is still in the WAL");

    let mut random = Random(5);
    let mut reached = std::collections::BTreeSet::new();
    for cut in 0..25 {
        let copy = scratch.file(&format!("copy-{cut}"));
        crash(&path, &copy, Some(wal_size * cut / 25 + random.next() % 4096));
        // Cut before the tables were committed, it is a new file.
        let mut views = Views::open_hot(&copy, 6).unwrap_or_else(|error| panic!("cut {cut}: {error}"));
        let prefix = prefixes.iter().find(|prefix| prefix.cursor == views.cursor()).expect("a commit, not something between");
        check(&views, prefix);
        reached.insert(prefix.cursor);
        let rest: Vec<_> = log.iter().filter(|batch| batch.first_seq > views.cursor()).cloned().collect();
        views.apply(&rest).unwrap();
        check(&views, &stream.expected);
    }
    assert!(reached.len() > 5, "the cuts lie in different commits: {reached:?}");
}

#[test]
fn a_transaction_that_a_crash_interrupts_never_was() {
    let scratch = Scratch::new();
    let (path, copy) = (scratch.file("views"), scratch.file("copy"));
    let mut stream = Stream::new(12);
    let mut views = Views::open(&path).unwrap();
    let first = stream.batches(20);
    views.apply(&first).unwrap();
    let committed = stream.expected.clone();
    let second = stream.batches(150);
    {
        // Pages are pushed out to the WAL before the commit.
        views.conn.execute_batch("PRAGMA cache_size = 1").unwrap();
        let before = fs::metadata(scratch.file("views-wal")).unwrap().len();
        let tx = views.conn.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
        let mut rows = Rows::new(&tx).unwrap();
        for batch in &second {
            views.fold.batch(batch, &mut rows).unwrap();
        }
        views.fold.write(&mut rows).unwrap();
        crash(&path, &copy, None);
        let pushed = fs::metadata(scratch.file("copy-wal")).unwrap().len();
        assert!(pushed > before, "the unfinished transaction is in the file: {before} -> {pushed}");
    }
    let mut after = Views::open(&copy).unwrap();
    check(&after, &committed);
    after.apply(&second).unwrap();
    check(&after, &stream.expected);
}

#[test]
fn a_damaged_or_strange_file_is_told_apart() {
    let scratch = Scratch::new();
    let no_log = |_| -> Result<Option<Arc<Batch>>, ViewError> { Ok(None) };
    let rebuilt = |path: &Path| {
        let (views, why) = Views::open_or_rebuild(path, Seq(0), no_log).unwrap();
        assert_eq!(views.cursor(), Seq(0));
        check(&views, &Expected::default());
        why
    };

    let garbage = scratch.file("garbage");
    fs::write(&garbage, vec![0x5A; 9000]).unwrap();
    assert!(matches!(Views::open(&garbage).err(), Some(ViewError::Damaged { .. })));
    assert!(matches!(rebuilt(&garbage), Some(ViewError::Damaged { .. })));
    assert!(rebuilt(&garbage).is_none(), "now it is ours");

    let old = scratch.file("old");
    Views::open(&old).unwrap().conn.pragma_update(None, "user_version", 1).unwrap();
    assert!(matches!(Views::open(&old).err(), Some(ViewError::Schema { found: 1, expected: schema::SCHEMA_VERSION })));
    assert!(matches!(rebuilt(&old), Some(ViewError::Schema { .. })));

    let foreign = scratch.file("foreign");
    Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE precious (x); INSERT INTO precious VALUES (1)").unwrap();
    let before = fs::read(&foreign).unwrap();
    assert!(matches!(Views::open(&foreign).err(), Some(ViewError::Foreign { .. })));
    assert!(matches!(Views::open_or_rebuild(&foreign, Seq(0), no_log).err(), Some(ViewError::Foreign { .. })));
    assert!(matches!(Views::rebuild(&foreign).err(), Some(ViewError::Foreign { .. })));
    assert_eq!(fs::read(&foreign).unwrap(), before);

    let headless = scratch.file("headless");
    Views::open(&headless).unwrap().conn.execute_batch("DELETE FROM log_position").unwrap();
    assert!(matches!(rebuilt(&headless), Some(ViewError::Damaged { .. })));

    let empty = scratch.file("empty");
    fs::write(&empty, []).unwrap();
    assert!(rebuilt(&empty).is_none());
}

#[test]
fn broken_pages_are_damage() {
    let scratch = Scratch::new();
    let path = scratch.file("views");
    let mut stream = Stream::new(21);
    Views::open(&path).unwrap().apply(&stream.batches(120)).unwrap();
    let whole = fs::read(&path).unwrap();
    let pages = whole.len() / 4096;
    assert!(pages > 20);
    // The first page holds the schema; everything behind it is broken.
    let mut broken = whole.clone();
    broken[4096..].fill(0xEE);
    fs::write(&path, &broken).unwrap();
    let found = Views::open(&path).err().expect("refused");
    assert!(found.wants_rebuild(), "{found}");
    // One body alone is broken: the row cannot be read.
    fs::write(&path, &whole).unwrap();
    let mut views = Views::open(&path).unwrap();
    views.conn.execute_batch("UPDATE orders SET body = x'FFFFFF'").unwrap();
    let id = *stream.expected.orders.keys().next().unwrap();
    assert!(matches!(views.reader().order(&OrderRef::Id(id)), Err(ViewError::Damaged { .. })));
    assert!(matches!(views.reader().orders(&ListQuery::default()), Err(ViewError::Damaged { .. })));

    let mut stream = Stream::new(21);
    views.reset().unwrap();
    check(&views, &stream.expected);
    views.apply(&stream.batches(120)).unwrap();
    check(&views, &stream.expected);
}

#[test]
fn the_views_of_another_log_are_rebuilt() {
    let scratch = Scratch::new();
    let path = scratch.file("views");
    let mut stream = Stream::new(31);
    let batches = stream.batches(10);
    let tip = stream.expected.cursor;
    let open = |tip, batch: Option<Arc<Batch>>| {
        Views::open_or_rebuild(&path, tip, |seq| {
            assert_eq!(seq, stream.expected.cursor);
            Ok::<_, ViewError>(batch)
        })
        .unwrap()
    };
    let fill = || Views::rebuild(&path).unwrap().apply(&batches).unwrap();
    let last = batches.last().cloned();

    fill();
    let (views, why) = open(tip, last.clone());
    assert!(why.is_none() && views.cursor() == tip);
    drop(views);

    let mut other = (**last.as_ref().unwrap()).clone();
    other.command_id = CommandId::from_u128(1);
    let mut later = (**last.as_ref().unwrap()).clone();
    later.time = Time(later.time.0 + 1);
    for (tip, batch) in [(Seq(tip.0 - 1), None), (tip, None), (tip, Some(other)), (tip, Some(later))] {
        fill();
        let (views, why) = open(tip, batch.map(Arc::new));
        assert!(matches!(why, Some(ViewError::OtherLog { .. })), "{why:?}");
        assert_eq!(views.cursor(), Seq(0));
    }
}

struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

#[test]
fn readers_live_through_a_reset_and_see_whole_commits() {
    let scratch = Scratch::new();
    let path = scratch.file("views");
    let mut stream = Stream::new(41);
    let log = stream.batches(400);
    // How many orders and executions there are after each batch.
    let mut counts = std::collections::BTreeMap::from([(Seq(0), 0)]);
    let mut executions = 0;
    for batch in &log {
        executions += batch.events.iter().filter(|event| matches!(event, oms_model::Event::ExecutionRecorded(_))).count();
        counts.insert(batch.last_seq(), executions);
    }
    let mut views = Views::open(&path).unwrap();
    let reader = views.reader();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            let (reader, counts, done) = (reader.clone(), &counts, &done);
            scope.spawn(move || {
                let query = ListQuery { limit: Some(500), ..ListQuery::default() };
                while !done.load(Ordering::Acquire) {
                    let page = reader.executions(&query).unwrap();
                    assert_eq!(Some(&page.items.len().min(500)), counts.get(&page.seq).map(|n| (*n).min(500)).as_ref());
                }
            });
        }
        // The readers end also where a check fails.
        let _ending = Ending(&done);
        for round in 0..3 {
            for chunk in log.chunks(10) {
                views.apply(chunk).unwrap();
                let reached = chunk.last().unwrap().last_seq();
                assert_eq!(reader.wait_for(reached, Duration::ZERO).unwrap(), reached);
                assert!(reader.executions(&ListQuery::default()).unwrap().seq >= reached, "a write that was acknowledged is seen");
            }
            check(&views, &stream.expected);
            if round < 2 {
                views.reset().unwrap();
            }
        }
    });
    let tip = stream.expected.cursor;
    let error = reader.wait_for(tip.next(), Duration::from_millis(5)).unwrap_err();
    assert!(matches!(error, ViewError::Behind { asked, reached } if asked == tip.next() && reached == tip));
}

#[test]
fn positions_are_filtered() {
    let scratch = Scratch::new();
    let mut stream = Stream::new(51);
    let mut views = Views::open(scratch.file("views")).unwrap();
    views.apply(&stream.batches(300)).unwrap();
    let reader = views.reader();
    let all: Vec<_> = stream.expected.positions.values().cloned().collect();
    assert!(all.len() > 5);
    let wanted = |keep: &dyn Fn(&oms_model::position::Position) -> bool| all.iter().filter(|p| keep(p)).cloned().collect::<Vec<_>>();
    let ask = |filter| reader.positions(&filter).unwrap();
    let any = PositionFilter::default();
    assert_eq!(ask(PositionFilter { account_id: Some(account(1)), ..any }), wanted(&|p| p.account_id == account(1)));
    let two = InstrumentId(2);
    assert_eq!(ask(PositionFilter { instrument_id: Some(two), ..any }), wanted(&|p| p.instrument_id == two));
    assert_eq!(ask(PositionFilter { open_only: true, ..any }), wanted(&|p| !p.qty.is_zero()));
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let part = ask(PositionFilter { after, limit: 2, ..any });
        let Some(last) = part.last() else { break };
        after = Some((last.account_id, last.instrument_id));
        found.extend(part);
    }
    assert_eq!(found, all);
    let error = reader.positions(&PositionFilter { limit: 501, ..any }).unwrap_err();
    assert!(matches!(error, ViewError::Query(QueryError::BadLimit { given: 501, max: 500 })));
}

#[test]
fn frozen_positions_are_filtered() {
    let scratch = Scratch::new();
    let mut stream = Stream::new(51);
    let mut views = Views::open(scratch.file("views")).unwrap();
    views.apply(&stream.batches(600)).unwrap();
    let reader = views.reader();
    let all: Vec<_> = stream.expected.frozen.iter().rev().cloned().collect();
    assert!(all.len() > 5);
    let wanted = |keep: &dyn Fn(&PositionFrozen) -> bool| all.iter().filter(|(_, p)| keep(p)).cloned().collect::<Vec<_>>();
    let any = FrozenFilter { account_id: None, instrument_id: None, days: (0, u32::MAX), before: None, limit: 0 };
    let ask = |filter| reader.frozen(&filter).unwrap();
    assert_eq!(ask(any), all);
    assert_eq!(ask(FrozenFilter { account_id: Some(account(1)), ..any }), wanted(&|p| p.account_id == account(1)));
    let two = InstrumentId(2);
    assert_eq!(ask(FrozenFilter { instrument_id: Some(two), ..any }), wanted(&|p| p.instrument_id == two));
    let days = (all[3].1.day, all[1].1.day);
    assert_eq!(ask(FrozenFilter { days, ..any }), wanted(&|p| (days.0..=days.1).contains(&p.day)));
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let part = ask(FrozenFilter { before, limit: 2, ..any });
        let Some((last, _)) = part.last() else { break };
        before = Some(*last);
        found.extend(part);
    }
    assert_eq!(found, all);
    let error = reader.frozen(&FrozenFilter { limit: 501, ..any }).unwrap_err();
    assert!(matches!(error, ViewError::Query(QueryError::BadLimit { given: 501, max: 500 })));
}
