//! Overrides, scheduled limits, what limits were, and files of limits and lists.

use crate::client::{Client, PATIENCE, Reply};
use crate::desk::{Desk, RESTING, order};
use oms_api::auth;
use oms_model::command::{Actor, Command};
use oms_model::{ApiKeyId, TenantId, TraceId, UserId};
use oms_runtime::handle::Request;
use serde_json::{Value, json};

/// Another person of the desk.
async fn person(desk: &Desk, user: u128) -> Client {
    let key = auth::new_key([u8::try_from(user).unwrap(); 32]);
    let command = Command::CreateApiKey {
        api_key_id: ApiKeyId::from_u128(1_000 + user),
        user_id: UserId::from_u128(user),
        prefix: auth::key_prefix(&key),
        sha256: auth::key_hash(&key),
    };
    let actor = Actor { tenant_id: TenantId::from_u128(1), ..Actor::default() };
    desk.handle.execute(Request { actor, trace_id: TraceId::default(), idempotency: None, command }).await.unwrap();
    Client { key, ..desk.client.clone() }
}

async fn limit(desk: &Desk, fields: &str) -> Reply {
    desk.client.put("/api/v1/risk/limits", &format!("{{{fields}}}")).await
}

async fn refused(desk: &Desk) -> String {
    desk.client.post("/api/v1/orders", &[], &order(RESTING)).await.refused(422, "RISK_LIMIT_BREACH").get("/details/order_id")
}

fn grant(order_id: &str) -> String {
    format!(r#"{{"order_id":"{order_id}","check":"ORDER_QTY","reason":"block trade agreed","life_s":60}}"#)
}

fn naming(override_id: &str) -> String {
    order(&format!(r#"{RESTING},"override_ids":["{override_id}"]"#))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leave_is_granted_by_one_used_by_another_and_told() {
    let desk = Desk::open().await;
    let (boss, second) = (person(&desk, 20).await, person(&desk, 21).await);
    limit(&desk, r#""limit_type":"MAX_ORDER_QTY","value":"50""#).await.expect(200);
    let order_id = refused(&desk).await;
    desk.client.post("/api/v1/risk/overrides", &[], &grant(&order_id)).await.refused(409, "SECOND_PERSON_NEEDED");
    boss.post("/api/v1/risk/overrides", &[], &grant(&order_id).replace("ORDER_QTY", "KILL_SWITCH")).await.refused(409, "STATE_CONFLICT");
    boss.post("/api/v1/risk/overrides", &[], &grant(&order_id).replace("60", "90000")).await.refused(400, "VALIDATION_ERROR");
    let keyed = [("idempotency-key", "grant-1")];
    let granted = boss.post("/api/v1/risk/overrides", &keyed, &grant(&order_id)).await.expect(201);
    assert_eq!(boss.post("/api/v1/risk/overrides", &keyed, &grant(&order_id)).await.expect(201).body, granted.body);
    assert_eq!((granted.get("/state"), granted.get("/max_qty"), granted.get("/price")), ("ACTIVE".into(), "100".into(), "19".into()));
    let id = granted.get("/override_id");
    boss.post("/api/v1/orders", &[], &naming(&id)).await.refused(422, "RISK_LIMIT_BREACH");
    let placed = desk.client.post("/api/v1/orders", &[], &naming(&id)).await.expect(201);
    let again = desk.client.post("/api/v1/orders", &[], &naming(&id)).await.refused(422, "RISK_LIMIT_BREACH");
    assert!(again.get("/message").contains(&format!("override {id} was used by another order")), "{}", again.text());
    boss.send("DELETE", &format!("/api/v1/risk/overrides/{id}?reason=late"), &[], None).await.refused(409, "STATE_CONFLICT");
    let list = desk.client.get("/api/v1/risk/overrides").await.expect(200);
    assert_eq!((list.get("/data/0/state"), list.get("/data/0/used_by_order_id")), ("USED".into(), placed.get("/order_id")));

    let why = desk.client.get(&format!("/api/v1/orders/{}/why", placed.get("/order_id"))).await.expect(200).json();
    let results = why["checks"][0]["results"].as_array().unwrap();
    let found = results.iter().find(|check| check["check"] == "ORDER_QTY").unwrap();
    assert_eq!((&found["verdict"], &found["value"], &found["limit"]), (&json!("OVERRIDDEN"), &json!("100"), &json!("50")));
    let said = why["timeline"].as_array().unwrap().iter().find(|step| step["type"] == "RiskOverridden").unwrap()["text"].clone();
    let words = format!("ORDER_QTY overridden (100 against 50) by {id}, granted by user {}: block trade agreed", UserId::from_u128(20));
    assert_eq!(said, json!(words));

    // A second person, where the tenant says so.
    desk.client.put("/api/v1/risk/override-rule", r#"{"second_person":true}"#).await.refused(400, "VALIDATION_ERROR");
    desk.client.put("/api/v1/risk/override-rule", r#"{"second_person":true,"lists":false}"#).await.expect(200);
    let pending = boss.post("/api/v1/risk/overrides", &[], &grant(&order_id)).await.expect(201);
    let id = pending.get("/override_id");
    assert_eq!(pending.get("/state"), "PENDING");
    desk.client.post("/api/v1/orders", &[], &naming(&id)).await.refused(422, "RISK_LIMIT_BREACH");
    let consent = format!("/api/v1/risk/overrides/{id}/consent");
    boss.post(&consent, &[], "").await.refused(409, "SECOND_PERSON_NEEDED");
    second.post(&consent, &[], "{}").await.expect(200);
    desk.client.post("/api/v1/orders", &[], &naming(&id)).await.expect(201);
    let other = boss.post("/api/v1/risk/overrides", &[], &grant(&order_id)).await.expect(201).get("/override_id");
    boss.send("DELETE", &format!("/api/v1/risk/overrides/{other}"), &[], None).await.refused(400, "VALIDATION_ERROR");
    boss.send("DELETE", &format!("/api/v1/risk/overrides/{other}?reason=off"), &[], None).await.expect(200);
    second.post(&format!("/api/v1/risk/overrides/{other}/consent"), &[], "").await.refused(409, "STATE_CONFLICT");
    // The typed commands do the same.
    let body = format!(r#"{{"type":"OverrideGrantCmd","order_id":"{order_id}","check":"ORDER_QTY","reason":"again"}}"#);
    let made = boss.post("/api/v1/commands/execute", &[], &body).await.expect(200).get("/ids/0");
    let revoke = format!(r#"{{"type":"OverrideRevokeCmd","override_id":"{made}","reason":"off"}}"#);
    boss.post("/api/v1/commands/execute", &[], &revoke).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_holds_for_a_while_and_its_versions_are_told() {
    let desk = Desk::open().await;
    let named = r#""limit_type":"MAX_ORDER_QTY","scope":"INSTRUMENT:AAPL""#;
    limit(&desk, &format!(r#"{named},"value":"50""#)).await.expect(200);
    let raised = limit(&desk, &format!(r#"{named},"value":"500","effective_until":"2200-01-01T00:00:00Z""#)).await;
    raised.refused(400, "VALIDATION_ERROR");
    let until = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    let raised = limit(&desk, &format!(r#"{named},"value":"500","effective_until":"{until}""#)).await.expect(202);
    assert_eq!((raised.get("/value"), raised.get("/state")), ("500".into(), "WAITING".into()));
    desk.place(RESTING).await;
    let later = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(2);
    let waits = limit(&desk, &format!(r#"{named},"value":"10","effective_from":"{later}""#)).await.expect(202);
    let overlapping = format!(r#"{named},"value":"11","effective_from":"{later}""#);
    limit(&desk, &overlapping).await.refused(409, "STATE_CONFLICT");
    let list = desk.client.get("/api/v1/risk/limits").await.expect(200).json();
    assert_eq!((&list["data"][0]["value"], list["scheduled"].as_array().unwrap().len()), (&json!("500"), 2));
    let in_force = list["scheduled"].as_array().unwrap().iter().find(|one| one["state"] == "IN_FORCE").unwrap().clone();
    assert_eq!(in_force["before"], json!("50"));
    let away = |id: &str| format!("/api/v1/risk/limits/scheduled/{id}?reason=over");
    desk.client.send("DELETE", &away(&waits.get("/schedule_id")), &[], None).await.expect(200);
    desk.client.send("DELETE", &away(&waits.get("/schedule_id")), &[], None).await.refused(404, "NOT_FOUND");
    desk.client.send("DELETE", &away(in_force["schedule_id"].as_str().unwrap()), &[], None).await.expect(200);
    refused(&desk).await;

    desk.client.send("DELETE", "/api/v1/risk/limits?limit_type=MAX_ORDER_QTY&scope=INSTRUMENT:AAPL", &[], None).await.expect(200);
    let path = "/api/v1/risk/limits/history?limit_type=MAX_ORDER_QTY&scope=INSTRUMENT:AAPL";
    let page = desk.client.get(path).await.expect(200).json();
    let told: Vec<(Value, Value)> =
        page["data"].as_array().unwrap().iter().map(|one| (one["version"].clone(), one["value"].clone())).collect();
    let wanted = [(Value::Null, Value::Null), (json!(3), json!("50")), (json!(2), json!("500")), (json!(1), json!("50"))];
    assert_eq!(told, wanted);
    assert!(page["data"][1]["cause"].as_str().unwrap().contains("schedule"), "{page}");
    assert_eq!((&page["data"][3]["cause"], &page["data"][3]["user_id"]), (&Value::Null, &json!(UserId::from_u128(2).to_string())));
    let first = desk.client.get(&format!("{path}&limit=2")).await.expect(200);
    let rest = desk.client.get(&format!("{path}&before={}", first.get("/next"))).await.expect(200).json();
    assert_eq!(rest["data"].as_array().unwrap().len(), 2);
    assert_eq!(desk.client.get("/api/v1/risk/limits/history").await.expect(200).json()["data"].as_array().unwrap().len(), 4);
    desk.client.get("/api/v1/risk/limits/history?scope=TENANT").await.refused(400, "VALIDATION_ERROR");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_limits_is_looked_at_and_then_taken_as_a_whole_or_not() {
    let desk = Desk::open().await;
    limit(&desk, r#""limit_type":"MAX_ORDER_QTY","value":"200""#).await.expect(200);
    limit(&desk, r#""limit_type":"ORDER_RATE","value":"100","period":"MINUTE","soft":true"#).await.expect(200);
    desk.place(RESTING).await;
    desk.until_taken().await;
    let csv = [("content-type", "text/csv")];
    let exported = desk.client.get("/api/v1/risk/limits/export?format=csv").await.expect(200);
    assert_eq!(
        exported.text(),
        "limit_type,scope,period,soft,value\r\nMAX_ORDER_QTY,TENANT,,false,200\r\nORDER_RATE,TENANT,MINUTE,true,100\r\n"
    );
    assert_eq!(exported.header("etag"), Some("\"2\""));
    let before = desk.handle.durable();

    // What is exported changes nothing, in either format.
    let same = desk.client.post("/api/v1/risk/limits/import?replace_all=true", &csv, &exported.text()).await.expect(200);
    assert_eq!(same.json()["counts"], json!({"added": 0, "changed": 0, "removed": 0}));
    let document = desk.client.get("/api/v1/risk/limits/export").await.expect(200).text();
    let same = desk.client.post("/api/v1/risk/limits/import?replace_all=true", &[], &document).await.expect(200);
    assert_eq!(same.json()["counts"], json!({"added": 0, "changed": 0, "removed": 0}));

    let file = "limit_type,scope,value\nMAX_ORDER_QTY,TENANT,150\nMAX_OPEN_NOTIONAL,INSTRUMENT:AAPL,1000\nMAX_OPEN_ORDERS,,7\n";
    let preview = desk.client.post("/api/v1/risk/limits/import?mode=preview&replace_all=true", &csv, file).await.expect(200).json();
    assert_eq!(preview["counts"], json!({"added": 2, "changed": 1, "removed": 1}));
    assert_eq!((&preview["changed"][0]["before"], &preview["changed"][0]["value"]), (&json!("200"), &json!("150")));
    assert_eq!(preview["removed"][0]["limit_type"], json!("ORDER_RATE"));
    let breached = &preview["breached"];
    assert_eq!(breached.as_array().unwrap().len(), 1, "{preview}");
    assert_eq!((&breached[0]["used"], &breached[0]["headroom"]), (&json!("1900"), &json!("-900")));

    let wrong =
        "limit_type,scope,value\nMAX_ORDER_QTY,TENANT,150\nMAX_OPEN_ORDERS,,1.5\nMAX_ORDER_QTY,TENANT,151\nMAX_ORDER_QTY,ACCOUNT:x,1\n";
    let refused = desk.client.post("/api/v1/risk/limits/import?mode=apply", &csv, wrong).await.refused(400, "VALIDATION_ERROR");
    assert!(refused.json()["details"]["line 5"].as_str().unwrap().contains("scope"), "{}", refused.text());
    let wrong = wrong.replace("ACCOUNT:x", "VENUE:XNAS");
    for mode in ["preview", "apply"] {
        let refused =
            desk.client.post(&format!("/api/v1/risk/limits/import?mode={mode}"), &csv, &wrong).await.refused(400, "VALIDATION_ERROR");
        let details = refused.json()["details"].clone();
        let lines = ["line 3", "line 4", "line 5"].map(|line| details[line].as_str().unwrap_or_default().to_owned());
        assert!(
            lines[0].contains("whole number") && lines[1].contains("stands there before") && lines[2].contains("not kept"),
            "{details}"
        );
    }
    let asked = [
        ("/api/v1/risk/limits/import?mode=maybe", "must be preview or apply"),
        ("/api/v1/risk/limits/import?if_revision=1", "is for mode=apply"),
    ];
    for (path, words) in asked {
        assert!(desk.client.post(path, &csv, file).await.refused(400, "VALIDATION_ERROR").get("/message").contains(words), "{path}");
    }
    desk.client.post("/api/v1/risk/limits/import", &[("content-type", "text/xml")], file).await.refused(415, "UNSUPPORTED_MEDIA_TYPE");
    assert_eq!(desk.handle.durable(), before, "nothing was recorded so far");

    let apply = "/api/v1/risk/limits/import?mode=apply&replace_all=true&if_revision=";
    desk.client.post(&format!("{apply}1"), &csv, file).await.refused(412, "VERSION_MISMATCH");
    let revision = preview["revision"].as_u64().unwrap();
    let keyed = [("content-type", "text/csv"), ("idempotency-key", "import-1")];
    let applied = desk.client.post(&format!("{apply}{revision}"), &keyed, file).await.expect(200);
    assert_eq!(desk.client.post(&format!("{apply}{revision}"), &keyed, file).await.expect(200).body, applied.body);
    assert_eq!(applied.json()["counts"], preview["counts"]);
    let limits = desk.client.get("/api/v1/risk/limits").await.expect(200).json();
    let values: Vec<_> = limits["data"].as_array().unwrap().iter().map(|one| (one["value"].clone(), one["version"].clone())).collect();
    assert_eq!(values, [(json!("150"), json!(2)), (json!("7"), json!(1)), (json!("1000"), json!(1))]);
    let history = desk.client.get("/api/v1/risk/limits/history?limit_type=MAX_ORDER_QTY").await.expect(200);
    assert_eq!(history.get("/data/0/cause"), "import");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_are_files_too() {
    let desk = Desk::open().await;
    desk.place(RESTING).await;
    desk.until_taken().await;
    let csv = [("content-type", "text/csv")];
    let file =
        "list,scope,subject,reason\nRESTRICTED,TENANT,INSTRUMENT:AAPL,\"insiders, \"\"ours\"\"\"\nRESTRICTED,TENANT,VENUE:BATS,outage\n";
    let preview = desk.client.post("/api/v1/risk/restrictions/import", &csv, file).await.expect(200).json();
    assert_eq!((&preview["counts"]["added"], &preview["working"][0]["orders"]), (&json!(2), &json!(1)));
    let path = format!("/api/v1/risk/restrictions/import?mode=apply&if_revision={}", preview["revision"]);
    desk.client.post(&path, &csv, file).await.expect(200);
    desk.client.post(&path, &csv, file).await.refused(412, "VERSION_MISMATCH");
    desk.client.post("/api/v1/orders", &[], &order(RESTING)).await.refused(422, "COMPLIANCE_BLOCKED");
    let exported = desk.client.get("/api/v1/risk/restrictions/export?format=csv").await.expect(200).text();
    assert_eq!(exported, file.replace('\n', "\r\n"));
    let wrong = file.replace("VENUE:BATS", "TENANT");
    let refused = desk.client.post("/api/v1/risk/restrictions/import", &csv, &wrong).await.refused(400, "VALIDATION_ERROR");
    assert!(refused.json()["details"]["line 3"].as_str().unwrap().contains("a list is"), "{}", refused.text());
    let emptied = desk.client.post("/api/v1/risk/restrictions/import?mode=apply&replace_all=true", &[], r#"{"data":[]}"#).await.expect(200);
    assert_eq!(emptied.json()["counts"]["removed"], json!(2));
    desk.place(RESTING).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_status_tells_of_breaches_and_of_a_trend() {
    let desk = Desk::open().await;
    limit(&desk, r#""limit_type":"MAX_OPEN_ORDERS","value":"1""#).await.expect(200);
    desk.place(RESTING).await;
    let first = refused(&desk).await;
    let last = refused(&desk).await;
    assert_ne!(first, last);
    let status = desk.client.get("/api/v1/risk/status").await.expect(200).json();
    let told = &status["limits"][0];
    assert_eq!((&told["used"], &told["breaches"], &told["trend"]), (&json!("1"), &json!(2), &Value::Null));
    assert_eq!(told["last_breach"]["order_id"], json!(last));
    let trend = desk.client.get("/api/v1/risk/status?trend_s=3600").await.expect(200).json();
    assert_eq!(trend["limits"][0]["trend"], Value::Null, "the log does not reach back that far");
    for path in ["trend_s=0", "trend_s=3601", "trend_s=5&as_of=1"] {
        desk.client.get(&format!("/api/v1/risk/status?{path}")).await.refused(400, "VALIDATION_ERROR");
    }
    let past = desk.client.get(&format!("/api/v1/risk/status?as_of={}", desk.handle.durable())).await.expect(200).json();
    assert_eq!((&past["limits"][0]["breaches"], &past["limits"][0]["last_breach"]), (&Value::Null, &Value::Null));
    // The use of two seconds ago can be told once the log is that old.
    let trend = || async { desk.client.get("/api/v1/risk/status?trend_s=2").await.expect(200).json()["limits"][0]["trend"].clone() };
    let known = async {
        while trend().await["used"] != json!("1") {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, known).await.unwrap();
    limit(&desk, r#""limit_type":"MAX_OPEN_ORDERS","value":"9""#).await.expect(200);
    desk.place(RESTING).await;
    assert_eq!(trend().await, json!({"seconds": 2, "used": "1", "change": "1"}));
}
