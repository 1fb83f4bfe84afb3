//! The audit over REST. What keeps it is a script; the list of records is read from the log itself.

use crate::desk::{Desk, RESTING};
use oms_api::audit::{Audit, AuditCheckpoint, AuditReport};
use oms_model::Refusal;
use std::io::Write;

/// Two checkpoints, an export of some bytes, and a proof that says what it was asked for.
pub struct Told;

fn checkpoint(size: u64) -> AuditCheckpoint {
    AuditCheckpoint { size, sequence: size * 2, time_ns: 0, root: "00".repeat(32), note: format!("oms\n{size}\n") }
}

/// More than one part of an answer.
const EXPORTED: usize = 300_000;

impl Audit for Told {
    fn key(&self) -> String {
        "oms+00000000+AQ==".to_owned()
    }

    fn checkpoints(&self, after: u64, limit: usize) -> Result<Vec<AuditCheckpoint>, Refusal> {
        Ok([3, 9].into_iter().filter(|size| *size > after).take(limit).map(checkpoint).collect())
    }

    fn sign(&self) -> Result<AuditCheckpoint, Refusal> {
        Ok(checkpoint(9))
    }

    fn export(&self, out: &mut dyn Write) -> Result<(), Refusal> {
        (0..EXPORTED).try_for_each(|_| out.write_all(b"x")).unwrap();
        Ok(())
    }

    fn proof(&self, order: [u8; 16], sequences: &[u64], out: &mut dyn Write) -> Result<(), Refusal> {
        write!(out, "{:032x} {}", u128::from_be_bytes(order), sequences.len()).unwrap();
        Ok(())
    }

    fn verify(&self) -> Result<AuditReport, Refusal> {
        Ok(AuditReport { records: 9, findings: vec![("record 4".to_owned(), "it was changed".to_owned())], ..AuditReport::default() })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_did_what_is_listed_from_the_log() {
    let desk = Desk::open().await;
    let client = &desk.client;
    let placed = desk.place(RESTING).await;
    let orders = client.get("/api/v1/audit?type=OrderCreated").await.expect(200);
    assert_eq!(orders.get("/data/0/events/0/type"), "OrderCreated");
    assert_eq!(orders.get("/data/0/events/0/order_id"), placed.get("/order_id"));
    assert_eq!(orders.get("/data/0/actor/source"), "REST");
    let user = orders.get("/data/0/actor/user_id");
    assert_eq!(
        client.get(&format!("/api/v1/audit?user_id={user}&type=OrderCreated")).await.expect(200).get("/data/0/sequence"),
        orders.get("/data/0/sequence")
    );
    let nobody = client.get("/api/v1/audit?user_id=00000000-0000-0000-0000-0000000000ff").await.expect(200);
    assert_eq!(nobody.get("/next"), "null");
    // Administration is in the same log, and pages go on where the last ended.
    let mut after = "0".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = client.get(&format!("/api/v1/audit?limit=2&after={after}")).await.expect(200);
        let page_json = page.json();
        let records = page_json["data"].as_array().unwrap().clone();
        seen.extend(records.iter().flat_map(|record| record["events"].as_array().unwrap().clone()));
        if page_json["next"].is_null() {
            break;
        }
        after = page.get("/next");
    }
    for (event, sequence) in seen.iter().zip(1_u64..) {
        assert_eq!(event["sequence"], sequence, "every event, once, in order");
    }
    for kind in ["TenantCreated", "ApiKeyCreated", "InstrumentListed", "OrderCreated"] {
        assert!(seen.iter().any(|event| event["type"] == kind), "{kind}");
    }
    client.get("/api/v1/audit?type=Nothing").await.refused(400, "VALIDATION_ERROR");
    client.get("/api/v1/audit?after=1&before=3").await.refused(400, "VALIDATION_ERROR");
    // The other way round it is the same, page by page.
    let (mut before, mut back) = ("0".to_owned(), Vec::new());
    while before != "null" {
        let page = client.get(&format!("/api/v1/audit?limit=2&before={before}")).await.expect(200);
        let records = page.json()["data"].as_array().unwrap().clone();
        back.extend(records.iter().flat_map(|record| record["events"].as_array().unwrap().iter().rev().cloned().collect::<Vec<_>>()));
        before = page.get("/next");
    }
    back.reverse();
    assert_eq!(back, seen);
    let of_order = client.get(&format!("/api/v1/audit?before=0&order_id={}", placed.get("/order_id"))).await.expect(200);
    let records = of_order.json()["data"].as_array().unwrap().clone();
    assert!(!records.is_empty() && records.iter().all(|one| one.to_string().contains(&placed.get("/order_id"))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checkpoints_exports_and_proofs_leave_the_house() {
    let desk = Desk::open().await;
    let client = &desk.client;
    let first = client.get("/api/v1/audit/checkpoints?limit=1").await.expect(200);
    assert_eq!((first.get("/key"), first.get("/data/0/size"), first.get("/next")), ("oms+00000000+AQ==".into(), "3".into(), "3".into()));
    assert_eq!(client.get("/api/v1/audit/checkpoints?after=3").await.expect(200).get("/data/0/sequence"), "18");
    let report = client.get("/api/v1/audit/verify").await.expect(200);
    assert_eq!((report.get("/intact"), report.get("/findings/0/place")), ("false".into(), "record 4".into()));
    assert_eq!(client.get("/api/v1/audit/export").await.expect(200).body.iter().filter(|byte| **byte == b'x').count(), EXPORTED);
    let placed = desk.place(RESTING).await;
    let id = placed.get("/order_id");
    let proof = client.get(&format!("/api/v1/audit/proof/{id}")).await.expect(200);
    let text = String::from_utf8_lossy(proof.body.as_ref()).into_owned();
    let (order, count) = text.split_once(' ').unwrap();
    assert_eq!(order, id.replace('-', ""));
    assert!(count.parse::<u32>().unwrap() > 2, "{text}");
    client.get("/api/v1/audit/proof/00000000-0000-0000-0000-0000000000ff").await.refused(404, "NOT_FOUND");
}
