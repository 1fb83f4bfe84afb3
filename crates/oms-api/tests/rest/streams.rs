//! Server-sent events.

use crate::desk::{Desk, RESTING, TRADING};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_event_stream_resumes_at_any_sequence_without_a_gap() {
    let desk = Desk::open().await;
    desk.place_filled(TRADING).await;
    let last = desk.handle.durable().0;
    let all = desk.client.stream("/api/v1/events/stream?from=1", &[]).await.take(usize::try_from(last).unwrap()).await;
    let ids: Vec<u64> = all.iter().map(|sent| sent.id.unwrap()).collect();
    assert_eq!(ids, (1..=last).collect::<Vec<u64>>());
    assert!(all.iter().all(|sent| sent.data["sequence"] == sent.id.unwrap() && sent.data["type"] == sent.event.as_str()));
    let text = format!("{all:?}");
    assert!(!text.contains("sha256"), "no hash of a key leaves");
    for resume in [0, 1, last / 2, last - 1] {
        let id = resume.to_string();
        let mut stream = desk.client.stream("/api/v1/events/stream?from=1", &[("last-event-id", &id)]).await;
        let rest = stream.take(usize::try_from(last - resume).unwrap()).await;
        assert_eq!(rest, all[usize::try_from(resume).unwrap()..], "resumed after {resume}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_event_stream_goes_on_live_and_shows_only_what_is_wanted() {
    let desk = Desk::open().await;
    let mut fills = desk.client.stream("/api/v1/events/stream?types=ExecutionRecorded,OrderAnomaly", &[]).await;
    let mut everything = desk.client.stream("/api/v1/events/stream", &[]).await;
    desk.place(RESTING).await;
    let first = everything.next().await.unwrap();
    assert_eq!((first.event.as_str(), first.data["data"]["symbol"].as_str()), ("OrderCreated", Some("AAPL")));
    desk.place_filled(TRADING).await;
    assert_eq!(fills.next().await.unwrap().event, "ExecutionRecorded");
    for bad in ["types=Nonsense", "from=x", "from=999999", "until=3"] {
        desk.client.get(&format!("/api/v1/events/stream?{bad}")).await.refused(400, "VALIDATION_ERROR");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn market_data_begins_with_what_is_and_follows_every_change() {
    let desk = Desk::open().await;
    let mut stream = desk.client.stream("/api/v1/marketdata/stream?symbols=AAPL", &[]).await;
    let first = stream.next().await.unwrap();
    assert_eq!((first.event.as_str(), first.data["ask"].as_str()), ("quote", Some("20.1")));
    let mut version = first.data["version"].as_u64().unwrap();
    for cents in 11..20 {
        let ask = format!("20.{cents}");
        desk.quote("20.00", &ask);
        // Both venues change; conflation may show the state between.
        loop {
            let next = stream.next().await.unwrap();
            assert!(next.data["version"].as_u64().unwrap() > version, "never an older price");
            version = next.data["version"].as_u64().unwrap();
            if next.data["ask"].as_str() == Some(ask.trim_end_matches('0')) {
                break;
            }
        }
    }
    desk.client.get("/api/v1/marketdata/stream?symbols=NONE").await.refused(422, "UNKNOWN_SYMBOL");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_are_bounded_and_end_with_the_server() {
    let mut desk = Desk::open_with(oms_api::Config { max_streams: 2, ..oms_api::Config::default() }).await;
    let mut events = desk.client.stream("/api/v1/events/stream", &[]).await;
    let mut market = desk.client.stream("/api/v1/marketdata/stream", &[]).await;
    market.next().await.unwrap();
    desk.client.get("/api/v1/events/stream").await.refused(503, "OVERLOADED");
    desk.close().await;
    assert_eq!(events.next().await, None);
    assert_eq!(market.next().await, None);
}
