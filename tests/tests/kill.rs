//! `kill -9` at random moments of a desk under load, on one history that grows from crash to crash.
//!
//! `OMS_KILLS` sets how many kills (12 by default; 200 for a campaign), `OMS_SEED` where chance begins.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use oms_e2e::audit::{self, Audit, Witness};
use oms_e2e::load::{Load, Seen};
use oms_e2e::prng::Prng;
use oms_e2e::server::{Home, Launch, Process, Server};
use oms_e2e::setting;
use std::time::{Duration, Instant};

/// Clients at once.
const CLIENTS: usize = 6;
/// Answers of earlier lives that are asked for again after each crash.
const SAMPLE: usize = 40;
/// After so many crashes the log is verified, its hash compared, and the desk stopped in good order once.
const THOROUGH: u64 = 6;

/// How one life of the desk ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Killed while it starts.
    Starting,
    /// Killed under load.
    UnderLoad,
    /// Killed while it recovers doubts, at once after it is ready, under load of what was not answered.
    JustReady,
}

struct Campaign {
    home: Home,
    prng: Prng,
    audit: Audit,
    unanswered: Vec<oms_e2e::load::Ask>,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    kills: u64,
    starting: u64,
    unanswered: usize,
    stops: u64,
    turned_away: usize,
    slowest_start: Duration,
}

impl Campaign {
    fn launch(&mut self) -> Launch {
        // Small segments, so that a campaign sees many of them begin.
        let speed = *self.prng.pick(&["1x", "20x", "100x"]);
        Launch::default().speed(speed).seed(self.prng.bits() >> 32).with("OMS_JOURNAL_SEGMENT_MIB", "1").with("OMS_LOG_FILTER", "warn")
    }

    fn start(&mut self) -> Server {
        let launch = self.launch();
        let began = Instant::now();
        let server = Server::start(self.home.path(), &launch);
        self.counts.slowest_start = self.counts.slowest_start.max(began.elapsed());
        server
    }

    /// One life after a crash: what must hold is checked, then it is killed again.
    fn life(&mut self, number: u64) {
        let end = match self.prng.below(10) {
            0 => End::Starting,
            1 => End::JustReady,
            _ => End::UnderLoad,
        };
        if end == End::Starting {
            return self.kill_while_starting();
        }
        let server = self.start();
        let mut client = server.client();
        self.audit.read_log(&server);
        self.counts.unanswered += self.unanswered.len();
        if end == End::JustReady {
            // What was not answered stays so for another life.
            server.kill();
            self.counts.kills += 1;
            return;
        }
        let unanswered = std::mem::take(&mut self.unanswered);
        self.audit.ask_again(&mut client, unanswered);
        self.audit.read_log(&server);
        self.audit.check_acks(&mut client, SAMPLE, &mut self.prng);
        self.audit.balance(&server, self.home.path());

        let witness = Witness::follow(&server);
        let load = Load::start(&server, CLIENTS, &format!("life{number}"), self.prng.bits());
        load.until(1 + self.prng.below(300));
        self.spin();
        server.kill();
        self.counts.kills += 1;
        self.take(load.join());
        self.audit.witness(witness.saw());
    }

    fn kill_while_starting(&mut self) {
        let launch = self.launch();
        let mut process = Process::start(self.home.path(), &launch);
        // A moment of the start, drawn by lot; it may be over by then.
        let moment = Duration::from_micros(self.prng.bits() % 300_000);
        let _greeted = process.greeted(moment);
        process.kill();
        self.counts.kills += 1;
        self.counts.starting += 1;
    }

    /// Up to some hundred microseconds, so that kills do not keep step with answers.
    fn spin(&mut self) {
        let until = Instant::now() + Duration::from_micros(self.prng.bits() % 800);
        while Instant::now() < until {
            std::hint::spin_loop();
        }
    }

    fn take(&mut self, seen: Vec<Seen>) {
        for seen in seen {
            self.audit.acks.extend(seen.acks);
            self.unanswered.extend(seen.unanswered);
            self.counts.turned_away += seen.turned_away;
        }
    }

    /// The log of the dead desk is whole, and its state survives the next start; then a stop in good order, whose
    /// state in memory must be that of the whole log.
    fn look_closely(&mut self) {
        let dir = self.home.path().to_owned();
        let _report = audit::verify(&dir);
        let (seq, before) = audit::hash(&dir, None);
        let server = self.start();
        self.audit.read_log(&server);
        assert_eq!(audit::hash(&dir, Some(seq)), (seq, before), "what was is not changed by what comes");
        let unanswered = std::mem::take(&mut self.unanswered);
        self.audit.ask_again(&mut server.client(), unanswered);
        server.stop();
        self.counts.stops += 1;
        audit::replay_agrees(&dir);
    }
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_done_twice() {
    let kills = setting("OMS_KILLS", 12);
    let seed = setting("OMS_SEED", 20_131_008);
    let mut campaign = Campaign {
        home: Home::new("kill"),
        prng: Prng::new(seed),
        audit: Audit::default(),
        unanswered: Vec::new(),
        counts: Counts::default(),
    };
    let began = Instant::now();
    let mut number = 0;
    while campaign.counts.kills < kills {
        number += 1;
        campaign.life(number);
        if number % THOROUGH == 0 {
            campaign.look_closely();
        }
        if number % 10 == 0 {
            eprintln!(
                "{} of {kills} kills, {} answers, {} events, {:.0?}",
                campaign.counts.kills,
                campaign.audit.acks.len(),
                campaign.audit.after,
                began.elapsed()
            );
        }
    }

    let server = campaign.start();
    let mut client = server.client();
    let unanswered = std::mem::take(&mut campaign.unanswered);
    campaign.audit.ask_again(&mut client, unanswered);
    campaign.audit.read_log(&server);
    campaign.audit.check_all_acks(&mut client);
    campaign.audit.quiesce(&server);
    campaign.audit.balance(&server, campaign.home.path());
    server.stop();
    let report = audit::verify(campaign.home.path());
    audit::replay_agrees(campaign.home.path());
    let Campaign { audit, counts, .. } = &campaign;
    println!(
        "seed {seed}: {} kills ({} while starting) and {} stops in {:.1?}; {} answers kept, {} requests without an answer asked again, \
         {} turned away; {} orders, {} events, {} segments; kinds {:?}; anomalies {:?}; slowest start {:.0?}",
        counts.kills,
        counts.starting,
        counts.stops,
        began.elapsed(),
        audit.acks.len(),
        counts.unanswered,
        counts.turned_away,
        audit.orders(),
        audit.after,
        report["segments"],
        audit.kinds,
        audit.anomalies,
        counts.slowest_start,
    );
    assert!(audit.kinds.get("ExecutionRecorded").is_some_and(|fills| *fills > 0), "the load was filled");
}
