//! The power fails at every write of a scripted day of a client: of the desk's log and of the sessions' log, torn writes
//! included. No order is lost and none is there twice, no number is used twice, and every report comes once, to the
//! client and to the drop copy.
//!
//! `OMS_SEED` sets which sectors a torn write leaves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "desk/client.rs"]
mod client;
#[path = "crash/stage.rs"]
mod stage;

use std::collections::{BTreeMap, BTreeSet};

use client::{Client, Message, NOW};
use stage::{Disk, Stage};

/// The day so far: what the client and the drop copy were told.
struct Day {
    stage: Stage,
    client: Client,
    copy: Client,
    told: Vec<Message>,
    copied: Vec<Message>,
}

impl Day {
    async fn begin(seed: u64) -> Self {
        let stage = Stage::open(seed).await;
        let client = Client::connect("C1", "OMS", &stage.address()).await;
        let copy = Client::connect("COPY", "OMS", &stage.address()).await;
        Self { stage, client, copy, told: Vec::new(), copied: Vec::new() }
    }

    /// Goes on, over crashes, until the client was told so.
    async fn until(&mut self, what: &str, found: impl Fn(&[Message]) -> bool) {
        let until = tokio::time::Instant::now() + client::WITHIN;
        while !found(&self.told) {
            assert!(tokio::time::Instant::now() < until, "{what}: {:?}", self.told.iter().map(short).collect::<Vec<_>>());
            self.hear().await;
        }
    }

    async fn hear(&mut self) {
        self.stage.look().await;
        self.told.extend(self.client.soon().await);
        self.copied.extend(self.copy.soon().await);
    }

    /// Gives a message to the client's session; whether the desk is there at that moment or not.
    async fn send(&mut self, msg_type: &str, fields: &[(i32, &str)]) {
        let until = tokio::time::Instant::now() + client::WITHIN;
        while !self.client.try_send(msg_type, fields).await {
            assert!(tokio::time::Instant::now() < until, "the desk does not come back");
            self.hear().await;
        }
    }

    /// Asks until it is answered. What a desk in its last moment refuses as not available it has not taken: it is asked again.
    async fn ask(&mut self, msg_type: &str, fields: &[(i32, &str)], kinds: &[&str]) {
        let refusals = |told: &[Message]| told.iter().filter(|one| one.get(35) == "j" && one.get(380) == "4").count();
        let id = fields[0].1;
        loop {
            let before = refusals(&self.told);
            self.send(msg_type, fields).await;
            self.until(id, |told| any(told, id, kinds) || before < refusals(told)).await;
            if any(&self.told, id, kinds) {
                return;
            }
        }
    }

    async fn order(&mut self, id: &str, qty: &str, price: &str, kinds: &[&str]) {
        self.ask("D", &[(11, id), (38, qty), (40, "2"), (44, price), (54, "1"), (55, "XYZ"), (60, NOW)], kinds).await;
    }

    async fn play(&mut self) {
        self.stage.offer("20.05", "40");
        for (id, qty, price) in [("A1", "100", "19.90"), ("A2", "100", "20.05"), ("A3", "50", "19.80")] {
            self.order(id, qty, price, &["0", "8"]).await;
        }
        let replace = [(11, "R1"), (38, "80"), (40, "2"), (41, "A1"), (44, "19.91"), (54, "1"), (55, "XYZ"), (60, NOW)];
        self.ask("G", &replace, &["5", "9"]).await;
        self.ask("F", &[(11, "K3"), (38, "50"), (41, "A3"), (54, "1"), (55, "XYZ"), (60, NOW)], &["4", "9"]).await;
        self.stage.offer("20.04", "70");
        self.order("A4", "10", "20.04", &["F", "8", "4"]).await;
        self.until("the other is filled", |told| told.iter().any(|one| one.get(11) == "A2" && matches!(one.get(39), "2" | "8" | "4")))
            .await;
    }

    /// What holds at the end of the day, whatever happened in it.
    async fn audit(&mut self, crash: &str) {
        let orders = self.stage.orders().await;
        let names: Vec<&str> = orders.iter().map(|order| order.name.as_str()).collect();
        assert_eq!(names, ["A1", "A2", "A3", "A4"], "{crash}: none lost, none twice");
        assert_eq!(self.stage.sent_twice(), 0, "{crash}: the venue was sent something twice");
        // Every execution is told, once, to both.
        let executed: BTreeMap<String, String> = orders.iter().map(|order| (order.name.clone(), order.cum.clone())).collect();
        let until = tokio::time::Instant::now() + client::WITHIN;
        while sums(&self.told) != executed || sums(&self.copied) != executed {
            assert!(tokio::time::Instant::now() < until, "{crash}: {executed:?} {:?} {:?}", sums(&self.told), sums(&self.copied));
            self.hear().await;
        }
        for told in [&self.told, &self.copied] {
            let mut seen = BTreeSet::new();
            for one in told.iter().filter(|one| one.get(35) == "8") {
                assert!(seen.insert(one.get(17).to_owned()), "{crash}: told twice: {}", short(one));
            }
            for id in ["A1", "A2", "A3", "A4"] {
                // One that was taken may be refused later: each is told once.
                let count = |kind| told.iter().filter(|one| one.get(11) == id && one.get(150) == kind).count();
                let (new, refused) = (count("0"), count("8"));
                assert!(new <= 1 && refused <= 1 && 0 < new + refused, "{crash}: {id}: {new} {refused}");
            }
        }
        self.stage.numbers_are_used_once(crash);
    }
}

fn short(one: &Message) -> String {
    format!("{} {} {} {}/{}", one.get(34), one.get(35), one.get(11), one.get(150), one.get(39))
}

/// Whether a report under this id has one of these types of execution; `9` is an OrderCancelReject.
fn any(told: &[Message], id: &str, kinds: &[&str]) -> bool {
    told.iter().any(|one| one.get(11) == id && (kinds.contains(&one.get(150)) || one.get(35) == "9" && kinds.contains(&"9")))
}

/// What was executed of each order, by what was told.
fn sums(told: &[Message]) -> BTreeMap<String, String> {
    let mut orders: BTreeMap<String, (String, u64)> = BTreeMap::new();
    for one in told.iter().filter(|one| one.get(35) == "8" && one.get(37) != "NONE") {
        let order = orders.entry(one.get(37).to_owned()).or_default();
        if order.0.is_empty() {
            one.get(11).clone_into(&mut order.0);
        }
        if one.get(150) == "F" {
            order.1 += one.get(32).parse::<u64>().unwrap();
        }
    }
    orders.into_values().map(|(name, sum)| (name, sum.to_string())).collect()
}

/// One day in which the power fails at an operation of a disk, counted from the start of the day. False: it had none so late.
async fn day(seed: u64, crash: Option<(Disk, u64)>) -> (u64, u64) {
    let mut day = Day::begin(seed).await;
    let before = day.stage.operations();
    if let Some((disk, at)) = crash {
        day.stage.fail_at(disk, at);
    }
    day.play().await;
    let after = day.stage.operations();
    let name = crash.map_or("no crash".to_owned(), |(disk, at)| format!("{disk:?} {at}"));
    day.audit(&name).await;
    day.stage.look().await;
    if crash.is_some_and(|(disk, at)| at + 2 < if disk == Disk::Desk { after.0 - before.0 } else { after.1 - before.1 }) {
        assert!(day.stage.crashes > 0, "{name}: nothing failed");
    }
    day.stage.end().await;
    (after.0 - before.0, after.1 - before.1)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_power_fails_at_every_write() {
    let seed: u64 = std::env::var("OMS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let (desk, fix) = day(seed, None).await;
    assert!(8 < desk && 12 < fix, "{desk} {fix}");
    let crashes = (0..desk).map(|at| (Disk::Desk, at)).chain((0..fix).map(|at| (Disk::Fix, at)));
    for (at, crash) in crashes.enumerate() {
        day(seed ^ (at as u64 + 1), Some(crash)).await;
    }
    println!("a crash in each of {desk} writes of the desk's log and {fix} of the sessions'");
}
