use oms_model::position::Position;
use oms_model::{ExecType, Mic, OrdState, OrdStatus, Order, OrderId, Price, Qty, Side, Time};

use super::*;
use crate::views::tests::{Random, Scratch, Stream, account};
use crate::views::{Page, ViewError, ViewReader, Views};

struct World {
    stream: Stream,
    views: Views,
    reader: ViewReader,
    _scratch: Scratch,
}

fn world(seed: u64, batches: usize) -> World {
    let scratch = Scratch::new();
    let mut stream = Stream::new(seed);
    let mut views = Views::open(scratch.file("views")).unwrap();
    views.apply(&stream.batches(batches)).unwrap();
    let reader = views.reader();
    World { stream, views, reader, _scratch: scratch }
}

fn ids(page: &Page<Order>) -> Vec<OrderId> {
    page.items.iter().map(|order| order.order_id).collect()
}

fn ask(reader: &ViewReader, pairs: &[(&str, &str)]) -> Result<Page<Order>, ViewError> {
    let filters = pairs.iter().map(|(key, value)| Filter::from_pair(key, value)).collect::<Result<_, _>>()?;
    reader.orders(&ListQuery { filters, sort: Sort::parse("created_seq"), limit: Some(500), cursor: None })
}

fn px(text: &str) -> Price {
    text.parse().unwrap()
}

fn qty(text: &str) -> Qty {
    text.parse().unwrap()
}

type Meets = fn(&Order) -> bool;

/// Key, value, and the same condition on the order itself.
const TABLE: &[(&str, &str, Meets)] = &[
    ("side", "SELL_SHORT", |o| o.side == Side::SellShort),
    ("side__ne", "BUY", |o| o.side != Side::Buy),
    ("side__in", "BUY,SELL", |o| matches!(o.side, Side::Buy | Side::Sell)),
    ("ord_status", "CXL", |o| o.ord_status() == OrdStatus::Canceled),
    ("ord_status", "CANCELED", |o| o.ord_status() == OrdStatus::Canceled),
    ("ord_status__in", "PENDING_MODIFY,REJ", |o| matches!(o.ord_status(), OrdStatus::PendingReplace | OrdStatus::Rejected)),
    ("ord_status", "PENDING_CANCEL", |o| o.ord_status() == OrdStatus::PendingCancel),
    ("state", "ROUTED", |o| o.state == OrdState::Live),
    ("state__ne", "EXP", |o| o.state != OrdState::Expired),
    ("is_root", "true", |o| o.parent_order_id.is_none()),
    ("is_root", "false", |o| o.parent_order_id.is_some()),
    ("is_root__ne", "true", |o| o.parent_order_id.is_some()),
    ("parent_order_id__isnull", "true", |o| o.parent_order_id.is_none()),
    ("in_doubt", "true", |o| o.extras.doubt.is_some()),
    ("in_doubt", "false", |o| o.extras.doubt.is_none()),
    ("venue", "XNAS", |o| o.venue == Some(Mic::of(b"XNAS"))),
    ("venue__ne", "XNAS", |o| o.venue != Some(Mic::of(b"XNAS"))),
    ("venue__in", "XNAS,BATS", |o| matches!(o.venue, Some(mic) if mic != Mic::of(b"XNYS"))),
    ("venue__isnull", "true", |o| o.venue.is_none()),
    ("venue__isnull", "false", |o| o.venue.is_some()),
    ("account_id", "00000000-a000-0000-0000-000000000001", |_| false),
    ("price__gt", "0", |o| o.price.is_some_and(|p| p > px("0"))),
    ("price__gte", "0", |o| o.price.is_some_and(|p| p >= px("0"))),
    ("price__lt", "0", |o| o.price.is_some_and(|p| p < px("0"))),
    ("price__lte", "0.000000001", |o| o.price.is_some_and(|p| p <= px("0.000000001"))),
    ("price", "0", |o| o.price == Some(Price::ZERO)),
    ("price", "-0.00", |o| o.price == Some(Price::ZERO)),
    ("price", "9223372036.854775807", |o| o.price == Some(Price::MAX)),
    ("price__lt", "9223372036.854775807", |o| o.price.is_some_and(|p| p < Price::MAX)),
    ("price__lte", "-9223372036.854775808", |o| o.price == Some(Price::from_raw(i64::MIN))),
    ("price__gt", "-9223372036.854775808", |o| o.price.is_some_and(|p| p > Price::from_raw(i64::MIN))),
    ("price__ne", "0", |o| o.price != Some(Price::ZERO)),
    ("price__between", "-0.000005,100", |o| o.price.is_some_and(|p| p >= px("-0.000005") && p <= px("100"))),
    ("price__between", "100,-1", |_| false),
    ("price__isnull", "true", |o| o.price.is_none()),
    ("stop_px__isnull", "false", |o| o.extras.stop_px.is_some()),
    ("avg_px__gt", "0.1", |o| o.avg_px().is_some_and(|p| p > px("0.1"))),
    ("avg_px__isnull", "true", |o| o.avg_px().is_none()),
    ("order_qty__gt", "99", |o| o.order_qty > qty("99")),
    ("order_qty__gt", "9", |o| o.order_qty > qty("9")),
    ("order_qty__gte", "100", |o| o.order_qty >= qty("100")),
    ("order_qty", "0.000000001", |o| o.order_qty == Qty::from_raw(1)),
    ("order_qty__lte", "170141183460469231731687303715.884105727", |_| true),
    ("order_qty__gt", "9223372036.854775807", |o| o.order_qty.raw() > i128::from(i64::MAX)),
    ("order_qty__gt", "-5", |_| true),
    ("order_qty__between", "0.000000001,200", |o| o.order_qty <= qty("200")),
    ("cum_qty", "0", |o| o.cum_qty.is_zero()),
    ("cum_qty__ne", "0", |o| !o.cum_qty.is_zero()),
    ("leaves_qty__gt", "0", |o| o.leaves_qty().is_positive()),
    ("leaves_qty__in", "0,1,0.000000001", |o| [Qty::ZERO, qty("1"), Qty::from_raw(1)].contains(&o.leaves_qty())),
    ("cl_ord_id", "c-7", |o| o.cl_ord_id.as_str() == "c-7"),
    ("cl_ord_id__like", "C-1%", |o| o.cl_ord_id.as_str().starts_with("c-1")),
    ("cl_ord_id__like", "c-_", |o| o.cl_ord_id.as_str().len() == 3),
    ("cl_ord_id__like", "%1_", |o| o.cl_ord_id.as_str().bytes().rev().nth(1) == Some(b'1')),
    ("cl_ord_id__like", "c-\\%", |_| false),
    ("cl_ord_id__in", "c-1,c-2,nobody", |o| matches!(o.cl_ord_id.as_str(), "c-1" | "c-2")),
    ("cl_ord_id", "' OR 1=1 --", |_| false),
    ("created_at__lt", "2023-11-14T22:13:20.05Z", |o| o.created_at < Time(1_700_000_000_050_000_000)),
    ("created_at__gte", "1700000000050000000", |o| o.created_at >= Time(1_700_000_000_050_000_000)),
    ("updated_at__between", "2023-11-14,2023-11-14T22:13:20.100Z", |o| o.updated_at <= Time(1_700_000_000_100_000_000)),
    ("created_at__gt", "2023-11-15", |_| false),
    ("version__gt", "3", |o| o.version > 3),
    ("version__between", "2,4", |o| (2..=4).contains(&o.version)),
    ("created_seq__lte", "100", |o| o.created_seq.0 <= 100),
    ("created_seq__gt", "-9223372036854775808", |_| true),
    ("instrument_id__in", "1,3", |o| matches!(o.instrument_id.0, 1 | 3)),
    ("reject_code__isnull", "false", |o| o.reject_code.is_some()),
    ("ended_by", "RISK", |o| o.ended_by == Some(oms_model::EndedBy::Risk)),
    ("broker_order_id", "B-1", |o| o.broker_order_id.is_some()),
    ("pending__ne", "NONE", |o| o.pending != oms_model::Pending::None),
    ("time_in_force", "GTC", |o| o.time_in_force == oms_model::TimeInForce::Gtc),
    ("ord_type__in", "STOP,STOP_LIMIT", |o| o.ord_type.has_stop() && o.ord_type.is_native()),
    ("source", "FIX", |o| o.source == oms_model::Source::Fix),
];

#[test]
fn every_operator_means_what_it_says() {
    let world = world(61, 400);
    let mut orders: Vec<&Order> = world.stream.expected.orders.values().collect();
    orders.sort_by_key(|order| order.created_seq);
    let mut telling = 0;
    for (key, value, meets) in TABLE {
        let wanted: Vec<_> = orders.iter().filter(|order| meets(order)).map(|order| order.order_id).collect();
        let page = ask(&world.reader, &[(key, value)]).unwrap_or_else(|e| panic!("{key}={value}: {e}"));
        assert_eq!(ids(&page), wanted, "{key}={value}");
        telling += usize::from(!wanted.is_empty() && wanted.len() < orders.len());
    }
    assert!(telling > 50, "most rows of the table divide the orders: {telling}");

    let one = orders[orders.len() / 2];
    let listed = orders.iter().map(|o| world.stream.expected.symbol(o.instrument_id)).find(|symbol| !symbol.is_empty()).unwrap();
    for (key, value) in [
        ("order_id", one.order_id.to_string()),
        ("account_id", one.account_id.to_string()),
        ("user_id", one.user_id.to_string()),
        ("root_order_id", one.root_order_id.to_string()),
        ("last_seq__gte", one.created_seq.0.to_string()),
        ("symbol__in", format!("{listed},nothing")),
    ] {
        let page = ask(&world.reader, &[(key, &value)]).unwrap();
        let wanted: Vec<_> = orders
            .iter()
            .filter(|o| match key {
                "order_id" => o.order_id == one.order_id,
                "account_id" => o.account_id == one.account_id,
                "user_id" => o.user_id == one.user_id,
                "root_order_id" => o.root_order_id == one.root_order_id,
                "last_seq__gte" => world.stream.expected.events.iter().any(|(seq, id, _)| *id == o.order_id && *seq >= one.created_seq),
                _ => world.stream.expected.symbol(o.instrument_id) == listed,
            })
            .map(|o| o.order_id)
            .collect();
        assert_eq!(ids(&page), wanted, "{key}={value}");
    }

    // All conditions hold together.
    let page = ask(&world.reader, &[("is_root", "true"), ("price__gt", "0"), ("account_id", &account(2).to_string())]).unwrap();
    let wanted = orders.iter().filter(|o| o.is_root() && o.price.is_some_and(|p| p > Price::ZERO) && o.account_id == account(2));
    assert_eq!(ids(&page), wanted.map(|o| o.order_id).collect::<Vec<_>>());
}

#[test]
fn executions_are_filtered_exactly() {
    let world = world(62, 800);
    let all = &world.stream.expected.executions;
    assert!(all.len() > 40);
    let count = |key: &str, value: &str| {
        let filters = vec![Filter::from_pair(key, value).unwrap()];
        world.reader.executions(&ListQuery { filters, limit: Some(500), ..ListQuery::default() }).unwrap().items.len()
    };
    let some = &all[all.len() / 2].2;
    assert_eq!(count("fee__lt", "0"), all.iter().filter(|(_, _, e, _)| e.fee.is_negative()).count());
    assert_eq!(count("fee", &some.fee.to_string()), all.iter().filter(|(_, _, e, _)| e.fee == some.fee).count());
    assert_eq!(count("fee__gte", &some.fee.to_string()), all.iter().filter(|(_, _, e, _)| e.fee >= some.fee).count());
    assert_eq!(count("last_px__lte", "0.5"), all.iter().filter(|(_, _, e, _)| e.last_px <= px("0.5")).count());
    assert_eq!(count("last_qty__gt", "20"), all.iter().filter(|(_, _, e, _)| e.last_qty > qty("20")).count());
    assert_eq!(count("liquidity", "ADDED"), all.iter().filter(|(_, _, e, _)| e.liquidity == oms_model::Liquidity::Added).count());
    let of_root = all.iter().filter(|(_, _, e, _)| e.root_order_id == some.root_order_id).count();
    assert_eq!(count("root_order_id", &some.root_order_id.to_string()), of_root);
    assert_eq!(count("order_id", &some.order_id.to_string()), all.iter().filter(|(_, _, e, _)| e.order_id == some.order_id).count());
    assert_eq!(count("exec_id", some.exec_id.as_str()), 1);
    assert_eq!(count("manual", "true"), all.iter().filter(|(_, _, e, _)| e.manual).count());
    for exec_type in ExecType::ALL {
        let wanted = all.iter().filter(|(_, _, _, found)| found == exec_type).count();
        assert!(wanted > 0, "the stream has every exec_type");
        assert_eq!(count("exec_type", exec_type.as_str()), wanted);
    }
    let time = some.transact_time;
    assert_eq!(count("transact_time__lt", &time.0.to_string()), all.iter().filter(|(_, _, e, _)| e.transact_time < time).count());
}

#[test]
fn malformed_questions_are_refused_with_their_field() {
    let world = world(63, 20);
    let long = "x".repeat(MAX_VALUE + 1);
    let many = vec!["1"; MAX_VALUES + 1].join(",");
    for (key, value, says) in [
        ("colour", "red", "there is no field \"colour\"; there are order_id,"),
        ("", "red", "there is no field \"\""),
        ("body", "x", "there is no field \"body\""),
        ("root_seq", "1", "there is no field \"root_seq\""),
        ("price; DROP TABLE orders", "1", "there is no field"),
        ("price__almost", "1", "price: there is no operator \"almost\""),
        ("price__", "1", "price: there is no operator \"\""),
        ("price__like", "1%", "price cannot be compared with like; it takes eq, ne, in, gt, gte, lt, lte, between, isnull"),
        ("side__gt", "BUY", "side cannot be compared with gt"),
        ("cl_ord_id__between", "a,b", "cl_ord_id cannot be compared with between"),
        ("is_root__in", "true", "is_root cannot be compared with in"),
        ("price", "1e3", "price: \"1e3\" is not a decimal number"),
        ("price", "", "price: \"\" is not a decimal number"),
        ("price", "NaN", "price: \"NaN\" is not a decimal number"),
        ("price", "1.0000000001", "price: \"1.0000000001\" has more than 9 fractional digits"),
        ("price", "9223372036.854775808", "price: \"9223372036.854775808\" is out of range"),
        ("price", "-9223372036.854775809", "is out of range"),
        ("order_qty", "170141183460469231731687303715.884105728", "is out of range"),
        ("price__in", "1,,2", "price: \"\" is not a decimal number"),
        ("price__between", "1", "price: takes two values, 1 given"),
        ("price__between", "1,2,3", "price: takes two values, 3 given"),
        ("version", "1.5", "version: \"1.5\" is not a whole number"),
        ("version", "9223372036854775808", "is not a whole number in the range of 64 bits"),
        ("ord_status", "DONE", "ord_status: \"DONE\" must be one of NEW, UNACK,"),
        ("ord_status", "cxl", "must be one of"),
        ("order_id", "42", "order_id: \"42\" is not a UUID"),
        ("venue", "xnas", "venue: \"xnas\" is not a market identifier code"),
        ("created_at", "yesterday", "created_at: \"yesterday\" is not a time"),
        ("created_at__gte", "2026-02-30", "is not a time"),
        ("is_root", "yes", "is_root: \"yes\" must be true or false"),
        ("venue__isnull", "1", "venue: \"1\" must be true or false"),
        ("cl_ord_id", "", "cl_ord_id: is empty"),
        ("cl_ord_id__like", "", "cl_ord_id: is empty"),
        ("cl_ord_id__like", "a\\", "ends in a \\ that escapes nothing"),
        ("cl_ord_id__like", "%a%a%a%a%", "has 5 %, at most 4"),
        ("cl_ord_id", &long, "has 129 bytes, at most 128"),
        ("version__in", &many, "201 values, at most 200"),
    ] {
        let error = ask(&world.reader, &[(key, value)]).expect_err(key);
        let ViewError::Query(query) = &error else { panic!("{key}={value}: {error}") };
        assert!(error.to_string().contains(says), "{key}={value}: {error}");
        assert_eq!(query.field().is_none(), matches!(query, QueryError::TooMany { .. }));
    }
    let refused = |query: ListQuery| match world.reader.orders(&query) {
        Err(ViewError::Query(error)) => error,
        other => panic!("{other:?}"),
    };
    let filters = vec![Filter::new("version", Op::Gt, "1"); MAX_FILTERS + 1];
    assert_eq!(refused(ListQuery { filters, ..ListQuery::default() }), QueryError::TooMany { what: "filters", given: 33, max: 32 });
    for limit in [0, 501, u32::MAX] {
        assert_eq!(refused(ListQuery { limit: Some(limit), ..ListQuery::default() }), QueryError::BadLimit { given: limit, max: 500 });
    }
    for (sort, says) in [
        ("colour", "there is no field \"colour\""),
        ("-is_root", "cannot sort by \"is_root\": it is true or false"),
        ("symbol,-symbol", "cannot sort by \"symbol\": it is named twice"),
        ("symbol,side,venue,price,stop_px", "5 fields to sort by, at most 4"),
        ("symbol desc", "there is no field \"symbol desc\""),
    ] {
        let error = refused(ListQuery { sort: Sort::parse(sort), ..ListQuery::default() });
        assert!(error.to_string().contains(says), "{sort}: {error}");
    }
}

/// The rows as a sort by the model's own values would have them.
fn compare(a: &Order, b: &Order, sort: &[Sort], world: &World) -> std::cmp::Ordering {
    let symbol = |o: &Order| world.stream.expected.symbol(o.instrument_id).to_owned();
    for by in sort {
        let order = match by.field.as_str() {
            "symbol" => symbol(a).cmp(&symbol(b)),
            "price" => a.price.cmp(&b.price),
            "order_qty" => a.order_qty.cmp(&b.order_qty),
            "venue" => a.venue.map(|v| v.as_str().to_owned()).cmp(&b.venue.map(|v| v.as_str().to_owned())),
            "created_at" => a.created_at.cmp(&b.created_at),
            "created_seq" => a.created_seq.cmp(&b.created_seq),
            "side" => a.side.cmp(&b.side),
            "cl_ord_id" => a.cl_ord_id.cmp(&b.cl_ord_id),
            "account_id" => a.account_id.cmp(&b.account_id),
            other => panic!("{other}"),
        };
        let order = if by.descending { order.reverse() } else { order };
        if order.is_ne() {
            return order;
        }
    }
    let order = a.created_seq.cmp(&b.created_seq);
    if sort.last().is_none_or(|by| by.descending) { order.reverse() } else { order }
}

fn random_query(random: &mut Random) -> ListQuery {
    const FIELDS: &[&str] = &["symbol", "price", "order_qty", "venue", "created_at", "created_seq", "side", "cl_ord_id", "account_id"];
    let mut sort: Vec<Sort> = Vec::new();
    for _ in 0..random.below(4) {
        let field = (*random.pick(FIELDS)).to_owned();
        if sort.iter().all(|by| by.field != field) {
            sort.push(Sort { field, descending: random.one_in(2) });
        }
    }
    const PAIRS: &[(&str, &str)] =
        &[("price__gt", "0"), ("is_root", "true"), ("venue__isnull", "false"), ("side__ne", "SELL"), ("price__isnull", "true")];
    let filters = match random.below(3) {
        0 => Vec::new(),
        _ => {
            let (key, value) = random.pick(PAIRS);
            vec![Filter::from_pair(key, value).unwrap()]
        }
    };
    ListQuery { filters, sort, limit: Some(1 + random.below(40) as u32), cursor: None }
}

#[test]
fn the_pages_together_are_the_list() {
    let world = world(71, 400);
    let mut random = Random(71);
    for _ in 0..120 {
        let query = random_query(&mut random);
        let whole = world.reader.orders(&ListQuery { limit: Some(500), ..query.clone() }).unwrap();
        assert_eq!(whole.next, None);
        let mut sorted = whole.items.clone();
        sorted.sort_by(|a, b| compare(a, b, &query.sort, &world));
        assert_eq!(ids(&whole), sorted.iter().map(|o| o.order_id).collect::<Vec<_>>(), "{query:?}");

        let (mut paged, mut cursor) = (Vec::new(), None);
        loop {
            // The size of a page may change on the way.
            let limit = 1 + random.below(40);
            let page = world.reader.orders(&ListQuery { cursor, limit: Some(limit as u32), ..query.clone() }).unwrap();
            assert!(page.next.is_none() || page.items.len() == limit, "only the last page is short");
            paged.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(paged, whole.items, "{query:?}");
    }
}

#[test]
fn rows_that_come_between_pages_hide_and_repeat_nothing() {
    let mut world = world(72, 150);
    let mut random = Random(72);
    for _ in 0..25 {
        let mut query = random_query(&mut random);
        // Fields that never change; the others move their rows.
        query.sort.retain(|by| !matches!(by.field.as_str(), "symbol" | "price" | "order_qty"));
        query.filters.retain(|filter| filter.field != "price");
        let before = ids(&world.reader.orders(&ListQuery { limit: Some(500), ..query.clone() }).unwrap());
        let (mut paged, mut cursor) = (Vec::new(), None);
        loop {
            let page = world.reader.orders(&ListQuery { cursor, ..query.clone() }).unwrap();
            paged.extend(ids(&page));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
            if world.stream.expected.orders.len() < 380 {
                world.views.apply(&world.stream.batches(2)).unwrap();
            }
        }
        let mut seen = std::collections::HashSet::new();
        assert!(paged.iter().all(|id| seen.insert(*id)), "no row twice: {query:?}");
        let old: std::collections::HashSet<_> = before.iter().copied().collect();
        let kept: Vec<_> = paged.iter().copied().filter(|id| old.contains(id)).collect();
        assert_eq!(kept, before, "every row that was there from the start, in its order: {query:?}");
    }
}

#[test]
fn a_cursor_belongs_to_its_query() {
    let world = world(73, 100);
    let query = |filters: &[(&str, &str)], sort: &str| ListQuery {
        filters: filters.iter().map(|(key, value)| Filter::from_pair(key, value).unwrap()).collect(),
        sort: Sort::parse(sort),
        limit: Some(2),
        cursor: None,
    };
    let both = [("side__ne", "BUY"), ("version__gt", "0")];
    let first = world.reader.orders(&query(&both, "symbol")).unwrap();
    let with = |q: ListQuery| world.reader.orders(&ListQuery { cursor: first.next.clone(), ..q });
    assert!(with(query(&both, "symbol")).is_ok());
    assert!(with(query(&[both[1], both[0]], "symbol")).is_ok(), "conditions have no order");
    let other_value = query(&[("side__ne", "SELL"), both[1]], "symbol");
    for other in [query(&both[..1], "symbol"), query(&both, "-symbol"), query(&both, "symbol,side"), other_value] {
        assert!(matches!(with(other), Err(ViewError::Query(QueryError::OtherCursor))));
    }
    let executions = world.reader.executions(&ListQuery { cursor: first.next.clone(), ..query(&both[..1], "symbol") });
    assert!(matches!(executions, Err(ViewError::Query(QueryError::OtherCursor))));
    for text in ["", "AAAA", "no cursor", "../../etc"] {
        let cursor = Some(text.to_owned());
        let refused = world.reader.orders(&ListQuery { cursor, ..query(&both, "symbol") });
        assert!(matches!(refused, Err(ViewError::Query(QueryError::BadCursor))), "{text:?}");
    }
}

/// What a screen asks all the time must not read the whole table.
#[test]
fn common_questions_use_an_index() {
    let world = world(74, 10);
    let path = world._scratch.file("views");
    let conn = rusqlite::Connection::open(path).unwrap();
    let filters = vec![Filter::new("is_root", Op::Eq, "true")];
    let first = world.reader.orders(&ListQuery { filters, limit: Some(1), sort: Sort::parse("symbol"), ..ListQuery::default() });
    let cursor = first.unwrap().next;
    let plan = |resource, table, query: &ListQuery| {
        let select = select(resource, "venue", table, query).unwrap();
        let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {}", select.sql)).unwrap();
        let rows = statement.query_map(rusqlite::params_from_iter(&select.values), |row| row.get::<_, String>(3)).unwrap();
        rows.map(Result::unwrap).collect::<Vec<_>>().join("; ")
    };
    let list = |pairs: &[(&str, &str)], sort: &str, cursor: Option<String>| ListQuery {
        filters: pairs.iter().map(|(key, value)| Filter::from_pair(key, value).unwrap()).collect(),
        sort: Sort::parse(sort),
        limit: None,
        cursor,
    };
    let id = "00000000-0000-0000-0000-000000000001";
    let roots = |pairs: &[(&'static str, &'static str)], sort: &str, cursor: Option<String>| {
        let mut pairs = pairs.to_vec();
        pairs.push(("is_root", "true"));
        list(&pairs, sort, cursor)
    };
    for (query, uses, sorts) in [
        (list(&[], "", None), "SCAN orders", false),
        (list(&[], "-created_at", None), "SCAN orders", false),
        (roots(&[], "created_at", None), "SCAN orders", false),
        (roots(&[], "symbol", cursor), "SEARCH orders USING INDEX roots_by_symbol", false),
        (roots(&[("symbol", "AAPL")], "", None), "SEARCH orders USING INDEX roots_by_symbol", false),
        (roots(&[("symbol", "AAPL"), ("side", "BUY")], "-created_at", None), "SEARCH orders USING INDEX roots_by_symbol", false),
        (roots(&[("symbol", "AAPL"), ("account_id", id)], "-price", None), "SEARCH orders USING INDEX roots_by_symbol", true),
        (roots(&[("symbol", "AAPL"), ("ord_status", "FILLED")], "", None), "SEARCH orders USING INDEX roots_by_symbol", false),
        (roots(&[("account_id", id)], "", None), "SEARCH orders USING INDEX roots_by_account", false),
        (roots(&[("account_id", id), ("ord_status", "LIVE")], "-updated_at", None), "SEARCH orders USING INDEX roots_by_status", true),
        (roots(&[("ord_status__in", "LIVE,UNACK")], "", None), "SEARCH orders USING INDEX roots_by_status", true),
        (roots(&[("ord_status", "LIVE")], "", None), "SEARCH orders USING INDEX roots_by_status", false),
        (roots(&[("cl_ord_id", "c-1")], "", None), "SEARCH orders USING INDEX roots_by_cl_ord_id", false),
        (list(&[("order_id", id)], "", None), "SEARCH orders USING INDEX orders_by_id", false),
        (list(&[("root_order_id", id)], "", None), "SEARCH orders USING INDEX orders_by_root", false),
        (list(&[("in_doubt", "true")], "", None), "orders_in_doubt", false),
        (roots(&[("created_at__gte", "2026-01-01")], "-created_at", None), "SEARCH orders USING INDEX roots_by_time", false),
    ] {
        let plan = plan(Resource::Orders, "orders", &query);
        assert!(plan.contains(uses), "{query:?}: {plan}");
        assert_eq!(plan.contains("TEMP B-TREE"), sorts, "{query:?}: {plan}");
    }
    for (key, value, uses) in
        [("order_id", id, "executions_by_order"), ("root_order_id", id, "executions_by_root"), ("symbol", "AAPL", "executions_by_symbol")]
    {
        let plan = plan(Resource::Executions, "executions", &list(&[(key, value)], "", None));
        assert!(plan.contains(uses), "{key}: {plan}");
    }
}

/// Key, value, and the same condition on the position itself.
type Holds = fn(&Position) -> bool;

fn cell(position: &Position, field: &str) -> Cell {
    match field {
        "account_id" => Cell::id(position.account_id.as_u128()),
        "instrument_id" => Cell::int(position.instrument_id.0),
        "symbol" => Cell::text(&format!("SYM{}", position.instrument_id.0)),
        "is_open" => Cell::bool(!position.qty.is_zero()),
        "qty" => Cell::qty(position.qty),
        "bought_qty" => Cell::qty(position.bought_qty),
        "sold_qty" => Cell::qty(position.sold_qty),
        "realized" => Cell::money(position.realized),
        "fees" => Cell::money(position.fees),
        other => panic!("{other} is no field"),
    }
}

#[test]
fn what_is_in_memory_is_searched_by_the_same_grammar() {
    let world = world(75, 300);
    let all: Vec<Position> = world.stream.expected.positions.values().cloned().collect();
    assert!(all.len() > 5);
    let ask = |query: &ListQuery| search(Resource::Positions, query, all.clone(), cell);
    let table: &[(&str, &str, Holds)] = &[
        ("is_open", "true", |p| !p.qty.is_zero()),
        ("is_open__ne", "true", |p| p.qty.is_zero()),
        ("instrument_id", "2", |p| p.instrument_id.0 == 2),
        ("instrument_id__ne", "2", |p| p.instrument_id.0 != 2),
        ("instrument_id__in", "1,2", |p| matches!(p.instrument_id.0, 1 | 2)),
        ("symbol", "SYM1", |p| p.instrument_id.0 == 1),
        ("symbol__like", "sym_", |_| true),
        ("symbol__like", "%1", |p| p.instrument_id.0 % 10 == 1),
        ("symbol__like", "S%M2", |p| p.instrument_id.0 == 2),
        ("symbol__like", "\\%", |_| false),
        ("qty__lt", "0", |p| p.qty.is_negative()),
        ("qty__between", "-5,5", |p| p.qty >= qty("-5") && p.qty <= qty("5")),
        ("bought_qty__gt", "0", |p| p.bought_qty.is_positive()),
        ("sold_qty__lte", "10", |p| p.sold_qty <= qty("10")),
        ("realized__gte", "0", |p| !p.realized.is_negative()),
        ("fees__ne", "0", |p| !p.fees.is_zero()),
        ("account_id__isnull", "true", |_| false),
        ("account_id__isnull", "false", |_| true),
    ];
    for (key, value, holds) in table {
        let filters = vec![Filter::from_pair(key, value).unwrap()];
        let (found, _) = ask(&ListQuery { filters, limit: Some(500), ..ListQuery::default() }).unwrap();
        let expected: Vec<_> = all.iter().filter(|position| holds(position)).cloned().collect();
        assert_eq!(found, expected, "{key}={value}");
    }
    for sort in ["-qty", "symbol,-qty", "instrument_id", ""] {
        let (mut found, mut cursor) = (Vec::new(), None);
        loop {
            let (page, next) = ask(&ListQuery { sort: Sort::parse(sort), limit: Some(3), cursor, ..ListQuery::default() }).unwrap();
            found.extend(page);
            cursor = next;
            if cursor.is_none() {
                break;
            }
        }
        let (whole, _) = ask(&ListQuery { sort: Sort::parse(sort), limit: Some(500), ..ListQuery::default() }).unwrap();
        assert_eq!(found, whole, "{sort}");
        assert_eq!(found.len(), all.len(), "{sort}");
    }
    let (by_qty, _) = ask(&ListQuery { sort: Sort::parse("-qty"), limit: Some(500), ..ListQuery::default() }).unwrap();
    assert!(by_qty.windows(2).all(|pair| pair[0].qty >= pair[1].qty));
    let refused = |query: ListQuery| ask(&query).unwrap_err();
    let filters = vec![Filter::new("side", Op::Eq, "BUY")];
    assert!(matches!(refused(ListQuery { filters, ..ListQuery::default() }), QueryError::UnknownField { .. }));
    assert!(matches!(refused(ListQuery { limit: Some(0), ..ListQuery::default() }), QueryError::BadLimit { .. }));
    assert!(matches!(refused(ListQuery { cursor: Some("x".to_owned()), ..ListQuery::default() }), QueryError::BadCursor));
}
