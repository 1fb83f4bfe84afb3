//! One scenario of a desk through the paper venues in process, through FIX 4.4 and through the protocol of Interactive Brokers:
//! orders, executions, positions and profit are the same in the end, to the last digit.
//!
//! The market stands still and is one file for all; a share costs the same everywhere (`paper.market`, `paper.fee_per_share`).
//! What an execution takes of a quote is gone, so how much of an order is executed, and at what price, is certain.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use oms_e2e::fix::free_address;
use oms_e2e::http::Client;
use oms_e2e::server::{Home, Launch, Server, binary};
use oms_e2e::until;
use oms_venues::replay::{RawKind, RawTick, Slice};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// What a share costs.
const FEE: &str = "0.003";
/// Shares that the scenario trades, which are the measure of what it costs.
const TRADED: [i64; 7] = [100, 300, 150, 450, 200, 150, 50];

/// Limits that need a price to compare with, and the one on equal orders.
const PRICED: [&str; 12] = [
    "DUPLICATE_WINDOW",
    "PRICE_COLLAR_PCT",
    "MAX_QUOTE_AGE",
    "MAX_OPEN_NOTIONAL",
    "MAX_POSITION_NOTIONAL",
    "MAX_GROSS_EXPOSURE",
    "MAX_NET_EXPOSURE",
    "MAX_ASSET_CLASS_EXPOSURE",
    "BUYING_POWER",
    "DAILY_LOSS",
    "TRAILING_DRAWDOWN",
    "MAX_ORDER_NOTIONAL",
];

/// Two exchanges, each the best somewhere. The later row of a side is the better one: a worse one would say that the first has
/// left its price. Nothing is shown of AIG.
fn market(path: &Path) {
    let tick = |symbol, venue, kind, price_e4, size| RawTick { millis: 0, symbol, venue, kind, price_e4, size };
    let ticks = vec![
        tick(0, 0, RawKind::Bid, 141_000, 1_000),
        tick(0, 1, RawKind::Bid, 141_100, 350),
        tick(0, 0, RawKind::Ask, 141_200, 500),
        tick(0, 0, RawKind::Trade, 141_150, 1),
        tick(1, 0, RawKind::Bid, 1_839_800, 400),
        tick(1, 1, RawKind::Bid, 1_839_900, 300),
        tick(1, 0, RawKind::Ask, 1_840_300, 300),
        tick(1, 1, RawKind::Ask, 1_840_100, 200),
        tick(1, 0, RawKind::Trade, 1_840_000, 1),
    ];
    let symbols = vec!["BAC".to_owned(), "IBM".to_owned()];
    // Longer than any test: nothing begins again.
    let length_ns = 7 * 86_400_000_000_000;
    let slice = Slice { start_ns: 1_381_238_400_000_000_000, length_ns, symbols, venues: vec![*b"XNYS", *b"XNAS"], ticks };
    std::fs::write(path, slice.encode(3).unwrap()).unwrap();
}

/// How the desk's orders reach their venues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Paper,
    Fix,
    Ib,
}

/// `oms sim ...` in a process of its own.
struct Sim(Child);

impl Drop for Sim {
    fn drop(&mut self) {
        // One that has ended already needs no end.
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}

impl Sim {
    /// Starts it, and waits for a line that begins so.
    fn start(market: &Path, words: &[&str], awaited: &str) -> (Self, String) {
        let mut command = Command::new(binary());
        command.arg("sim").args(words).env_remove("OMS_CONFIG").env("OMS_LOG_FILTER", "error").stdin(Stdio::null());
        command.env("OMS_PAPER_MARKET", market).env("OMS_PAPER_FEE_PER_SHARE", FEE).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let sim = Self(child);
        loop {
            let line = lines.next().expect("it opens").unwrap();
            if let Some(rest) = line.trim().strip_prefix(awaited) {
                return (sim, rest.trim().to_owned());
            }
        }
    }
}

/// Opens the venues of a way, and answers them with the settings of a desk that trades there.
fn venues(way: Way, market: &Path, folder: &Path) -> (Option<Sim>, String) {
    let data = folder.join("venues");
    let data = data.to_str().unwrap();
    match way {
        Way::Paper => (None, String::new()),
        Way::Fix => {
            let address = free_address().to_string();
            let words = ["fix", "--venue", "XNYS", "--venue", "XNAS", "--speed", "1x", "--listen", &address, "--data", data];
            let (sim, _) = Sim::start(market, &words, "market");
            let venue = |mic: &str| {
                format!(
                    "[[fix.venues]]\nvenue = \"{mic}\"\nendpoints = [\"{address}\"]\ncomp_id = \"{mic}\"\ndialect = \"mass_status yes\"\n"
                )
            };
            (Some(sim), ["XNYS", "XNAS"].map(venue).concat())
        }
        Way::Ib => {
            let accounts = ["--account", "DU1000001", "--account", "DU1000002"];
            let words = [&["ib", "--speed", "1x", "--listen", "127.0.0.1:0", "--data", data], accounts.as_slice()].concat();
            let (sim, address) = Sim::start(market, &words, "clients");
            let port = address.rsplit_once(':').unwrap().1.to_owned();
            let venue = |(mic, exchange, number): (&str, &str, u32)| {
                let place = format!("venue = \"{mic}\"\nport = {port}\nexchange = \"{exchange}\"\n");
                format!("[[ib.venues]]\n{place}client_id = {number}\naccount = \"DU100000{number}\"\n")
            };
            (Some(sim), [("XNYS", "NYSE", 1), ("XNAS", "NASDAQ", 2)].map(venue).concat())
        }
    }
}

/// The desk as whoever trades there sees it.
struct Trader {
    client: Client,
    orders: Vec<String>,
}

impl Trader {
    /// Places an order and answers its number in the scenario.
    fn place(&mut self, venue: &str, text: &str) -> usize {
        let words: Vec<&str> = text.split(' ').collect();
        let [side, qty, symbol, price, tif] = words.as_slice() else { panic!("{text}") };
        let routing = json!({"mode": "NAMED", "venue": venue});
        let mut order = json!({"symbol": symbol, "side": side, "order_qty": qty, "time_in_force": tif, "routing": routing});
        order["ord_type"] = json!(if *price == "MARKET" { "MARKET" } else { "LIMIT" });
        if *price != "MARKET" {
            order["price"] = json!(price);
        }
        let reply = self.client.post("/orders", &[], &order);
        let answer = reply.json();
        // A refused order is an order too.
        let id = if reply.status == 422 { &answer["details"]["order_id"] } else { &answer["order_id"] };
        assert!(matches!(reply.status, 201 | 422) && id.is_string(), "{text}: {answer}");
        self.orders.push(id.as_str().unwrap().to_owned());
        self.orders.len() - 1
    }

    /// Waits until an order, and what there is of it at its venue, stands so.
    fn becomes(&mut self, number: usize, state: &str, cum_qty: &str) {
        let id = self.orders[number].clone();
        until(&format!("order {number} is {state} with {cum_qty}"), || {
            let order = self.client.read(&format!("/orders/{id}"));
            let is_so = order["state"] == state && order["cum_qty"] == cum_qty && order["pending"] == "NONE";
            if is_so { Ok(()) } else { Err(order.to_string()) }
        });
    }

    fn act(&mut self, number: usize, action: &str, body: &Value) {
        let reply = self.client.post(&format!("/orders/{}/{action}", self.orders[number]), &[], body);
        assert!(matches!(reply.status, 200 | 202), "{action} of order {number}: {}", reply.text());
    }
}

/// The scenario: both sides, two instruments that trade and one that does not, executions whole and in part, new terms,
/// cancels, an order that is refused since nobody shows a price, and what an order that must be executed at once leaves.
fn trade(desk: &mut Trader) {
    let whole = desk.place("XNAS", "BUY 100 IBM 184.01 DAY");
    desk.becomes(whole, "FILLED", "100");
    // The exchange shows 300: the rest waits, and is taken back.
    let part = desk.place("XNYS", "BUY 500 IBM 184.03 DAY");
    desk.becomes(part, "PARTIALLY_FILLED", "300");
    desk.act(part, "cancel", &json!({}));
    desk.becomes(part, "CANCELED", "300");
    let closing = desk.place("XNAS", "SELL 150 IBM 183.99 DAY");
    desk.becomes(closing, "FILLED", "150");
    // It rests below the market, until its new terms meet it.
    let moved = desk.place("XNYS", "BUY 400 BAC 14.00 DAY");
    desk.becomes(moved, "LIVE", "0");
    desk.act(moved, "modify", &json!({"order_qty": "450", "price": "14.12"}));
    desk.becomes(moved, "FILLED", "450");
    let at_market = desk.place("XNAS", "SELL 200 BAC MARKET DAY");
    desk.becomes(at_market, "FILLED", "200");
    // Of 350 that were shown 150 are left.
    let at_once = desk.place("XNAS", "SELL 250 BAC 14.11 IOC");
    desk.becomes(at_once, "CANCELED", "150");
    let refused = desk.place("XNYS", "BUY 100 AIG 48.00 DAY");
    desk.becomes(refused, "REJECTED", "0");
    let taken_back = desk.place("XNYS", "SELL 50 IBM 190.00 DAY");
    desk.becomes(taken_back, "LIVE", "0");
    desk.act(taken_back, "cancel", &json!({}));
    desk.becomes(taken_back, "CANCELED", "0");
    let fewer = desk.place("XNAS", "BUY 100 IBM 183.50 DAY");
    desk.becomes(fewer, "LIVE", "0");
    desk.act(fewer, "modify", &json!({"order_qty": "50", "price": "184.01"}));
    desk.becomes(fewer, "FILLED", "50");
}

/// A document without what is of its time or its making: ids and times.
fn lasting(mut value: Value) -> Value {
    match &mut value {
        Value::Object(fields) => {
            let is_of_its_making = |name: &str| name.ends_with("_id") || name.ends_with("_at");
            fields.retain(|name, _| !is_of_its_making(name));
            fields.values_mut().for_each(|field| *field = lasting(field.take()));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = lasting(item.take())),
        _ => (),
    }
    value
}

/// What the desk has in the end: how each order ended, each position, and the day's profit and loss.
fn figures(desk: &mut Trader) -> Value {
    let shares: i64 = TRADED.iter().sum();
    // Three thousandths for each share.
    let charged = rational(shares * 3);
    until("every execution is charged for", || {
        let today = desk.client.read("/pnl/today");
        if today["data"][0]["fees"] == charged { Ok(()) } else { Err(today.to_string()) }
    });
    let ids = desk.orders.clone();
    let ends = ids.iter().map(|id| {
        let order = desk.client.read(&format!("/orders/{id}"));
        let named = ["symbol", "side", "order_qty", "price", "state", "cum_qty", "leaves_qty", "avg_px", "ended_by", "reject_code"];
        named.iter().map(|name| ((*name).to_owned(), order[*name].clone())).collect::<Value>()
    });
    let orders: Vec<Value> = ends.collect();
    let positions = lasting(desk.client.read("/positions")["data"].clone());
    let today = lasting(desk.client.read("/pnl/today")["data"].clone());
    json!({"orders": orders, "positions": positions, "today": today})
}

/// Thousandths as a decimal without zeros at its end.
fn rational(thousandths: i64) -> String {
    let text = format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The scenario on a desk of its own, whose orders go this way.
fn run(way: Way) -> Value {
    let home = Home::new(&format!("three-ways-{way:?}"));
    let file = home.path().join("market.slice");
    market(&file);
    let (sim, text) = venues(way, &file, home.path());
    let settings = home.path().join("settings.toml");
    std::fs::write(&settings, text).unwrap();
    let launch = Launch::default().speed("1x").with("OMS_CONFIG", settings.to_str().unwrap()).with("OMS_LOG_FILTER", "warn");
    let launch = launch.with("OMS_PAPER_MARKET", file.to_str().unwrap()).with("OMS_PAPER_FEE_PER_SHARE", FEE);
    let launch = PRICED.iter().fold(launch, |launch, limit| launch.with(&format!("OMS_DEMO_LIMITS_{limit}"), ""));
    let server = Server::start(&home.path().join("data"), &launch);
    let mut desk = Trader { client: server.client(), orders: Vec::new() };
    until("the market", || {
        let quote = desk.client.read("/marketdata/last/IBM");
        if quote["ask"] == "184.01" { Ok(()) } else { Err(quote.to_string()) }
    });
    trade(&mut desk);
    let figures = figures(&mut desk);
    if way == Way::Ib {
        // The broker itself shows what the desk has booked.
        for venue in ["XNYS", "XNAS"] {
            let reply = desk.client.post(&format!("/brokers/{venue}/reconciliations?reason=the+end"), &[], &json!({}));
            let run = reply.json();
            assert_eq!((run["outcome"].as_str(), run["open"].as_u64()), (Some("COMPLETE"), Some(0)), "{venue}: {run}");
        }
    }
    server.stop();
    drop(sim);
    figures
}

#[test]
fn one_scenario_ends_with_the_same_figures_in_process_by_fix_and_at_interactive_brokers() {
    let paper = run(Way::Paper);
    // What it must come to, by hand: 450 IBM bought for 82,811.50 less 150 sold, 450 BAC at 14.12 less 350 at 14.11.
    let held = |symbol: &str| paper["positions"].as_array().unwrap().iter().find(|row| row["symbol"] == symbol).unwrap().clone();
    let (ibm, bac) = (held("IBM"), held("BAC"));
    assert_eq!((ibm["qty"].as_str(), bac["qty"].as_str()), (Some("300"), Some("100")), "{paper}");
    assert_eq!((bac["realized"].as_str(), bac["unrealized"].as_str()), (Some("-3.5"), Some("-0.5")), "{paper}");
    assert_eq!((ibm["mark"].as_str(), paper["today"][0]["fees"].as_str()), (Some("184"), Some("4.2")), "{paper}");
    assert_eq!((&paper["orders"][6]["state"], &paper["orders"][6]["reject_code"]), (&json!("REJECTED"), &json!("NO_ROUTE")), "{paper}");
    for way in [Way::Fix, Way::Ib] {
        let other = run(way);
        for part in ["orders", "positions", "today"] {
            assert_eq!(other[part], paper[part], "{way:?}: {part}");
        }
    }
}
