//! The suite of the venue port, over both dialects.

use oms_model::report::Report;
use oms_model::{InstrumentId, Price, Qty, Side, Symbol, Time};
use oms_runtime::port::VenuePort;
use oms_venues::conformance::{Rig, every_fault_at_once};
use oms_venues::paper::faults::{Faults, Link};
use oms_venues::paper::prng::Prng;
use oms_venues::replay::Shown;

use super::super::config::{Config, Offer, Timing};
use super::play::{EXCHANGE, MS, Play, Pushes, SYMBOL, config};

struct IbRig {
    play: Play,
    link: Link,
    chance: Prng,
}

fn rig(offer: Offer, seed: u64) -> IbRig {
    let timing = Timing { second_look: 20 * MS, first_pause: 4 * MS, refused_pause: 4 * MS, per_second: 100_000, ..Timing::default() };
    let mut play = Play::with(Config { timing, seed, ..config(offer) }, seed);
    play.up();
    IbRig { play, link: Link::Up, chance: Prng::new(seed ^ 0xbeef) }
}

impl Rig for IbRig {
    fn port(&mut self) -> &mut dyn VenuePort {
        &mut self.play
    }

    fn instrument(&self) -> (InstrumentId, Symbol) {
        (InstrumentId(0), Symbol::new(SYMBOL).unwrap())
    }

    fn now(&self) -> Time {
        self.play.now
    }

    fn quote(&mut self, side: Side, shown: Option<(Price, Qty)>) {
        self.play.show(side, shown);
    }

    fn trade(&mut self, price: Price, qty: Qty) {
        self.play.gateway.print(EXCHANGE.1, InstrumentId(0), Shown { price, size: qty });
        self.play.run(0);
    }

    fn settle(&mut self) -> Vec<Report> {
        self.play.run(300 * MS);
        std::mem::take(&mut self.play.reports)
    }

    fn set_faults(&mut self, faults: Faults) {
        let venue = Faults { reject_ppm: faults.reject_ppm, spike_ns: faults.spike_ns, ..Faults::none() };
        self.play.gateway.set_venue_faults(EXCHANGE.1, venue);
        self.play.order_sim(if 0 < faults.incomplete_ppm { "end missing" } else { "end prompt" });
        self.play.pushes = Pushes {
            lost_ppm: faults.lost_ppm,
            late_ppm: faults.late_ppm,
            late_ns: i64::try_from(faults.late_ns).unwrap(),
            duplicate_ppm: faults.duplicate_ppm,
            reorder_ppm: faults.reorder_ppm,
        };
        if self.link == faults.link {
            return;
        }
        self.link = faults.link;
        self.play.deaf_after = None;
        self.play.refuses = faults.link == Link::Down;
        self.play.cut();
        match faults.link {
            Link::Down => (),
            Link::Up => drop(self.play.up()),
            Link::HalfOpen => {
                self.play.up();
                self.play.deaf_after = Some(self.chance.below(8));
            }
        }
    }

    fn restart(&mut self) {
        if self.link == Link::HalfOpen {
            (self.link, self.play.deaf_after) = (Link::Up, None);
        }
        self.play.kill();
        self.play.start();
        if self.link == Link::Up {
            self.play.up();
        }
    }
}

oms_venues::venue_port_suite!(protobuf, rig(Offer::Proto, 1));
oms_venues::venue_port_suite!(text, rig(Offer::Text, 1));

#[test]
fn the_storm_finds_nothing_on_several_seeds() {
    for seed in 2..12 {
        for offer in [Offer::Proto, Offer::Text] {
            if let Err(violation) = every_fault_at_once(&mut rig(offer, seed)) {
                panic!("seed {seed}, {offer:?}: {violation}");
            }
        }
    }
}
