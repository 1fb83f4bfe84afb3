//! A client that trades while its desk is killed, again and again.

use super::{FixClient, Told};
use crate::http::Client;
use crate::load::side_of;
use crate::prng::Prng;
use crate::server::Server;
use crate::until;
use oms_fix::session::Phase;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// The best offer, in cents.
#[must_use]
pub fn offer(client: &mut Client, symbol: &str) -> i64 {
    until("a quote", || {
        let market = client.read(&format!("/marketdata/last/{symbol}"));
        side_of(&market, "ask").ok_or_else(|| market.to_string())
    })
}

/// Cents as a price.
#[must_use]
pub fn price(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// What is done in each life of a desk.
#[derive(Clone, Debug)]
pub struct Lives {
    /// How often the desk is killed.
    pub kills: u64,
    /// Orders in each life.
    pub orders: Range<usize>,
    /// How far their prices are from the offer, in cents to both sides.
    pub spread: usize,
    /// One order of so many is canceled at once.
    pub cancels: usize,
}

impl Lives {
    /// Sends orders, kills the desk (`kill -9`) while it is telling of them, and starts it by `again`, as often as is asked.
    /// Answers the desk that lives in the end, and the orders that were sent.
    ///
    /// # Panics
    /// Where a desk does not come back.
    pub fn run(
        &self,
        mut server: Server,
        client: &mut FixClient,
        prng: &mut Prng,
        mut again: impl FnMut(u64) -> Server,
    ) -> (Server, Vec<String>) {
        let ask = offer(&mut server.client(), "BAC");
        let mut number = 0_u64;
        for life in 0..self.kills {
            client.until_phase(Phase::Up);
            for _ in 0..self.orders.start + prng.below(self.orders.len()) {
                number += 1;
                let away = i64::try_from(prng.below(2 * self.spread)).unwrap() - i64::try_from(self.spread).unwrap();
                let (id, limit) = (format!("k{number}"), price(ask + away));
                let qty = (100 * (1 + prng.below(9))).to_string();
                // What is sent into a line that breaks is sent again by the session; what was not sent at all is left out.
                client.order(&id, &[(55, "BAC"), (44, &limit), (38, &qty)]);
                if prng.below(self.cancels) == 0 {
                    client.cancel(&format!("c{number}"), &id, "BAC");
                }
            }
            let told = client.all().len();
            client.until_all("some of it is told", |all| (told / 2 < all.len()).then_some(()));
            server.kill();
            server = again(life);
        }
        client.until_phase(Phase::Up);
        let sent = client.sent.keys().filter(|id| id.starts_with('k')).cloned().collect();
        (server, sent)
    }
}

/// Waits until every one of these orders is answered, and has whatever works of the session taken back.
///
/// # Panics
/// Where that does not come.
pub fn take_back(client: &mut FixClient, sent: &[String]) {
    client.until_all("every order is answered", |all| {
        let answered: BTreeSet<&str> = all.iter().filter(|told| told.is("0") || told.is("8")).map(|told| told.get(11)).collect();
        sent.iter().all(|id| answered.contains(id.as_str())).then_some(())
    });
    assert!(client.send("q", &[(11, "all"), (530, "7"), (60, "20261127-10:00:00")]));
    client.until("an answer to the mass cancel", |told| told.get(35) == "r");
    client.until_all("nothing works any more", nothing_works);
}

fn nothing_works(all: &[Told]) -> Option<()> {
    let mut last: BTreeMap<&str, &str> = BTreeMap::new();
    all.iter().filter(|told| told.get(35) == "8" && told.get(37) != "NONE").for_each(|told| {
        last.insert(told.get(37), told.get(39));
    });
    last.values().all(|status| matches!(*status, "2" | "4" | "8" | "C")).then_some(())
}
