//! Views against sorts of everything: whatever happens to the orders, a client that takes the frames sees what a sort of all
//! orders would show it.

use super::super::column::Symbols;
use super::super::view::{Asked, View, Window};
use super::*;
use oms_model::event::{OrderClosed, OrderCreated, OrderEnded, OrderInDoubt, OrderOutcomeResolved, OrderSized};
use oms_model::instrument::Instrument;
use oms_model::{ClOrdId, EndedBy, InstrumentId, Price, Qty, Side, Symbol};
use oms_store::views::Filter;
use proptest::prelude::*;
use serde_json::Value;
use std::cell::Cell;
use std::time::{Duration, Instant};

const SYMBOLS: [&str; 3] = ["ZETA", "ALPHABETICAL", "ALPHABETIC"];
/// What instruments may be called later.
const NAMES: [&str; 4] = ["ALPHACAL", "ZETA", "ALPHABETIC", "MIDDLE"];
const COLUMNS: [&str; 8] = ["order_id", "symbol", "order_qty", "price", "state", "version", "cl_ord_id", "last_seq"];

/// What can happen.
#[derive(Clone, Debug)]
enum Step {
    Create {
        symbol: u32,
        qty: i64,
        price: Option<i64>,
        sells: bool,
    },
    Size(usize, i64),
    Cancel(usize),
    Close(usize),
    /// The indexes and the views are brought up to date.
    Turn,
    /// The client takes what waits for it.
    Take,
    Scroll(usize, usize),
    /// An instrument gets another symbol.
    Rename(u32, usize),
    /// The last view with an index closes, and another is opened, whose rows are put in order again.
    Reopen(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let price = prop::option::of(prop_oneof![1_i64..4, Just(i64::MAX), Just(i64::MIN)]);
    // Equal quantities, and ones beyond what a key holds.
    let qty = prop_oneof![1_i64..4, Just(i64::MAX / 1_000)];
    prop_oneof![
        6 => (0..3_u32, qty, price, any::<bool>()).prop_map(|(symbol, qty, price, sells)| Step::Create { symbol, qty, price, sells }),
        4 => (any::<usize>(), 1_i64..4).prop_map(|(at, qty)| Step::Size(at, qty)),
        2 => any::<usize>().prop_map(Step::Cancel),
        1 => any::<usize>().prop_map(Step::Close),
        4 => Just(Step::Turn),
        3 => Just(Step::Take),
        1 => (0..20_usize, 0..12_usize).prop_map(|(offset, size)| Step::Scroll(offset, size)),
        1 => (0..3_u32, 0..NAMES.len()).prop_map(|(instrument, name)| Step::Rename(instrument, name)),
        1 => any::<usize>().prop_map(Step::Reopen),
    ]
}

fn created(number: u64, symbol: u32, qty: i64, price: Option<i64>, sells: bool) -> OrderCreated {
    // Quantities that are large are so by far: eighty bits do not hold them.
    let raw = if qty > 1_000 { i128::from(qty) << 40 } else { i128::from(qty) };
    OrderCreated {
        order_id: OrderId::from_u128(u128::from(number) << 100 | u128::from(number)),
        root_order_id: OrderId::from_u128(u128::from(number) << 100 | u128::from(number)),
        cl_ord_id: ClOrdId::new(&format!("client-order-{}-{number}", number % 3)).unwrap(),
        instrument_id: InstrumentId(symbol),
        side: if sells { Side::Sell } else { Side::Buy },
        order_qty: Qty::from_raw(raw),
        price: price.map(Price::from_raw),
        ..OrderCreated::default()
    }
}

/// Somebody who knows the frames and nothing else.
#[derive(Default)]
struct Client {
    rows: BTreeMap<u64, Vec<Value>>,
    order: Vec<Value>,
    total: u64,
    lines: u64,
    sequence: u64,
}

impl Client {
    fn take(&mut self, message: &[u8]) {
        let frame: Value = serde_json::from_slice(message).unwrap();
        for row in frame["rows"].as_array().into_iter().flatten() {
            let row = row.as_array().unwrap();
            assert_eq!(row.len(), COLUMNS.len() + 1);
            self.rows.insert(row[0].as_u64().unwrap(), row[1..].to_vec());
        }
        for cells in frame["cells"].as_array().into_iter().flatten() {
            let cells = cells.as_array().unwrap();
            let row = self.rows.get_mut(&cells[0].as_u64().unwrap()).expect("cells are of rows that are known");
            for pair in cells[1..].chunks(2) {
                row[usize::try_from(pair[0].as_u64().unwrap()).unwrap()] = pair[1].clone();
            }
        }
        if let Some(order) = frame["order"].as_array() {
            self.order.clone_from(order);
            self.rows.retain(|id, _| order.iter().any(|line| line.as_u64() == Some(*id)));
        }
        let sequence = frame["sequence"].as_u64().unwrap();
        assert!(sequence >= self.sequence, "time does not go back");
        (self.total, self.lines, self.sequence) = (frame["total"].as_u64().unwrap(), frame["lines"].as_u64().unwrap(), sequence);
    }

    /// The lines as they are seen: ids of orders with their cells, heads as they are.
    fn seen(&self) -> Vec<Value> {
        let line = |line: &Value| line.as_u64().map_or_else(|| line.clone(), |id| Value::Array(self.rows[&id].clone()));
        self.order.iter().map(line).collect()
    }
}

/// What a sort of every order shows.
struct Naive {
    orders: BTreeMap<OrderId, (Order, Seq)>,
}

type Compare = fn(&Order, &Order) -> Ordering;

impl Naive {
    fn lines(&self, takes: fn(&Order) -> bool, compare: Compare, group: bool, collapse: &str) -> (usize, Vec<Value>) {
        let mut meant: Vec<&(Order, Seq)> = self.orders.values().filter(|(order, _)| takes(order)).collect();
        meant.sort_by(|(a, _), (b, _)| {
            let by_group = if group { symbol(a).cmp(symbol(b)) } else { Ordering::Equal };
            by_group.then_with(|| compare(a, b))
        });
        let mut lines = Vec::new();
        let mut last = "";
        for (order, seq) in &meant {
            let name = symbol(order);
            if group && name != last {
                let count = meant.iter().filter(|(other, _)| symbol(other) == name).count();
                lines.push(serde_json::json!({"group": name, "count": count, "open": name != collapse}));
                last = name;
            }
            if !group || name != collapse {
                lines.push(cells(order, *seq));
            }
        }
        (meant.len(), lines)
    }
}

thread_local! {
    /// What the instruments are called: of the world that a test has, which is one at a time.
    static CALLED: Cell<[&'static str; 3]> = const { Cell::new(SYMBOLS) };
}

fn symbol(order: &Order) -> &'static str {
    CALLED.get()[order.instrument_id.0 as usize]
}

fn cells(order: &Order, seq: Seq) -> Value {
    serde_json::json!([
        order.order_id.to_string(),
        symbol(order),
        order.order_qty.to_string(),
        order.price.map(|price| price.to_string()),
        order.state.to_string(),
        order.version,
        order.cl_ord_id.as_str(),
        seq.0,
    ])
}

/// A question, and the same in another way.
struct Question {
    filter: &'static [(&'static str, &'static str)],
    search: &'static [&'static str],
    sort: &'static str,
    takes: fn(&Order) -> bool,
    compare: Compare,
    group: bool,
}

const ALL: Compare = |a, b| b.created_seq.cmp(&a.created_seq);

fn questions() -> Vec<Question> {
    let every: fn(&Order) -> bool = |_| true;
    let by = |filter: &'static [(&'static str, &'static str)], sort, takes, compare, group| Question {
        filter,
        search: &[],
        sort,
        takes,
        compare,
        group,
    };
    vec![
        by(&[], "", every, ALL, false),
        by(
            &[("state", "NEW")],
            "symbol,-order_qty",
            |order| order.state == oms_model::OrdState::New,
            |a, b| symbol(a).cmp(symbol(b)).then(b.order_qty.cmp(&a.order_qty)).then(b.created_seq.cmp(&a.created_seq)),
            false,
        ),
        by(
            &[("order_qty__gte", "0.000000002")],
            "price,side",
            |order| order.order_qty.raw() >= 2,
            |a, b| a.price.cmp(&b.price).then(a.side.code().cmp(&b.side.code())).then(a.created_seq.cmp(&b.created_seq)),
            false,
        ),
        by(
            &[("price__isnull", "false")],
            "-price,cl_ord_id",
            |order| order.price.is_some(),
            |a, b| b.price.cmp(&a.price).then(a.cl_ord_id.cmp(&b.cl_ord_id)).then(a.created_seq.cmp(&b.created_seq)),
            false,
        ),
        by(
            &[],
            "-order_qty,-updated_at",
            every,
            |a, b| b.order_qty.cmp(&a.order_qty).then(b.updated_at.cmp(&a.updated_at)).then(b.created_seq.cmp(&a.created_seq)),
            false,
        ),
        by(&[], "order_id", every, |a, b| a.order_id.cmp(&b.order_id), false),
        by(
            &[("side", "SELL")],
            "-version",
            |order| order.side == Side::Sell,
            |a, b| b.version.cmp(&a.version).then(b.created_seq.cmp(&a.created_seq)),
            true,
        ),
        Question {
            search: &["ALPHA", "-symbol:cal"],
            ..by(
                &[],
                "-last_seq",
                |order| symbol(order).contains("ALPHA") && !symbol(order).contains("CAL"),
                |a, b| b.updated_at.cmp(&a.updated_at),
                false,
            )
        },
    ]
}

struct World {
    book: Book,
    naive: Naive,
    clients: Vec<(Question, View, Client, Option<Vec<u8>>)>,
    now: Instant,
    seq: u64,
}

impl World {
    fn new() -> Self {
        CALLED.set(SYMBOLS);
        let symbols = SYMBOLS.iter().zip(0..).map(|(name, id)| (InstrumentId(id), Symbol::new(name).unwrap())).collect();
        let mut book = Book::new(Symbols::of(symbols), Seq(0), 1_000);
        let now = Instant::now();
        let mut clients = Vec::new();
        for question in questions() {
            let filters: Vec<Filter> = question.filter.iter().map(|(key, value)| Filter::from_pair(key, value).unwrap()).collect();
            let search: Vec<String> = question.search.iter().map(|word| (*word).to_owned()).collect();
            let columns: Vec<String> = COLUMNS.iter().map(|name| (*name).to_owned()).collect();
            let group = question.group.then_some("symbol");
            let asked = Asked::of((&filters, &search), (question.sort, group), &columns, window(0, 8), 25).unwrap();
            book.want(&asked.shape);
            assert!(book.build(1), "there is nothing to put in order yet");
            clients.push((question, View::new(1, asked, now), Client::default(), None));
        }
        Self { book, naive: Naive { orders: BTreeMap::new() }, clients, now, seq: 0 }
    }

    fn happen(&mut self, event: Event) {
        self.seq += 1;
        let batch =
            Batch { first_seq: Seq(self.seq), time: Time(i64::try_from(self.seq).unwrap()), events: vec![event], ..Batch::default() };
        self.book.apply(&batch);
        for (seq, event) in batch.numbered() {
            if let Event::OrderCreated(created) = event {
                self.naive.orders.insert(created.order_id, (Order::create(created, seq, batch.time), seq));
            } else if let Some((order, last)) = event.order_id().and_then(|id| self.naive.orders.get_mut(&id)) {
                order.apply(event, batch.time);
                *last = seq;
            }
        }
    }

    fn nth(&self, at: usize) -> Option<&Order> {
        self.naive.orders.values().nth(at % self.naive.orders.len().max(1)).map(|(order, _)| order)
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Create { symbol, qty, price, sells } => {
                let created = created(self.seq + 1, symbol, qty, price, sells);
                self.happen(Event::OrderCreated(Box::new(created)));
            }
            Step::Size(at, qty) => {
                if let Some(order_id) = self.nth(at).map(|order| order.order_id) {
                    self.happen(Event::OrderSized(OrderSized { order_id, order_qty: Qty::from_raw(qty.into()) }));
                }
            }
            Step::Cancel(at) => {
                if let Some(order_id) = self.nth(at).filter(|order| !order.state.is_done()).map(|order| order.order_id) {
                    self.happen(Event::OrderCanceled(OrderEnded { order_id, by: EndedBy::Client, text: String::new() }));
                }
            }
            Step::Close(at) => {
                let canceled = self.nth(at).filter(|order| order.state == oms_model::OrdState::Canceled);
                if let Some(order_id) = canceled.map(|order| order.order_id) {
                    self.happen(Event::OrderClosed(OrderClosed { order_id }));
                }
            }
            Step::Rename(instrument, name) => {
                let mut called = CALLED.get();
                called[instrument as usize] = NAMES[name];
                CALLED.set(called);
                let symbol = Symbol::new(NAMES[name]).unwrap();
                let listed = Instrument { instrument_id: InstrumentId(instrument), symbol, ..Instrument::default() };
                self.happen(Event::InstrumentListed(Box::new(listed)));
            }
            Step::Reopen(at) => {
                // As the thread does it, between turns.
                self.book.settle();
                let (_, view, ..) = &self.clients[at % self.clients.len()];
                self.book.drop_index(&view.asked.shape.name);
                self.book.want(&view.asked.shape);
            }
            Step::Turn => self.turn(),
            Step::Take => self.take(),
            Step::Scroll(offset, size) => {
                for (question, view, ..) in &mut self.clients {
                    let mut window = window(offset, size);
                    if question.group && offset % 2 == 0 {
                        window.collapse.insert(SYMBOLS[offset % 3].to_owned());
                    }
                    view.turn_to(window);
                }
            }
        }
    }

    fn turn(&mut self) {
        // Late enough for every pace and every allowance.
        self.turn_after(Duration::from_secs(5));
    }

    fn turn_after(&mut self, after: Duration) {
        self.now += after;
        self.book.settle();
        // Of an index that rises only a piece in each turn.
        self.book.build(3);
        for (_, view, _, waiting) in &mut self.clients {
            if waiting.is_none() {
                view.taken();
            }
            if let Some(message) = view.frame(&self.book, self.now) {
                *waiting = Some(message);
            }
        }
    }

    fn take(&mut self) {
        for (_, _, client, waiting) in &mut self.clients {
            waiting.take().into_iter().for_each(|message| client.take(&message));
        }
    }

    fn check(&mut self) {
        self.book.settle();
        while self.book.is_building() {
            self.book.build(2);
        }
        self.turn();
        self.take();
        for (question, view, client, _) in &self.clients {
            let Window { offset, size, collapse } = &view.asked.window;
            let closed = collapse.first().map_or("", String::as_str);
            let (total, lines) = self.naive.lines(question.takes, question.compare, question.group, closed);
            let expected: Vec<Value> = lines.iter().skip(*offset).take(*size).cloned().collect();
            assert_eq!(client.seen(), expected, "{:?} {:?} {}", question.filter, question.search, question.sort);
            assert_eq!((client.total, client.lines), (total as u64, lines.len() as u64));
        }
    }
}

fn window(offset: usize, size: usize) -> Window {
    Window { offset, size, ..Window::default() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_view_shows_what_a_sort_of_everything_would(steps in prop::collection::vec(step(), 0..220)) {
        let mut world = World::new();
        for step in steps {
            world.step(step);
        }
        world.check();
        prop_assert_eq!(world.book.seq(), Seq(world.seq));
    }
}

#[test]
fn what_was_read_is_not_applied_again_and_what_came_meanwhile_is() {
    let mut book = Book::new(Symbols::default(), Seq(10), 10);
    let order = |id| Order::create(&created(id, 0, 1, None, false), Seq(id), Time(1));
    // Of two pages, the second was read when more had happened.
    assert!(book.load(order(2), Seq(9), Seq(10)) && book.load(order(1), Seq(12), Seq(12)));
    let sized = |id: u64, qty: i64| {
        let order_id = created(id, 0, 1, None, false).order_id;
        Event::OrderSized(OrderSized { order_id, order_qty: Qty::from_raw(qty.into()) })
    };
    let events = vec![sized(2, 5), sized(1, 7), Event::OrderCreated(Box::new(created(1, 0, 1, None, false)))];
    book.apply(&Batch { first_seq: Seq(11), events, ..Batch::default() });
    let row = |number| book.row(number).map(|row| (row.order.order_qty.raw(), row.last_seq.0));
    assert_eq!((row(0), row(1), book.len()), (Some((5, 11)), Some((1, 12)), 2));
}

#[test]
fn views_are_told_while_an_index_is_made_and_each_once_its_own_is_whole() {
    let mut world = World::new();
    for number in 1..=30 {
        world.step(Step::Create { symbol: 0, qty: number, price: None, sells: true });
    }
    world.turn();
    world.take();
    // Two of the indexes have to be made again: 30 rows, 3 in a turn.
    let missing: Vec<Arc<Shape>> = [4, 5].iter().map(|at| world.clients[*at].1.asked.shape.clone()).collect();
    missing.iter().for_each(|shape| world.book.drop_index(&shape.name));
    missing.iter().for_each(|shape| world.book.want(shape));
    let (mut first, mut second, mut lively) = (None, None, 0);
    for turn in 1..=20 {
        world.step(Step::Size(29, 2));
        world.turn_after(Duration::from_millis(40));
        let told: Vec<bool> = world.clients.iter().map(|(.., waiting)| waiting.is_some()).collect();
        lively += usize::from(told[0]);
        first = first.or(told[4].then_some(turn));
        // What the other shows did not change, so that it has nothing to tell.
        second = second.or(world.book.ranked(&missing[1].name).unwrap().is_whole().then_some(turn));
        world.take();
    }
    assert_eq!(lively, 20, "whose index is there misses no frame");
    assert_eq!((first, second), (Some(10), Some(20)), "the first does not wait for the second");
    world.check();
}

#[test]
fn a_row_is_told_its_other_symbol_without_a_change_of_the_order() {
    let mut world = World::new();
    world.step(Step::Create { symbol: 0, qty: 1, price: None, sells: false });
    world.turn();
    world.take();
    world.step(Step::Rename(0, 3));
    world.turn();
    let (.., waiting) = &world.clients[0];
    let frame: Value = serde_json::from_slice(waiting.as_ref().unwrap()).unwrap();
    assert_eq!(frame["cells"], serde_json::json!([[0, 1, "MIDDLE"]]), "the cell and nothing else");
    // Only where symbols decide anything the rows are put in order again.
    assert_eq!(world.book.rising.len(), 2, "of three: one was built in this turn");
    world.check();
}

#[test]
fn the_oldest_of_what_is_done_is_forgotten_and_what_works_never() {
    let mut world = World::new();
    world.book.most = 3;
    for number in 1..=3 {
        world.step(Step::Create { symbol: 0, qty: number, price: None, sells: true });
    }
    world.step(Step::Cancel(0));
    world.step(Step::Cancel(1));
    world.turn();
    assert!(!world.book.is_cut());
    for _ in 0..4 {
        world.step(Step::Create { symbol: 1, qty: 1, price: None, sells: false });
        world.turn();
    }
    world.take();
    assert!(world.book.is_cut());
    assert_eq!(world.book.len(), 5, "two that were done are gone, five work");
    world.naive.orders.retain(|_, (order, _)| !order.state.is_done());
    world.check();
}

#[test]
fn a_client_that_takes_nothing_has_one_frame_waiting_and_then_the_newest() {
    let mut world = World::new();
    for number in 0..50 {
        world.step(Step::Create { symbol: 0, qty: number, price: None, sells: true });
        world.turn();
    }
    let sizes: Vec<usize> = world.clients.iter().map(|(.., waiting)| waiting.as_ref().map_or(0, Vec::len)).collect();
    assert!(sizes.iter().all(|size| *size < 4_000), "{sizes:?}");
    world.check();
    assert_eq!(world.clients[0].2.sequence, 50);
}

#[test]
fn between_pulses_a_view_looks_at_what_its_own_rows_became() {
    const SOON: Duration = Duration::from_millis(40);
    let mut world = World::new();
    world.turn();
    world.take();
    world.step(Step::Create { symbol: 0, qty: 1, price: None, sells: false });
    world.turn_after(SOON);
    let looked: Vec<(bool, bool)> = world
        .clients
        .iter()
        .map(|(_, view, _, waiting)| (world.book.ranked(&view.asked.shape.name).unwrap().changed, waiting.is_some()))
        .collect();
    assert_eq!(looked, [true, true, false, false, true, true, false, false].map(|takes| (takes, takes)));
    // It leaves the view of what is new, of which the frame that shows it was not taken yet.
    world.step(Step::Cancel(0));
    world.turn_after(SOON);
    world.take();
    assert_eq!(world.clients[1].2.seen(), Vec::<Value>::new());
    world.turn_after(SOON);
    assert!(world.clients.iter().all(|(.., waiting)| waiting.is_none()), "nothing changed");
}

#[test]
fn a_view_is_told_no_more_than_its_share_of_bytes() {
    let mut world = World::new();
    let (mut told, began) = (0, world.now);
    for number in 0..20_000_u32 {
        // Each turn the whole window is another.
        for _ in 0..8 {
            world.step(Step::Create { symbol: number % 3, qty: 1, price: None, sells: true });
        }
        world.now += Duration::from_millis(40);
        world.book.settle();
        let (_, view, ..) = &mut world.clients[0];
        view.taken();
        told += view.frame(&world.book, world.now).map_or(0, |message| message.len());
        if world.now - began > Duration::from_secs(60) {
            break;
        }
    }
    let seconds = (world.now - began).as_secs() as usize;
    assert!(told <= 100_000 * seconds + 66_000, "{told} bytes in {seconds} s");
}

#[test]
fn a_part_in_doubt_is_shown_of_its_order_until_there_is_evidence() {
    let mut book = Book::new(Symbols::default(), Seq(10), 10);
    let root = |id| created(id, 0, 1, None, false);
    let part = |id: u128, of: u64| {
        let (order_id, root) = (OrderId::from_u128(id), root(of).order_id);
        OrderCreated { order_id, root_order_id: root, parent_order_id: Some(root), ..OrderCreated::default() }
    };
    let doubt = |id| Event::OrderInDoubt(OrderInDoubt { order_id: OrderId::from_u128(id), ..OrderInDoubt::default() });
    let evidence =
        |id| Event::OrderOutcomeResolved(OrderOutcomeResolved { order_id: OrderId::from_u128(id), ..OrderOutcomeResolved::default() });
    let order = |id| Order::create(&root(id), Seq(id), Time(1));
    assert!(book.load(order(1), Seq(9), Seq(10)) && book.load(order(2), Seq(9), Seq(10)));
    // When the doubts were read the log was further: of an order that is not there yet, too.
    book.load_doubts(&[(part(11, 1).order_id, root(1).order_id), (part(33, 3).order_id, root(3).order_id)], Seq(14));
    let shown = |book: &Book, number| book.row(number).map(|row| (row.parts_in_doubt, book.symbols().shown(row).0));
    assert_eq!((shown(&book, 0), shown(&book, 1)), (Some((1, 14)), Some((0, 9))));
    let events = vec![
        Event::OrderCreated(Box::new(root(3))),
        Event::OrderCreated(Box::new(part(33, 3))),
        doubt(33),
        doubt(11),
        Event::OrderCreated(Box::new(part(21, 2))),
        doubt(21),
        doubt(22),
    ];
    book.apply(&Batch { first_seq: Seq(11), events, ..Batch::default() });
    assert_eq!(shown(&book, 0), Some((1, 14)), "what was read is not counted again");
    assert_eq!(shown(&book, 2), Some((1, 11)), "it came with its doubt");
    assert_eq!(shown(&book, 1), Some((1, 16)));
    let strangers = book.strangers();
    assert_eq!(strangers.iter().map(|one| (one.seq, one.part)).collect::<Vec<_>>(), [(Seq(17), OrderId::from_u128(22))]);
    book.found(strangers[0], root(2).order_id);
    assert_eq!(shown(&book, 1), Some((2, 17)));
    book.apply(&Batch { first_seq: Seq(18), events: vec![evidence(22), evidence(21), evidence(11), evidence(33)], ..Batch::default() });
    assert_eq!([0, 1, 2].map(|number| shown(&book, number)), [Some((0, 20)), Some((0, 19)), Some((0, 21))]);
    assert!(book.strangers().is_empty());
}
