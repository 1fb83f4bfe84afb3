//! FIX sessions over REST. What runs them is told what to do and remembers it.

use crate::desk::{Desk, RESTING};
use oms_api::fix::{Acted, FixAbout, FixAction, FixDeed, FixMessage, FixMessages, FixSession, FixSessions};
use oms_model::command::Actor;
use oms_model::{Code, Refusal, Time};

/// One session, whose client is `CLIENT`; each action shows in its numbers.
pub struct Told;

fn session() -> FixSession {
    FixSession {
        client: "CLIENT".to_owned(),
        desk: "OMS".to_owned(),
        next_in: 5,
        next_out: 7,
        counts: vec![("received", 3)],
        ..FixSession::default()
    }
}

impl FixSessions for Told {
    fn all(&self) -> Vec<FixSession> {
        vec![session()]
    }

    fn deeds(&self, client: &str) -> Option<Vec<FixDeed>> {
        let deed = FixDeed { at: Time(0), actor: "user".to_owned(), action: "Reset".to_owned(), reason: "a new day".to_owned() };
        (client == "CLIENT").then(|| vec![deed])
    }

    fn messages(&self, about: &FixAbout) -> Result<FixMessages, Refusal> {
        let order_id = about.orders.first().map(ToString::to_string).unwrap_or_default();
        let raw = format!("35=8|37={order_id}|58=<b>|");
        let fields = vec![(37, "OrderID".to_owned(), order_id), (58, "Text".to_owned(), "<b>".to_owned())];
        let one = FixMessage { entry: 7, client: "CLIENT".to_owned(), at: Some(about.from), fields, raw, ..FixMessage::default() };
        Ok(FixMessages { messages: vec![one], complete: about.until == Time(i64::MAX) && about.most == 100 })
    }

    fn act(&self, client: &str, action: FixAction, _: &Actor, reason: String) -> Acted {
        assert!(reason.is_empty() || reason == "a new day", "{reason}");
        let known = client == "CLIENT";
        Box::pin(async move {
            if !known {
                return Err(Refusal::new(Code::NotFound, "there is no such FIX session"));
            }
            Ok(match action {
                FixAction::Logon => FixSession { open: true, ..session() },
                FixAction::Logout => FixSession { open: false, ..session() },
                FixAction::Reset => FixSession { next_in: 1, next_out: 1, ..session() },
                FixAction::Numbers { next_in, next_out } => {
                    FixSession { next_in: next_in.unwrap_or(5), next_out: next_out.unwrap_or(7), ..session() }
                }
            })
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_are_shown_and_steered() {
    let desk = Desk::open().await;
    let client = &desk.client;
    let all = client.get("/api/v1/fix/sessions").await.expect(200);
    assert_eq!((all.get("/data/0/client"), all.get("/data/0/received")), ("CLIENT".into(), "3".into()));
    assert_eq!(client.get("/api/v1/fix/sessions/CLIENT").await.expect(200).get("/next_out"), "7");
    client.get("/api/v1/fix/sessions/NOBODY").await.refused(404, "NOT_FOUND");
    for (path, field, value) in [("logon", "/open", "true"), ("logout", "/open", "false"), ("reset", "/next_in", "1")] {
        assert_eq!(client.post(&format!("/api/v1/fix/sessions/CLIENT/{path}"), &[], "{}").await.expect(200).get(field), value, "{path}");
        client.post(&format!("/api/v1/fix/sessions/NOBODY/{path}"), &[], "{}").await.refused(404, "NOT_FOUND");
    }
    let set = client.post("/api/v1/fix/sessions/CLIENT/numbers", &[], r#"{"next_out": 9}"#).await.expect(200);
    assert_eq!((set.get("/next_in"), set.get("/next_out")), ("5".into(), "9".into()));
    for wrong in ["{}", r#"{"next_in": 0}"#, r#"{"next": 1}"#] {
        client.post("/api/v1/fix/sessions/CLIENT/numbers", &[], wrong).await.refused(400, "VALIDATION_ERROR");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_messages_about_an_order_are_shown_to_who_may_see_the_order() {
    let desk = Desk::open().await;
    let placed = desk.place(RESTING).await;
    let path = format!("/api/v1/orders/{}/messages", placed.get("/order_id"));
    let found = desk.client.get(&path).await.expect(200);
    assert_eq!((found.get("/data/0/fields/0/value"), found.get("/data/0/direction")), (placed.get("/order_id"), "OUT".into()));
    assert_eq!(
        (found.get("/data/0/fields/1/value"), found.get("/complete")),
        ("<b>".into(), "true".into()),
        "an order that works has no end yet"
    );
    // From a minute before it was made.
    assert!(found.get("/data/0/at") < placed.get("/created_at"));
    desk.client.get(&format!("{path}?limit=0")).await.refused(400, "VALIDATION_ERROR");
    desk.client.get("/api/v1/orders/00000000-0000-7000-8000-000000000001/messages").await.refused(404, "NOT_FOUND");
    let stranger = crate::client::Client { key: String::new(), ..desk.client.clone() };
    stranger.get(&path).await.refused(401, "UNAUTHENTICATED");
}
