//! Brokers over REST. What is connected to them is told what to do and remembers it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::desk::{Desk, RESTING, order};
use oms_api::brokers::{
    BreakAsked, BreakDeed, Broker, BrokerAbout, BrokerAction, BrokerBreak, BrokerCursor, BrokerMessage, BrokerMessages, BrokerPosition,
    BrokerPreview, BrokerRun, BrokerValue, Brokers, ForeignOrder, IdempotencyKey,
};
use oms_model::command::Actor;
use oms_model::{Code, OrderId, Refusal, Time, UserId};
use oms_runtime::port::WireOrder;
use serde_json::json;

/// One broker, `IBKR`, that is up until it is taken down, and its live neighbour `IBLV`. What was done to its third break is
/// remembered.
#[derive(Default)]
pub struct Told(AtomicBool, Mutex<Vec<(BreakAsked, BreakDeed)>>);

fn run(number: u64) -> BrokerRun {
    let (trigger, outcome) = (if number == 3 { "DEMAND" } else { "RECOVERY" }, if number == 2 { "INCOMPLETE" } else { "COMPLETE" });
    BrokerRun { run: number, trigger, outcome, compared: [4, 5, 6], looks: 2, ..BrokerRun::default() }
}

fn one(number: u64, kind: &'static str, status: &'static str) -> BrokerBreak {
    BrokerBreak {
        number,
        kind,
        status,
        subject: "STK IBM USD".to_owned(),
        order_id: (number == 1).then(|| OrderId::from_u128(7)),
        shown: Some("30".to_owned()),
        value: Some("585.5".to_owned()),
        currency: "USD".to_owned(),
        version: 1,
        ..BrokerBreak::default()
    }
}

impl Brokers for Told {
    fn all(&self) -> Vec<Broker> {
        let text = |text: &str| text.to_owned();
        vec![Broker {
            broker: text("IBKR"),
            kind: "IB",
            account: text("DU1"),
            state: if self.0.load(Ordering::SeqCst) { "DISCONNECTED" } else { "UP" },
            version: Some(225),
            accounts: vec![text("DU1"), text("DU2")],
            counts: vec![("orders", 3)],
            foreign_orders: vec![ForeignOrder { perm_id: text("77"), symbol: text("IBM"), ..ForeignOrder::default() }],
            positions: vec![BrokerPosition { symbol: text("IBM"), quantity: text("-5"), ..BrokerPosition::default() }],
            values: vec![BrokerValue { key: text("NetLiquidation"), currency: text("USD"), value: text("1.5") }],
            ..Broker::default()
        }]
        .into_iter()
        .chain([Broker { broker: text("IBLV"), kind: "IB", account: text("U7"), live: true, state: "UP", ..Broker::default() }])
        .chain([Broker { broker: text("BATS"), kind: "IB", account: text("DU3"), state: "UP", ..Broker::default() }])
        .collect()
    }

    fn what_if(&self, broker: &str, question: &WireOrder) -> Option<Result<BrokerPreview, String>> {
        let text = |text: &str| Some(text.to_owned());
        match broker {
            "BATS" if question.order_qty.to_string() == "14" => Some(Err("the gateway did not answer in time".to_owned())),
            "BATS" => Some(Ok(BrokerPreview {
                init_margin_change: text("62.5"),
                equity_with_loan_after: text("1000"),
                commission: text("1"),
                commission_currency: "USD".to_owned(),
                ..BrokerPreview::default()
            })),
            _ => None,
        }
    }

    fn messages(&self, about: &BrokerAbout) -> Result<BrokerMessages, Refusal> {
        // Three messages, in entries 1 to 3.
        let order_id = *about.orders.first().unwrap();
        let after = about.after.as_ref().map_or(0, |after| after.entry);
        let message = |entry| BrokerMessage {
            broker: "IBKR".to_owned(),
            entry,
            order_id,
            inbound: entry != 1,
            at: about.from,
            name: "OpenOrder".to_owned(),
            fields: vec![("order.order_ref".to_owned(), "<b>".to_owned())],
            raw: vec![0, 203],
        };
        let messages: Vec<_> = (after + 1..=3).take(about.most).map(message).collect();
        let last = messages.last().map_or(3, |last| last.entry);
        let next = (last < 3).then(|| BrokerCursor { broker: "IBKR".to_owned(), entry: last });
        Ok(BrokerMessages { messages, complete: next.is_none() && about.until == Time(i64::MAX), next })
    }

    fn runs(&self, broker: &str) -> Option<Vec<BrokerRun>> {
        (broker == "IBKR").then(|| (1..=3).map(run).collect())
    }

    fn breaks(&self, broker: &str) -> Option<Vec<BrokerBreak>> {
        let mut third = one(3, "POSITION_MISMATCH", "OPEN");
        for (_, deed) in self.1.lock().unwrap().iter() {
            (third.owner, third.version) = (deed.owner.or(third.owner), deed.version);
            third.status = if deed.owner.is_some() { "ACKNOWLEDGED" } else { "CLOSED" };
            third.deeds.push(deed.clone());
        }
        let closed = BrokerBreak { closed_at: Some(Time(5)), closing_run: Some(3), ..one(1, "DUPLICATE", "CLOSED") };
        (broker == "IBKR").then(|| vec![closed, one(2, "POSITION_MISMATCH", "OPEN"), third])
    }

    fn reconcile(&self, broker: &str, _: &Actor, reason: &str, key: Option<IdempotencyKey>) -> Result<(BrokerRun, bool), Refusal> {
        match broker {
            "IBKR" => Ok((BrokerRun { reason: reason.to_owned(), ..run(3) }, key.is_some())),
            "IBLV" => Err(Refusal::new(Code::BrokerUnavailable, "the gateway is down")),
            _ => Err(Refusal::new(Code::NotFound, "there is no such broker")),
        }
    }

    fn on_break(&self, _: &str, actor: &Actor, asked: BreakAsked) -> Result<(BreakDeed, bool), Refusal> {
        let mut deeds = self.1.lock().unwrap();
        if let Some((_, deed)) = deeds.iter().find(|(known, _)| known.key.is_some() && known.key == asked.key) {
            return Ok((deed.clone(), true));
        }
        let version = deeds.last().map_or(1, |(_, deed)| deed.version);
        match asked.number {
            3 if asked.version.is_some_and(|given| given != version) => {
                Err(Refusal::new(Code::VersionMismatch, "another version").with("version", version))
            }
            3 if deeds.last().is_some_and(|(asked, _)| asked.owner.is_none()) => Err(Refusal::new(Code::StateConflict, "it is closed")),
            3 => {
                let deed =
                    BreakDeed { at: Time(9), user_id: actor.user_id, owner: asked.owner, note: asked.note.clone(), version: version + 1 };
                deeds.push((asked, deed.clone()));
                Ok((deed, false))
            }
            _ => Err(Refusal::new(Code::NotFound, "there is no such break")),
        }
    }

    fn act(&self, broker: &str, action: BrokerAction, _: &Actor, reason: &str) -> Result<(), Refusal> {
        assert!(reason.is_empty() || reason == "maintenance", "{reason}");
        if broker != "IBKR" {
            return Err(Refusal::new(Code::NotFound, "there is no such broker"));
        }
        self.0.store(action == BrokerAction::Disconnect, Ordering::SeqCst);
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn brokers_are_shown_and_steered() {
    let desk = Desk::open().await;
    let client = &desk.client;
    let all = client.get("/api/v1/brokers").await.expect(200);
    assert_eq!(
        (all.get("/data/0/broker"), all.get("/data/0/state"), all.get("/data/0/accounts/1")),
        ("IBKR".into(), "UP".into(), "DU2".into())
    );
    let one = client.get("/api/v1/brokers/IBKR").await.expect(200);
    assert_eq!((one.get("/version"), one.get("/counts/0/count"), one.get("/live")), ("225".into(), "3".into(), "false".into()));
    let account = client.get("/api/v1/brokers/IBKR/account").await.expect(200);
    assert_eq!(
        (account.get("/positions/0/quantity"), account.get("/values/0/value"), account.get("/foreign_orders/0/perm_id")),
        ("-5".into(), "1.5".into(), "77".into())
    );
    let down = client.post("/api/v1/brokers/IBKR/disconnect?reason=maintenance", &[], "{}").await.expect(200);
    assert_eq!(down.get("/state"), "DISCONNECTED");
    assert_eq!(client.post("/api/v1/brokers/IBKR/connect", &[], "{}").await.expect(200).get("/state"), "UP");
    for path in ["", "/account"] {
        client.get(&format!("/api/v1/brokers/NOWHERE{path}")).await.refused(404, "NOT_FOUND");
    }
    client.post("/api/v1/brokers/NOWHERE/connect", &[], "{}").await.refused(404, "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preview_shows_what_the_broker_of_its_route_says_or_that_it_says_nothing() {
    let desk = Desk::open().await;
    let named = |venue: &str, qty: u32| {
        let routing = format!(r#""routing":{{"mode":"NAMED","venue":"{venue}"}}"#);
        order(&format!(r#""ord_type":"LIMIT","order_qty":"{qty}","price":"19.00",{routing}"#))
    };
    let before = desk.handle.durable();
    let preview =
        async |venue: &str, qty: u32| desk.client.post("/api/v1/orders/preview", &[], &named(venue, qty)).await.expect(200).json();
    let told = preview("BATS", 10).await;
    let one = &told["brokers"][0];
    assert_eq!((&one["venue"], &one["qty"], &one["available"], &one["reason"]), (&json!("BATS"), &json!("10"), &json!(true), &json!(null)));
    assert_eq!((&one["init_margin_change"], &one["commission"], &one["warning"]), (&json!("62.5"), &json!("1"), &json!(null)));
    assert_eq!((&one["equity_with_loan_after"], &one["maint_margin_change"]), (&json!("1000"), &json!(null)));
    // A broker that says nothing refuses nothing.
    let silent = preview("BATS", 14).await;
    let one = &silent["brokers"][0];
    assert_eq!((&silent["accepted"], &one["available"], &one["commission"]), (&json!(true), &json!(false), &json!(null)));
    assert_eq!(one["reason"], "the gateway did not answer in time");
    assert_eq!(preview("XNAS", 10).await["brokers"], json!([]), "a venue that is no broker is not asked");
    assert_eq!(desk.handle.durable(), before, "nothing was recorded");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_messages_about_an_order_come_in_pages_to_who_may_see_the_order() {
    let desk = Desk::open().await;
    let placed = desk.place(RESTING).await;
    let path = format!("/api/v1/orders/{}/broker-messages", placed.get("/order_id"));
    let first = desk.client.get(&format!("{path}?limit=2")).await.expect(200);
    assert_eq!((first.get("/data/0/direction"), first.get("/data/1/direction")), ("OUT".into(), "IN".into()));
    assert_eq!((first.get("/data/0/order_id"), first.get("/data/0/raw")), (placed.get("/order_id"), "00cb".into()));
    assert_eq!(
        (first.get("/data/0/fields/0/value"), first.get("/next"), first.get("/complete")),
        ("<b>".into(), "IBKR:2".into(), "false".into())
    );
    // From a minute before it was made.
    assert!(first.get("/data/0/at") < placed.get("/created_at"));
    let rest = desk.client.get(&format!("{path}?limit=2&cursor=IBKR:2")).await.expect(200);
    assert_eq!((rest.get("/data/0/entry"), rest.get("/next"), rest.get("/complete")), ("3".into(), "null".into(), "true".into()));
    for wrong in ["limit=0", "cursor=2", "cursor=IBKR:x", "colour=red"] {
        desk.client.get(&format!("{path}?{wrong}")).await.refused(400, "VALIDATION_ERROR");
    }
    desk.client.get("/api/v1/orders/00000000-0000-7000-8000-000000000001/broker-messages").await.refused(404, "NOT_FOUND");
    let stranger = crate::client::Client { key: String::new(), ..desk.client.clone() };
    stranger.get(&path).await.refused(401, "UNAUTHENTICATED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_and_breaks_are_listed_in_pages_and_filtered() {
    let desk = Desk::open().await;
    let client = &desk.client;
    let runs = client.get("/api/v1/brokers/IBKR/reconciliations?limit=2").await.expect(200);
    assert_eq!((runs.get("/data/0/run"), runs.get("/data/1/outcome"), runs.get("/next")), ("3".into(), "INCOMPLETE".into(), "2".into()));
    let rest = client.get("/api/v1/brokers/IBKR/reconciliations?limit=2&before=2").await.expect(200);
    assert_eq!((rest.get("/data/0/run"), rest.get("/next"), rest.get("/data/0/positions")), ("1".into(), "null".into(), "6".into()));
    let breaks = "/api/v1/brokers/IBKR/breaks";
    for (filter, first, next) in [
        ("", "3", "null"),
        ("?limit=1", "3", "3"),
        ("?limit=1&before=3", "2", "2"),
        ("?status=CLOSED", "1", "null"),
        ("?kind=DUPLICATE", "1", "null"),
        ("?order_id=00000000-0000-0000-0000-000000000007", "1", "null"),
    ] {
        let page = client.get(&format!("{breaks}{filter}")).await.expect(200);
        assert_eq!((page.get("/data/0/break"), page.get("/next")), (first.into(), next.into()), "{filter}");
    }
    let closed = client.get(&format!("{breaks}/1")).await.expect(200);
    assert_eq!((closed.get("/closing_run"), closed.get("/value"), closed.get("/owner")), ("3".into(), "585.5".into(), "null".into()));
    for (path, status, code) in [
        ("/breaks?status=GONE", 400, "VALIDATION_ERROR"),
        ("/breaks?kind=NONE", 400, "VALIDATION_ERROR"),
        ("/breaks?owner=me", 400, "VALIDATION_ERROR"),
        ("/breaks?colour=red", 400, "VALIDATION_ERROR"),
        ("/breaks?limit=501", 400, "VALIDATION_ERROR"),
        ("/breaks/99", 404, "NOT_FOUND"),
        ("/breaks/x", 404, "NOT_FOUND"),
    ] {
        client.get(&format!("/api/v1/brokers/IBKR{path}")).await.refused(status, code);
    }
    for path in ["/breaks", "/breaks/1", "/reconciliations"] {
        client.get(&format!("/api/v1/brokers/NOWHERE{path}")).await.refused(404, "NOT_FOUND");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_asked_for_and_a_break_is_assigned_and_closed_once() {
    let desk = Desk::open().await;
    let client = &desk.client;
    let run = client.post("/api/v1/brokers/IBKR/reconciliations?reason=noon", &[], "").await.expect(200);
    assert_eq!((run.get("/trigger"), run.get("/reason"), run.header("idempotent-replay")), ("DEMAND".into(), "noon".into(), None));
    let keyed = client.post("/api/v1/brokers/IBKR/reconciliations", &[("idempotency-key", "k")], "").await.expect(200);
    assert_eq!(keyed.header("idempotent-replay"), Some("true"));
    client.post("/api/v1/brokers/IBLV/reconciliations", &[], "").await.refused(503, "BROKER_UNAVAILABLE");
    let path = "/api/v1/brokers/IBKR/breaks/3";
    let owner = UserId::from_u128(5);
    let body = format!(r#"{{"owner":"{owner}","reason":"look into it"}}"#);
    let first = client.post(&format!("{path}/assign"), &[("idempotency-key", "a"), ("if-match", "\"1\"")], &body).await.expect(200);
    assert_eq!((first.get("/action"), first.get("/owner"), first.get("/version")), ("ASSIGN".into(), owner.to_string(), "2".into()));
    assert_eq!(first.header("etag"), Some("\"2\""));
    let again = client.post(&format!("{path}/assign"), &[("idempotency-key", "a"), ("if-match", "\"1\"")], &body).await.expect(200);
    assert_eq!((again.body.clone(), again.header("idempotent-replay")), (first.body.clone(), Some("true")));
    let one = client.get(path).await.expect(200);
    assert_eq!(
        (one.get("/status"), one.get("/actions/0/note"), one.header("etag")),
        ("ACKNOWLEDGED".into(), "look into it".into(), Some("\"2\""))
    );
    client.post(&format!("{path}/close"), &[("if-match", "\"1\"")], r#"{"reason":"so"}"#).await.refused(412, "VERSION_MISMATCH");
    for bad in ["{}", r#"{"reason":""}"#, r#"{"reason":"x","colour":1}"#] {
        client.post(&format!("{path}/close"), &[], bad).await.refused(400, "VALIDATION_ERROR");
    }
    client.post(&format!("{path}/assign"), &[], r#"{"reason":"x"}"#).await.refused(400, "VALIDATION_ERROR");
    client.post(&format!("{path}/close"), &[], r#"{"reason":"held by hand"}"#).await.expect(200);
    client.post(&format!("{path}/close"), &[], r#"{"reason":"again"}"#).await.refused(409, "STATE_CONFLICT");
    client.post("/api/v1/brokers/IBKR/breaks/9/close", &[], r#"{"reason":"x"}"#).await.refused(404, "NOT_FOUND");
    client.post("/api/v1/brokers/NOWHERE/breaks/3/close", &[], r#"{"reason":"x"}"#).await.refused(404, "NOT_FOUND");
}
