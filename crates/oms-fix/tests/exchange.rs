//! Paper venues over FIX: what their clients ask and are told, under every fault, and after a crash.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "desk/client.rs"]
mod client;
#[path = "quickfix/peer.rs"]
mod peer;
#[path = "exchange/stage.rs"]
mod stage;

use client::{Client, NOW, WITHIN};
use oms_fix::exchange::Line;
use oms_fix::session::Phase;
use oms_model::Side;
use oms_venues::paper::faults::{Faults, Link};
use peer::Peer;
use stage::{BATS, Kept, Venues, XNAS};

async fn open() -> (Venues, Client) {
    let venues = Venues::open(&Kept::new()).await;
    venues.show(XNAS, Side::Sell, "20.05", "40");
    venues.show(XNAS, Side::Buy, "19.95", "40");
    let client = venues.client(XNAS).await;
    (venues, client)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_filled_replaced_and_canceled() {
    let (venues, mut client) = open().await;
    // It takes what is shown and rests with the rest.
    client.order("A1", "100", &[(44, "20.05"), (1, "main")]).await;
    let new = client.report("0", "0").await;
    assert_eq!((new.get(11), new.get(37), new.get(14), new.get(151), new.get(1)), ("A1", "XNAS-1", "0", "100", "main"));
    let part = client.report("F", "1").await;
    assert_eq!((part.get(32), part.get(31), part.get(14), part.get(151), part.get(6)), ("40", "20.05", "40", "60", "20.05"));
    assert_eq!((part.get(851), part.get(12), part.get(13), part.get(30)), ("2", "0.003", "1", "XNAS"));
    client.replace("R1", "A1", "90", "20.04").await;
    let replaced = client.report("5", "1").await;
    assert_eq!(
        (replaced.get(11), replaced.get(41), replaced.get(38), replaced.get(44), replaced.get(151)),
        ("R1", "A1", "90", "20.04", "50")
    );
    // The market comes to it.
    venues.show(XNAS, Side::Sell, "20.03", "10");
    let more = client.report("F", "1").await;
    assert_eq!((more.get(11), more.get(32), more.get(14)), ("R1", "10", "50"));
    assert_ne!(more.get(17), part.get(17));
    client.cancel("C1", "R1").await;
    let canceled = client.report("4", "4").await;
    assert_eq!((canceled.get(11), canceled.get(41), canceled.get(14), canceled.get(151)), ("C1", "R1", "50", "0"));
    // Too late, unknown, and an id that was used before.
    for (id, orig, reason, status) in [("C2", "R1", "0", "4"), ("C3", "nobody", "1", "8"), ("C1", "R1", "6", "4")] {
        client.cancel(id, orig).await;
        let refused = client.next().await;
        assert_eq!((refused.get(35), refused.get(11), refused.get(41), refused.get(434)), ("9", id, orig, "1"));
        assert_eq!((refused.get(102), refused.get(39)), (reason, status), "{refused:?}");
    }
    client.replace("R9", "A1", "95", "20.00").await;
    let refused = client.next().await;
    assert_eq!((refused.get(35), refused.get(434), refused.get(102), refused.get(39)), ("9", "2", "0", "4"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_taken_is_refused_with_its_reason() {
    let (venues, mut client) = open().await;
    for (id, fields, reason) in [
        ("B1", vec![(55, "ABC")], "1"),
        ("B2", vec![(54, "8")], "99"),
        ("B3", vec![(40, "P"), (18, "M")], "11"),
        ("B4", vec![(18, "1")], "11"),
        ("B5", vec![(44, "0.00000000001")], "99"),
        ("B6", vec![(44, "-1")], "0"),
    ] {
        client.order(id, "100", &fields).await;
        let refused = client.report("8", "8").await;
        assert_eq!((refused.get(11), refused.get(103), refused.get(151)), (id, reason, "0"), "{refused:?}");
    }
    client.order("A1", "100", &[]).await;
    client.report("0", "0").await;
    client.order("A1", "100", &[]).await;
    assert_eq!(client.report("8", "8").await.get(103), "6");
    assert_eq!(venues.session(XNAS).figures.again.load(std::sync::atomic::Ordering::Relaxed), 1);
    // Not filled at once: the rest is canceled unasked, under the order's own id.
    client.order("I1", "100", &[(44, "20.05"), (59, "3")]).await;
    client.report("0", "0").await;
    client.report("F", "1").await;
    let rest = client.report("4", "4").await;
    assert_eq!((rest.get(11), rest.get(41), rest.get(58)), ("I1", "", "not filled at once"));
    // A message that is not served, and one that lacks a field.
    client.send("R", &[(131, "Q1"), (146, "1"), (55, "XYZ")]).await;
    let refused = client.next().await;
    assert_eq!((refused.get(35), refused.get(372), refused.get(380)), ("j", "R", "3"));
    let before = client.session.numbers().0;
    client.order("M1", "100", &[(55, "")]).await;
    // The session's own Reject has a number like any other.
    tokio::time::timeout(WITHIN, async {
        while client.session.numbers().0 == before {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("a Reject");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_are_asked_about() {
    let (_venues, mut client) = open().await;
    client.order("A1", "100", &[(44, "20.05")]).await;
    client.report("0", "0").await;
    client.report("F", "1").await;
    client.order("A2", "70", &[]).await;
    client.report("0", "0").await;
    client.send("H", &[(11, "A1"), (54, "1"), (55, "XYZ"), (790, "S1")]).await;
    let status = client.report("I", "1").await;
    assert_eq!((status.get(11), status.get(790), status.get(14), status.get(151), status.get(38)), ("A1", "S1", "40", "60", "100"));
    client.send("H", &[(11, "nobody"), (54, "1"), (55, "XYZ")]).await;
    let unknown = client.report("I", "8").await;
    assert_eq!((unknown.get(11), unknown.get(37), unknown.get(103)), ("nobody", "NONE", "5"));
    client.send("AF", &[(584, "M1"), (585, "7")]).await;
    let (one, two) = (client.report("I", "1").await, client.report("I", "0").await);
    assert_eq!((one.get(11), one.get(911), one.get(912), one.get(584)), ("A1", "2", "N", "M1"));
    assert_eq!((two.get(11), two.get(912)), ("A2", "Y"));
    client.send("AF", &[(584, "M2"), (585, "1"), (55, "ABC")]).await;
    let none = client.report("I", "8").await;
    assert_eq!((none.get(911), none.get(912)), ("0", "Y"));
    client.send("AF", &[(584, "M3"), (585, "3")]).await;
    assert_eq!(client.next().await.get(35), "j");
    // In case it had not come.
    client.send("D", &[(11, "A2"), (38, "70"), (40, "2"), (44, "20.00"), (54, "1"), (55, "XYZ"), (60, NOW)]).await;
    client.report("8", "8").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_are_lost_told_twice_and_refused() {
    let (venues, mut client) = open().await;
    venues.faults(XNAS, Faults { lost_ppm: 1_000_000, ..Faults::none() }).await;
    client.order("L1", "100", &[]).await;
    // Nothing comes of it by itself; the venue knows it all the same.
    client.send("H", &[(11, "L1"), (54, "1"), (55, "XYZ")]).await;
    assert_eq!(client.report("I", "0").await.get(37), "XNAS-1");
    venues.faults(XNAS, Faults { duplicate_ppm: 1_000_000, ..Faults::none() }).await;
    client.order("D1", "40", &[(44, "20.05")]).await;
    let mut told = Vec::new();
    for _ in 0..4 {
        let report = client.next().await;
        told.push((report.get(150).to_owned(), report.get(17).to_owned()));
        if report.get(150) == "F" {
            assert_eq!((report.get(14), report.get(151), report.get(39)), ("40", "0", "2"), "what is told twice counts once");
        }
    }
    told.sort();
    assert!(told[0] == told[1] && told[2] == told[3] && told[0].0 == "0" && told[2].0 == "F", "{told:?}");
    venues.faults(XNAS, Faults { reject_ppm: 1_000_000, ..Faults::none() }).await;
    client.order("J1", "100", &[]).await;
    assert_eq!(client.report("8", "8").await.get(58), "refused by the venue");
    client.cancel("JC", "L1").await;
    let refused = client.next().await;
    assert_eq!((refused.get(35), refused.get(102), refused.get(39)), ("9", "2", "A"), "its acceptance was never told");
    // A query that breaks off has no last report.
    venues.faults(XNAS, Faults { incomplete_ppm: 1_000_000, ..Faults::none() }).await;
    for id in ["Q1", "Q2"] {
        client.order(id, "100", &[]).await;
        client.report("0", "0").await;
    }
    client.send("AF", &[(584, "M1"), (585, "7")]).await;
    assert_eq!(client.report("I", "0").await.get(912), "N");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_is_cut_or_half_open_comes_back() {
    let (venues, mut client) = open().await;
    let mut other = venues.client(BATS).await;
    client.order("A1", "100", &[]).await;
    client.report("0", "0").await;
    venues.faults(XNAS, Faults::outage()).await;
    client.phase(Phase::Down).await;
    // Each venue has a line of its own.
    other.order("A1", "100", &[]).await;
    other.report("0", "0").await;
    venues.show(BATS, Side::Sell, "20.00", "100");
    other.report("F", "2").await;
    venues.faults(XNAS, Faults::none()).await;
    client.phase(Phase::Up).await;
    client.send("H", &[(11, "A1"), (54, "1"), (55, "XYZ")]).await;
    client.report("I", "0").await;

    venues.faults(XNAS, Faults { link: Link::HalfOpen, ..Faults::none() }).await;
    client.order("A2", "100", &[]).await;
    venues.faults(XNAS, Faults::none()).await;
    // It came into a dead line: the venue never saw it, and its number was asked for again or filled.
    client.send_when_up("H", &[(11, "A1"), (54, "1"), (55, "XYZ")]).await;
    loop {
        let told = client.next().await;
        if told.get(11) == "A1" && told.get(150) == "I" {
            break;
        }
        assert_eq!(told.get(11), "A2");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_venue_that_was_killed_tells_what_it_had_not() {
    let kept = Kept::new();
    let venues = Venues::open(&kept).await;
    venues.show(XNAS, Side::Sell, "20.05", "40");
    let mut client = venues.client(XNAS).await;
    client.order("A1", "100", &[]).await;
    client.report("0", "0").await;
    client.replace("R1", "A1", "90", "20.01").await;
    client.report("5", "0").await;
    // The answers to these are lost with the process; the last request does not get as far as the venue.
    venues.faults(XNAS, Faults { lost_ppm: 1_000_000, ..Faults::none() }).await;
    client.order("A2", "100", &[(44, "20.05")]).await;
    client.cancel("C1", "R1").await;
    client.send("H", &[(11, "A2"), (54, "1"), (55, "XYZ")]).await;
    client.report("I", "1").await;
    client.send("H", &[(11, "A1"), (54, "1"), (55, "XYZ")]).await;
    client.report("I", "4").await;
    venues.faults(XNAS, Faults { spike_ns: 3_600_000_000_000, ..Faults::none() }).await;
    client.order("A3", "100", &[]).await;
    client.cancel("C3", "A2").await;
    let session = venues.session(XNAS);
    tokio::time::timeout(WITHIN, async {
        while session.figures.received.load(std::sync::atomic::Ordering::Relaxed) < 8 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("all taken");
    let numbers = session.handle.numbers();
    venues.kill().await;

    let venues = Venues::open(&kept).await;
    let now = venues.session(XNAS).handle.numbers();
    assert!(numbers.0 <= now.0 && numbers.1 <= now.1, "numbers go on: {numbers:?} {now:?}");
    // A client that begins anew: it is told under new numbers what it was not told before, and asks for the rest.
    drop(client);
    let mut client = venues.client(XNAS).await;
    let mut told = Vec::new();
    while told.last().is_none_or(|(id, _)| id != "A3") {
        let report = client.next().await;
        if report.get(43) != "Y" || report.get(122).is_empty() || !report.get(17).is_empty() || report.get(35) == "9" {
            told.push((report.get(11).to_owned(), format!("{}{}/{}", report.get(35), report.get(150), report.get(39))));
        }
    }
    let found = |id: &str, what: &str| told.iter().filter(|(name, said)| name == id && said == what).count();
    assert_eq!(found("C1", "84/4"), 1, "{told:?}");
    assert_eq!(found("A2", "80/0"), 1, "{told:?}");
    assert_eq!(found("A2", "8F/1"), 1, "{told:?}");
    assert_eq!(found("A3", "88/8"), 1, "{told:?}");
    assert_eq!(found("C3", "9/1"), 1, "{told:?}");
    // Neither is handed to the venue late, and no order is there twice.
    client.send("AF", &[(584, "M1"), (585, "7")]).await;
    let only = client.report("I", "1").await;
    assert_eq!((only.get(11), only.get(911), only.get(912)), ("A2", "1", "Y"));
    // Ids that were used stay used.
    client.order("A3", "100", &[]).await;
    assert_eq!(client.report("8", "8").await.get(103), "6");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quickfix_is_a_client_like_any_other() {
    let venues = Venues::open(&Kept::new()).await;
    venues.show(XNAS, Side::Sell, "10.20", "40");
    let mut quickfix = Peer::start("initiator", venues.address().port(), "C1", "XNAS");
    quickfix.until("logon");
    let order = |id: &str, more: &str| format!("send D 11={id}|38=100|40=2|44=10.25|54=1|55=XYZ|60={NOW}{more}");
    quickfix.say(&order("A1", ""));
    quickfix.until("received 8 A1  0/0");
    quickfix.until("received 8 A1  F/1");
    quickfix.say(&format!("send G 11=R1|38=90|40=2|41=A1|44=10.19|54=1|55=XYZ|60={NOW}"));
    quickfix.until("received 8 R1  5/1");
    venues.show(XNAS, Side::Sell, "10.19", "50");
    quickfix.until("received 8 R1  F/2");
    quickfix.say(&format!("send F 11=C1|41=R1|54=1|55=XYZ|38=90|60={NOW}"));
    quickfix.until("received 9 C1  /2");
    quickfix.say(&order("A2", "|59=3"));
    quickfix.until("received 8 A2  4/4");
    quickfix.say("send H 11=A1|54=1|55=XYZ");
    quickfix.until("received 8 R1  I/2");
    // What happens while it is away, it asks for.
    quickfix.say(&order("A3", ""));
    quickfix.until("received 8 A3  0/0");
    venues.session(XNAS).set_line(Line::Down).await.unwrap();
    quickfix.until("logout");
    venues.show(XNAS, Side::Sell, "10.00", "100");
    let session = venues.session(XNAS);
    tokio::time::timeout(WITHIN, async {
        while session.figures.told.load(std::sync::atomic::Ordering::Relaxed) < 9 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the report is stored");
    session.set_line(Line::Up).await.unwrap();
    quickfix.until("received 8 A3 Y F/2");
    quickfix.quit();
}
