//! Rules that run in shadow, and rules over the past.

use crate::client::Client;
use crate::desk::{Desk, RESTING};
use oms_api::auth;
use oms_model::command::{Actor, Command};
use oms_model::{ApiKeyId, TenantId, TraceId, UserId};
use oms_runtime::handle::Request;

/// A key of somebody else.
async fn second_person(desk: &Desk) -> Client {
    let key = auth::new_key([9; 32]);
    let command = Command::CreateApiKey {
        api_key_id: ApiKeyId::from_u128(77),
        user_id: UserId::from_u128(78),
        prefix: auth::key_prefix(&key),
        sha256: auth::key_hash(&key),
    };
    let actor = Actor { tenant_id: TenantId::from_u128(1), ..Actor::default() };
    desk.handle.execute(Request { actor, trace_id: TraceId::default(), idempotency: None, command }).await.unwrap();
    Client { key, ..desk.client.clone() }
}

const RULES: &str = r#"{"rules":[{"type":"RiskLimitSetCmd","limit_type":"MAX_ORDER_QTY","value":"50"}]}"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_run_beside_those_in_force_until_a_second_person_makes_them_live() {
    let desk = Desk::open().await;
    let path = "/api/v1/risk/shadow/tighter";
    desk.client.get(path).await.refused(404, "NOT_FOUND");
    desk.client.put(path, RULES).await.expect(200);
    let list = desk.client.get("/api/v1/risk/shadow").await.expect(200);
    assert_eq!((list.get("/data/0/name"), list.get("/data/0/rules/0/type")), ("tighter".into(), "RiskLimitSetCmd".into()));
    let report = desk.client.get(path).await.expect(200);
    assert_eq!((report.get("/judged"), report.get("/affected")), ("0".into(), "[]".into()));

    // The order is taken as before, and the report has it.
    let placed = desk.place(RESTING).await;
    let report = desk.client.get(path).await.expect(200);
    assert_eq!((report.get("/judged"), report.get("/counts/REFUSED"), report.get("/complete")), ("1".into(), "1".into(), "true".into()));
    assert_eq!(report.get("/affected/0/order_id"), placed.get("/order_id"));
    assert_eq!((report.get("/affected/0/code"), report.get("/affected/0/check")), ("RISK_LIMIT_BREACH".into(), "ORDER_QTY".into()));
    assert_eq!((report.get("/affected/0/value"), report.get("/affected/0/limit")), ("100".into(), "50".into()));
    // Asked again it says the same, and a set that is set anew begins anew.
    assert_eq!(desk.client.get(path).await.expect(200).get("/counts/REFUSED"), "1");

    let promote = format!("{path}/promote");
    let reason = r#"{"reason":"a week without surprises"}"#;
    desk.client.post(&promote, &[], reason).await.refused(409, "SECOND_PERSON_NEEDED");
    let second = second_person(&desk).await;
    second.post(&promote, &[], reason).await.expect(200);
    desk.client.get(path).await.refused(404, "NOT_FOUND");
    let limits = desk.client.get("/api/v1/risk/limits").await.expect(200).text();
    assert!(limits.contains("\"value\":\"50\""), "{limits}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_are_judged_over_what_was_recorded() {
    let desk = Desk::open().await;
    let began = desk.handle.durable();
    let placed = desk.place(RESTING).await;
    let body = format!(r#"{{"from":"{began}",{}"#, &RULES[1..]);
    let report = desk.client.post("/api/v1/risk/shadow-runs", &[], &body).await.expect(200);
    assert_eq!((report.get("/judged"), report.get("/counts/REFUSED")), ("1".into(), "1".into()));
    assert_eq!(report.get("/affected/0/cl_ord_id"), placed.get("/cl_ord_id"));
    // Nothing was set, and nothing came of it.
    assert_eq!(desk.client.get("/api/v1/risk/shadow").await.expect(200).get("/data"), "[]");
    // Behind the last difference there is none.
    let after = report.get("/affected/0/sequence");
    let rest = format!(r#"{{"from":"{began}","after":{after},{}"#, &RULES[1..]);
    let rest = desk.client.post("/api/v1/risk/shadow-runs", &[], &rest).await.expect(200);
    assert_eq!((rest.get("/counts/REFUSED"), rest.get("/affected"), rest.get("/more")), ("1".into(), "[]".into(), "false".into()));

    for (body, code, status) in [
        (RULES.to_owned(), "VALIDATION_ERROR", 400),
        (format!(r#"{{"from":"{began}"}}"#), "VALIDATION_ERROR", 400),
        (format!(r#"{{"from":"{began}","name":"none"}}"#), "NOT_FOUND", 404),
        (format!(r#"{{"day":20261399,{}"#, &RULES[1..]), "VALIDATION_ERROR", 400),
        (format!(r#"{{"day":19990101,{}"#, &RULES[1..]), "VALIDATION_ERROR", 400),
        (format!(r#"{{"from":"99999999",{}"#, &RULES[1..]), "VALIDATION_ERROR", 400),
        (format!(r#"{{"from":"{began}","rules":[{{"type":"KillSwitchEngageCmd","reason":"x"}}]}}"#), "VALIDATION_ERROR", 400),
        (format!(r#"{{"from":"{began}","rules":[{{"type":"NoCmd"}}]}}"#), "VALIDATION_ERROR", 400),
    ] {
        desk.client.post("/api/v1/risk/shadow-runs", &[], &body).await.refused(status, code);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_evidence_of_a_period_has_what_was_changed_breached_and_stopped() {
    let desk = Desk::open().await;
    let began = desk.handle.durable();
    let limit = r#"{"type":"RiskLimitSetCmd","limit_type":"MAX_ORDER_QTY","value":"50"}"#;
    desk.client.post("/api/v1/commands/execute", &[], limit).await.expect(200);
    let body = format!(r#"{{"symbol":"AAPL","side":"BUY",{RESTING}}}"#);
    desk.client.post("/api/v1/orders", &[], &body).await.refused(422, "RISK_LIMIT_BREACH");
    let reason = r#"{"scope":"TENANT","reason":"the yearly test"}"#;
    desk.client.post("/api/v1/risk/kill-switch/engage", &[], reason).await.expect(200);
    desk.until(|event| matches!(event, oms_model::Event::KillSwitchConfirmed(_))).await;
    desk.client.post("/api/v1/risk/kill-switch/release", &[], reason).await.expect(200);

    let end = desk.handle.durable();
    let pack = desk.client.get(&format!("/api/v1/risk/evidence?from={began}&to={end}")).await.expect(200);
    assert_eq!((pack.get("/orders"), pack.get("/refused"), pack.get("/limits_before")), ("1".into(), "1".into(), "[]".into()));
    assert_eq!((pack.get("/breaches/0/code"), pack.get("/breaches/0/value")), ("RISK_LIMIT_BREACH".into(), "100".into()));
    assert_eq!((pack.get("/limit_changes/0/type"), pack.get("/closing/limits/0/value")), ("RiskLimitSet".into(), "50".into()));
    assert_eq!(pack.get("/kill_switches/0/reason"), "the yearly test");
    assert!(pack.get("/kill_switches/0/confirmed_after_ns").parse::<u64>().is_ok(), "{}", pack.text());
    assert_ne!(pack.get("/kill_switches/0/released_at"), "null");
    // It ends where the log says.
    assert_eq!(pack.get("/to_sequence"), end.to_string());
    let of_state = desk.handle.inspect(|state, _| oms_runtime::snapshot::state_hash(state)).await.unwrap();
    assert_eq!(pack.get("/state_hash"), oms_store::hex(&of_state));
    assert_eq!(pack.get("/chain_hash").len(), 64);
    // Made again it is the same, byte for byte.
    assert_eq!(desk.client.get(&format!("/api/v1/risk/evidence?from={began}&to={end}")).await.body, pack.body);
    // Another stretch has nothing of it.
    desk.client.get(&format!("/api/v1/risk/evidence?from={end}&to={end}")).await.refused(400, "VALIDATION_ERROR");
    desk.client.get("/api/v1/risk/evidence").await.refused(400, "VALIDATION_ERROR");
    desk.client.get("/api/v1/risk/evidence?day=20261341").await.refused(400, "VALIDATION_ERROR");

    // A day that is closed is a period: the compliance snapshot of that day.
    let day = &oms_api::json::write::rfc3339(oms_api::past::now())[..10].replace('-', "");
    desk.client.post("/api/v1/commands/execute", &[], &format!(r#"{{"type":"DayCloseCmd","day":{day}}}"#)).await.expect(200);
    let closing = desk.handle.durable();
    desk.client.post("/api/v1/commands/execute", &[], limit).await.expect(200);
    let pack = desk.client.get(&format!("/api/v1/risk/evidence?day={day}")).await.expect(200);
    assert_eq!((pack.get("/closed_day"), pack.get("/to_sequence")), (day.clone(), closing.to_string()));
    assert_eq!(pack.get("/refused"), "1");
}
