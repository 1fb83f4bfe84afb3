//! Brokers over REST. What is connected to them is told what to do and remembers it.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::desk::Desk;
use oms_api::brokers::{Broker, BrokerAction, BrokerPosition, BrokerValue, Brokers, ForeignOrder};
use oms_model::command::Actor;
use oms_model::{Code, Refusal};

/// One broker, `IBKR`, that is up until it is taken down.
#[derive(Default)]
pub struct Told(AtomicBool);

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
