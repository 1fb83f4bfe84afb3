//! Profit and loss by account, strategy and tenant.

use crate::client::Reply;
use crate::desk::Desk;
use oms_model::command::{Actor, Command, CommandOutcome};
use oms_model::event::Event;
use oms_model::instrument::{Account, Currency, Instrument, TickStep};
use oms_model::{AccountId, InstrumentId, Mic, OrderId, Price, TenantId, TraceId};
use oms_runtime::clock::{Clock as _, SystemClock};
use oms_runtime::handle::Request;
use oms_runtime::port::MarketSink as _;
use serde_json::Value;

async fn execute(desk: &Desk, body: &str) -> Reply {
    desk.client.post("/api/v1/commands/execute", &[], body).await
}

/// A second instrument, in euros, of which one is 1.25 dollars; and two strategies that may trade both.
async fn set_up(desk: &Desk) {
    let listed = Instrument {
        symbol: "BAYN".parse().unwrap(),
        listing: Mic::of(b"XNAS"),
        currency: Currency(*b"EUR"),
        ticks: vec![TickStep { from: Price::ZERO, tick: "0.01".parse().unwrap() }],
        lot: "1".parse().unwrap(),
        min_qty: "1".parse().unwrap(),
        max_qty: "1000000".parse().unwrap(),
        active: true,
        ..Instrument::default()
    };
    let account = Account { account_id: AccountId::from_u128(3), name: "main".into(), active: true, converts: true, ..Account::default() };
    for command in [Command::OpenAccount(account), Command::ListInstrument(Box::new(listed))] {
        let actor = Actor { tenant_id: TenantId::from_u128(1), ..Actor::default() };
        let request = Request { actor, trace_id: TraceId::default(), idempotency: None, command };
        assert_eq!(desk.handle.execute(request).await.unwrap().outcome, CommandOutcome::Done);
    }
    execute(desk, r#"{"type":"FxRateSetCmd","from":"EUR","to":"USD","rate":"1.25"}"#).await.expect(200);
    for strategy in ["MM-1", "ARB"] {
        let bounds = r#""symbols":["AAPL","BAYN"],"max_notional":"1000000","max_order_rate":50"#;
        execute(desk, &format!(r#"{{"type":"StrategyEnvelopeSetCmd","strategy":"{strategy}",{bounds}}}"#)).await.expect(200);
    }
    for (venue, is_bid, price) in [("XNAS", true, "20.00"), ("XNAS", false, "20.10"), ("BATS", true, "20.00"), ("BATS", false, "20.10")] {
        let level = Some((price.parse().unwrap(), "300".parse().unwrap()));
        desk.market.quote(InstrumentId(1), venue.parse().unwrap(), is_bid, level, SystemClock.now());
    }
}

/// Trades at once, at 20.10 where it buys and 20.00 where it sells.
async fn deal(desk: &Desk, strategy: Option<&str>, side: &str, qty: u32, symbol: &str) {
    let price = if side == "BUY" { "20.10" } else { "20.00" };
    let strategy = strategy.map(|name| format!(r#","strategy":"{name}""#)).unwrap_or_default();
    let body = format!(r#"{{"symbol":"{symbol}","side":"{side}","ord_type":"LIMIT","order_qty":"{qty}","price":"{price}"{strategy}}}"#);
    let id: OrderId = desk.client.post("/api/v1/orders", &[], &body).await.expect(201).get("/order_id").parse().unwrap();
    desk.until(|event| matches!(event, Event::OrderFilled(e) if e.order_id == id)).await;
}

async fn pnl(desk: &Desk, query: &str) -> Vec<Value> {
    let page = desk.client.get(&format!("/api/v1/pnl/today?{query}")).await.expect(200);
    page.json()["data"].as_array().unwrap().clone()
}

const FIGURES: [&str; 4] = ["realized", "fees", "unrealized", "net"];

fn figures(row: &Value) -> [&str; 4] {
    FIGURES.map(|name| row[name].as_str().unwrap())
}

fn of<'v>(rows: &'v [Value], strategy: &str) -> &'v Value {
    rows.iter().find(|row| row["strategy"].as_str().unwrap_or_default() == strategy).unwrap()
}

/// The sum of a figure over the rows, in one currency.
fn sum(rows: &[Value], currency: &str, figure: &str) -> i128 {
    let lines = rows.iter().flat_map(|row| row["currencies"].as_array().unwrap()).filter(|line| line["currency"] == currency);
    lines.map(|line| line[figure].as_str().unwrap().parse::<oms_model::Notional>().unwrap().raw()).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_it_is_cut_the_profit_is_the_same() {
    let desk = Desk::open().await;
    set_up(&desk).await;
    deal(&desk, Some("MM-1"), "BUY", 100, "AAPL").await;
    deal(&desk, Some("ARB"), "SELL", 40, "AAPL").await;
    deal(&desk, None, "BUY", 10, "AAPL").await;
    deal(&desk, Some("MM-1"), "BUY", 10, "BAYN").await;

    let accounts = pnl(&desk, "").await;
    assert_eq!(accounts.len(), 1);
    assert_eq!((&accounts[0]["base_currency"], &accounts[0]["strategy"]), (&"USD".into(), &Value::Null));
    // What ARB sold closes what MM-1 bought: 40 at a loss of 0.10. The other 70 are marked at 20.05; 10 in euros too.
    assert_eq!(figures(&accounts[0]["currencies"][1]), ["-4", "0.45", "-3.5", "-7.95"]);
    assert_eq!(figures(&accounts[0]["currencies"][0]), ["0", "0.03", "-0.5", "-0.53"]);
    assert_eq!(accounts[0]["currencies"][0]["fx_rate"], "1.25");
    assert_eq!(figures(&accounts[0]), ["-4", "0.4875", "-4.125", "-8.6125"]);

    let strategies = pnl(&desk, "by=strategy").await;
    assert_eq!(strategies.len(), 3);
    assert_eq!(figures(of(&strategies, "ARB")), ["0", "0.12", "-2", "-2.12"]);
    assert_eq!(figures(of(&strategies, "MM-1")), ["0", "0.3375", "-5.625", "-5.9625"]);
    assert_eq!(figures(of(&strategies, "")), ["0", "0.03", "-0.5", "-0.53"]);
    let tenant = pnl(&desk, "by=tenant").await;
    assert_eq!((tenant.len(), figures(&tenant[0])), (1, figures(&accounts[0])));
    for currency in ["USD", "EUR"] {
        for figure in ["fees", "net"] {
            assert_eq!(sum(&strategies, currency, figure), sum(&accounts, currency, figure), "{figure} {currency}");
        }
    }
    let of_one = pnl(&desk, &format!("by=strategy&account_id={}", accounts[0]["account_id"].as_str().unwrap())).await;
    assert_eq!(of_one, strategies);

    // The market takes ARB's deal back; what was known before stays known.
    let before = desk.handle.durable();
    let deals = desk.client.get("/api/v1/queries/executions/search?symbol=AAPL&sort=seq").await.expect(200);
    let (exec_id, venue) = (deals.get("/data/1/exec_id"), deals.get("/data/1/venue"));
    let bust = format!(r#"{{"type":"ExecutionBustCmd","symbol":"AAPL","exec_id":"{exec_id}","venue":"{venue}","reason":"told so"}}"#);
    execute(&desk, &bust).await.expect(200);
    let (accounts, after) = (pnl(&desk, "").await, pnl(&desk, "by=strategy").await);
    assert_eq!((after.len(), figures(of(&after, "MM-1"))), (2, figures(of(&strategies, "MM-1"))));
    assert_eq!(figures(&accounts[0]["currencies"][1]), ["0", "0.33", "-5.5", "-5.83"]);
    assert_eq!(sum(&after, "USD", "net"), sum(&accounts, "USD", "net"));
    // In the past positions are worth what they were last recorded at: 20.10.
    let past = pnl(&desk, &format!("by=strategy&as_of={before}")).await;
    assert_eq!(figures(of(&past, "ARB")), ["0", "0.12", "-4", "-4.12"]);
    assert_eq!(figures(of(&past, "MM-1")), ["0", "0.3375", "0", "-0.3375"]);

    // A closed day takes what was realised and paid with it; what is open goes on.
    let day = SystemClock.now().day();
    execute(&desk, &format!(r#"{{"type":"DayCloseCmd","day":{day}}}"#)).await.expect(200);
    let next = pnl(&desk, "by=strategy").await;
    assert_eq!(figures(of(&next, "MM-1")), ["0", "0", "-5.625", "-5.625"]);
    deal(&desk, Some("MM-1"), "SELL", 100, "AAPL").await;
    let closed = pnl(&desk, "by=strategy").await;
    assert_eq!(figures(of(&closed, "MM-1")), ["-10", "0.3", "-0.625", "-10.925"]);
    assert_eq!(sum(&closed, "USD", "net"), sum(&pnl(&desk, "").await, "USD", "net"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_answered_is_refused() {
    let desk = Desk::open().await;
    let get = async |query: &str| desk.client.get(&format!("/api/v1/pnl/today?{query}")).await;
    get("by=user").await.refused(400, "VALIDATION_ERROR");
    get("as_of=999999").await.refused(400, "VALIDATION_ERROR");
    get("account_id=00000000-0000-0000-0000-0000000000ff").await.refused(404, "NOT_FOUND");
    let empty = pnl(&desk, "by=tenant").await;
    assert_eq!((empty.len(), figures(&empty[0])), (1, ["0"; 4]));
}
