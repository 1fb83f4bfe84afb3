//! What was measured of a venue: how fast it acknowledges, how often it fills.
//!
//! Changed only by what the log says happened, so that replay gives the same statistics. Both measures
//! forget: old samples lose half their weight each time a window is full, so that a venue which
//! changed is seen to have changed.

use crate::FULL_PPM;
use oms_model::policy::LatencyStat;

/// Rows of the latency histogram: one for each doubling, from 1.024 us to 17 s.
pub const LATENCY_ROWS: usize = 24;
/// Columns of it: each doubling in four equal parts, so that a reading is at most 25 % above the truth.
pub const LATENCY_COLUMNS: usize = 4;

/// The first row holds everything below 2^11 ns.
const FIRST_OCTAVE: u32 = 10;
/// When the histogram holds this many samples, every count is halved.
const LATENCY_WINDOW: u32 = 512;
/// When this many submissions were counted, submissions and fills are halved.
const FILL_WINDOW: u32 = 4_096;
/// The mean moves by 1/8 of the difference to each sample, as TCP's round-trip time does (RFC 6298).
const EWMA_SHIFT: u32 = 3;
/// Longer latencies count as this, 18 minutes: the sum that carries the mean cannot overflow.
const MAX_LATENCY_NS: u64 = 1 << 40;

/// Fills over submissions of one aggressiveness, as far as they are remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FillCount {
    /// Orders handed over.
    pub submitted: u32,
    /// Of these, executed at least in part.
    pub filled: u32,
}

/// The plain numbers of [`VenueStats`], for a codec.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VenueStatsParts {
    /// Acknowledgements ever received.
    pub acknowledged: u64,
    /// Refusals ever received.
    pub rejected: u64,
    /// Eight times the mean latency, nanoseconds.
    pub latency_sum_ns: u64,
    /// Latency histogram.
    pub latency: [[u16; LATENCY_COLUMNS]; LATENCY_ROWS],
    /// Orders that could trade at once when they were planned.
    pub aggressive: FillCount,
    /// Orders that were sent to rest.
    pub passive: FillCount,
}

/// What was measured of one venue. Bounded: 256 bytes, whatever was seen.
///
/// Fills are counted per venue and aggressiveness. They are not yet kept apart by symbol or by size
/// relative to the displayed size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VenueStats {
    parts: VenueStatsParts,
    // Follows from the histogram; kept because a plan reads it far more often than it changes.
    p95_ns: u64,
    // Sum of the histogram's counts.
    window: u32,
}

const _: () = assert!(size_of::<VenueStats>() <= 256);

impl VenueStats {
    /// An order was handed over. `aggressive`: it could trade at once when it was planned.
    pub fn submitted(&mut self, aggressive: bool) {
        let count = self.count_mut(aggressive);
        count.submitted += 1;
        if count.submitted >= FILL_WINDOW {
            *count = FillCount { submitted: count.submitted / 2, filled: count.filled / 2 };
        }
    }

    /// The venue acknowledged an order `latency_ns` after it was handed over.
    pub fn acknowledged(&mut self, latency_ns: u64) {
        let sample = latency_ns.min(MAX_LATENCY_NS);
        let parts = &mut self.parts;
        parts.latency_sum_ns = if parts.acknowledged == 0 {
            sample << EWMA_SHIFT
        } else {
            parts.latency_sum_ns - (parts.latency_sum_ns >> EWMA_SHIFT) + sample
        };
        parts.acknowledged = parts.acknowledged.saturating_add(1);
        let (row, column) = bucket(sample);
        if let Some(slot) = parts.latency.get_mut(row).and_then(|row| row.get_mut(column)) {
            *slot = slot.saturating_add(1);
            self.window += 1;
        }
        if self.window >= LATENCY_WINDOW {
            self.parts.latency.as_flattened_mut().iter_mut().for_each(|slot| *slot /= 2);
        }
        self.read_histogram();
    }

    /// An order was executed for the first time. Call it once per submitted order, at its first fill.
    pub fn filled(&mut self, aggressive: bool) {
        let count = self.count_mut(aggressive);
        count.filled = (count.filled + 1).min(count.submitted);
    }

    /// The venue refused an order: it was submitted and will not fill, which the fill probability sees already.
    pub fn rejected(&mut self) {
        self.parts.rejected = self.parts.rejected.saturating_add(1);
    }

    /// The latency to score, nanoseconds: as measured, or the prior until something was.
    #[must_use]
    pub fn latency_ns(&self, stat: LatencyStat, prior_ns: u64) -> u64 {
        if self.parts.acknowledged == 0 {
            return prior_ns;
        }
        match stat {
            LatencyStat::Ewma => self.parts.latency_sum_ns >> EWMA_SHIFT,
            LatencyStat::P95 => self.p95_ns,
        }
    }

    /// Probability that an order is executed, in parts per million: fills over submissions, with the prior
    /// as so many submissions more (the mean of a Beta distribution), rounded down.
    #[must_use]
    pub fn fill_ppm(&self, aggressive: bool, prior_ppm: u32, prior_weight: u32) -> u32 {
        let count = if aggressive { self.parts.aggressive } else { self.parts.passive };
        let prior_ppm = prior_ppm.min(FULL_PPM);
        let seen = u64::from(count.submitted) + u64::from(prior_weight);
        let fills = u64::from(count.filled) * u64::from(FULL_PPM) + u64::from(prior_ppm) * u64::from(prior_weight);
        fills.checked_div(seen).map_or(prior_ppm, |ppm| u32::try_from(ppm).unwrap_or(FULL_PPM).min(FULL_PPM))
    }

    /// The plain numbers.
    #[must_use]
    pub fn to_parts(&self) -> VenueStatsParts {
        self.parts.clone()
    }

    /// From plain numbers. What cannot have been measured is brought into bounds.
    #[must_use]
    pub fn from_parts(parts: VenueStatsParts) -> Self {
        let mut stats = Self { parts, p95_ns: 0, window: 0 };
        let parts = &mut stats.parts;
        parts.latency_sum_ns = parts.latency_sum_ns.min(MAX_LATENCY_NS << EWMA_SHIFT);
        for count in [&mut parts.aggressive, &mut parts.passive] {
            count.submitted = count.submitted.min(FILL_WINDOW - 1);
            count.filled = count.filled.min(count.submitted);
        }
        stats.read_histogram();
        stats
    }

    fn count_mut(&mut self, aggressive: bool) -> &mut FillCount {
        if aggressive { &mut self.parts.aggressive } else { &mut self.parts.passive }
    }

    fn read_histogram(&mut self) {
        let slots = self.parts.latency.as_flattened();
        self.window = slots.iter().map(|slot| u32::from(*slot)).sum();
        let wanted = (u64::from(self.window) * 95).div_ceil(100);
        let mut seen = 0;
        self.p95_ns = 0;
        for (at, slot) in slots.iter().enumerate() {
            seen += u64::from(*slot);
            if wanted > 0 && seen >= wanted {
                self.p95_ns = upper_edge(at / LATENCY_COLUMNS, at % LATENCY_COLUMNS);
                return;
            }
        }
    }
}

/// Row and column of a latency.
fn bucket(latency_ns: u64) -> (usize, usize) {
    let latency = latency_ns.max(1 << FIRST_OCTAVE);
    let octave = latency.ilog2();
    let row = (octave - FIRST_OCTAVE) as usize;
    if row >= LATENCY_ROWS {
        return (LATENCY_ROWS - 1, LATENCY_COLUMNS - 1);
    }
    (row, (latency >> (octave - 2) & 3) as usize)
}

/// The first latency above a bucket, nanoseconds.
fn upper_edge(row: usize, column: usize) -> u64 {
    let quarter = 1_u64 << (FIRST_OCTAVE as usize + row - 2);
    quarter * (5 + column as u64)
}

#[cfg(test)]
mod tests;
