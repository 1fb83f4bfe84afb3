//! What makes one venue differ from another.

use oms_model::{Mic, Price};

/// The parameters of a paper venue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VenueProfile {
    /// Its market identifier code.
    pub mic: Mic,
    /// Its name, for people.
    pub name: &'static str,
    /// Charge per share for adding liquidity; negative is a rebate.
    pub maker_fee: Price,
    /// Charge per share for removing liquidity; negative is a rebate.
    pub taker_fee: Price,
    /// Mean time from request to answer, nanoseconds; half of it each way.
    pub latency_ns: u64,
    /// The latency varies evenly by up to this much around the mean, nanoseconds.
    pub jitter_ns: u64,
    /// Of the displayed size at our price when we join, the share that is ahead of us, per mille.
    /// Below 1000 models venues where much of the queue cancels before it trades.
    pub queue_ahead_permille: u32,
    /// Requests refused at random, parts per million.
    pub reject_ppm: u32,
}

/// Price units (10^-9) in 10^-4 dollars.
const E4: i64 = 100_000;

const fn profile(mic: &[u8; 4], name: &'static str, fees_e4: (i64, i64), latency_us: (u64, u64), queue: u32) -> VenueProfile {
    VenueProfile {
        mic: Mic::of(mic),
        name,
        maker_fee: Price::from_raw(fees_e4.0 * E4),
        taker_fee: Price::from_raw(fees_e4.1 * E4),
        latency_ns: latency_us.0 * 1_000,
        jitter_ns: latency_us.1 * 1_000,
        queue_ahead_permille: queue,
        reject_ppm: 0,
    }
}

/// The built-in venues. Fees are (maker, taker) in 10^-4 dollars per share, of the size of the
/// untiered public schedules of 2013: maker-taker venues pay who adds, inverted venues (BATY, EDGA,
/// XBOS) pay who removes. Latencies are (mean, jitter) in microseconds of a customer outside the
/// data center.
pub const VENUES: [VenueProfile; 8] = [
    profile(b"XNYS", "New York Stock Exchange", (-15, 25), (900, 300), 1000),
    profile(b"XNAS", "Nasdaq", (-20, 30), (450, 120), 900),
    profile(b"ARCX", "NYSE Arca", (-21, 30), (600, 200), 900),
    profile(b"BATS", "BATS BZX", (-20, 29), (380, 90), 900),
    profile(b"BATY", "BATS BYX (inverted)", (3, -2), (390, 90), 800),
    profile(b"EDGX", "Direct Edge EDGX", (-21, 30), (480, 140), 900),
    profile(b"EDGA", "Direct Edge EDGA (inverted)", (5, -4), (490, 140), 800),
    profile(b"XBOS", "Nasdaq BX (inverted)", (18, -4), (520, 160), 800),
];

impl VenueProfile {
    /// The built-in profile of a venue.
    #[must_use]
    pub fn of(mic: Mic) -> Option<Self> {
        VENUES.into_iter().find(|profile| profile.mic == mic)
    }

    /// The same venue with one charge per share, for whoever adds and whoever removes; its own where there is none.
    #[must_use]
    pub fn charging(self, fee: Option<Price>) -> Self {
        fee.map_or(self.clone(), |fee| Self { maker_fee: fee, taker_fee: fee, ..self })
    }
}
