//! How an algorithm releases an order in slices: its parameters, and the rules they keep.

use crate::amount::{Price, Qty};
use crate::ids::Time;
use crate::refusal::{Code, Refusal};
use crate::terms::terms;

/// The most slices that one order is released in; what is left then is the leftover.
pub const MAX_SLICES: u32 = 1_000;
/// The most parts of a volume curve.
pub const MAX_CURVE: usize = 512;
/// The shortest interval between two slices or prices, nanoseconds.
pub const MIN_INTERVAL_NS: i64 = 10_000_000;
/// The longest life of an algorithm, nanoseconds: 31 days.
pub const MAX_LIFE_NS: i64 = 31 * 86_400_000_000_000;
/// One, in parts per million.
pub const FULL_PPM: u32 = 1_000_000;

terms! {
    /// FIX 847 TargetStrategy: which algorithm releases the order.
    Algo {
        /// Equal parts at equal distances in time.
        Twap = 1 "TWAP",
        /// In proportion to a volume curve, given or live.
        Vwap = 2 "VWAP",
        /// In proportion to what the market trades.
        Pov = 3 "POV",
        /// Early rather than late, the more so the more urgent: implementation shortfall.
        Arrival = 4 "ARRIVAL",
        /// A displayed part at a time.
        Iceberg = 5 "ICEBERG",
        /// A fixed quantity each interval.
        TimeSliced = 6 "TIME_SLICED",
        /// At a price that follows the market.
        Peg = 7 "PEG",
    }
    /// What happens at the end to what was not executed.
    Leftover {
        /// It is canceled.
        Cancel = 1 "CANCEL",
        /// It is crossed with the other side of the market at once, within the limit; what that does not get is canceled.
        Cross = 2 "CROSS",
        /// It stays in the market on the order's own terms.
        Leave = 3 "LEAVE",
    }
    /// FIX 1094 PegPriceType.
    PegPrice {
        /// The middle of the best bid and offer.
        Mid = 2 "MID",
        /// The best price of the other side.
        Market = 4 "MARKET",
        /// The best price of the order's own side.
        Primary = 5 "PRIMARY",
    }
}

impl Default for Algo {
    fn default() -> Self {
        Self::Twap
    }
}
impl Default for Leftover {
    fn default() -> Self {
        Self::Cancel
    }
}
impl Default for PegPrice {
    fn default() -> Self {
        Self::Primary
    }
}

/// A price that follows the market (FIX PegInstructions).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Peg {
    /// Which price is followed.
    pub reference: PegPrice,
    /// FIX 211: added for a buyer, subtracted for a seller, so that above zero is more aggressive for both.
    pub offset: Price,
    /// The worst price that the peg may go to.
    pub cap: Option<Price>,
}

/// One of equal parts of the time from start to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CurvePart {
    /// How much of the volume it has, as a part of the sum of all weights.
    pub weight: u32,
}

/// The parameters of an algorithm (FIX StrategyParametersGrp). Zero or empty: not given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlgoParams {
    /// Which.
    pub algo: Algo,
    /// When the first slice may be released; the time of the order where none is given.
    pub start: Time,
    /// When what is left becomes the leftover; the order's own end where none is given.
    pub end: Time,
    /// TWAP: how many slices.
    pub slices: u32,
    /// Time between two slices, or two prices of a peg; nanoseconds.
    pub interval_ns: i64,
    /// How far a slice may be late within its interval, or a displayed part vary in size; parts per million.
    pub variance_ppm: u32,
    /// What is with slices or executed is at most this part of what the market traded since the start.
    pub max_participation_ppm: u32,
    /// POV: below this part of the market's volume the order crosses the spread.
    pub min_participation_ppm: u32,
    /// ARRIVAL: 0 is as even as TWAP, 1,000,000 has half of it done in the first sixth of the time.
    pub urgency_ppm: u32,
    /// TIME_SLICED: the quantity of a slice. ICEBERG: the quantity displayed.
    pub slice_qty: Qty,
    /// VWAP: weights of equal parts of the time from start to end.
    pub curve: Vec<CurvePart>,
    /// VWAP: the volume expected from start to end; where it is given, the live volume over it is the curve.
    pub expected_volume: Qty,
    /// PEG: the price.
    pub peg: Option<Peg>,
    /// What happens at the end.
    pub leftover: Leftover,
    /// From which all randomness comes. The same seed gives the same slices.
    pub seed: u64,
}

fn refuse(text: impl Into<String>) -> Result<(), Refusal> {
    Err(Refusal::new(Code::ValidationError, text))
}

impl AlgoParams {
    /// Whether the parameters are those that the algorithm takes, and within their bounds, for an order of `order_qty`.
    /// `start` and `end` have been filled in.
    ///
    /// # Errors
    /// The first rule that is broken, in words that name the parameter.
    pub fn validate(&self, order_qty: Qty) -> Result<(), Refusal> {
        self.only_its_own()?;
        let life = self.end.since(self.start);
        if life <= 0 || life > MAX_LIFE_NS {
            return refuse("end_time must be after start_time, by 31 days at most");
        }
        for (name, ppm) in [
            ("variance", self.variance_ppm),
            ("max_participation", self.max_participation_ppm),
            ("min_participation", self.min_participation_ppm),
            ("urgency", self.urgency_ppm),
        ] {
            if ppm > FULL_PPM {
                return refuse(format!("{name} must be between 0 and 1"));
            }
        }
        match self.algo {
            Algo::Twap => self.counted(),
            Algo::TimeSliced | Algo::Iceberg => self.sized(order_qty),
            Algo::Vwap => self.curved(),
            Algo::Pov => self.participating(),
            Algo::Arrival => self.spaced(),
            Algo::Peg if self.peg.is_none() => refuse("PEG needs peg_price"),
            Algo::Peg => self.at_least_min_interval(),
        }
    }

    /// Every parameter that is given and that the algorithm does not take is an error, never ignored.
    fn only_its_own(&self) -> Result<(), Refusal> {
        use Algo::{Arrival, Iceberg, Peg, Pov, TimeSliced, Twap, Vwap};
        let given: [(&str, bool, &[Algo]); 9] = [
            ("slices", self.slices > 0, &[Twap]),
            ("interval", self.interval_ns != 0, &[Vwap, Pov, Arrival, TimeSliced, Peg]),
            ("variance", self.variance_ppm > 0, &[Twap, Vwap, Arrival, TimeSliced, Iceberg]),
            ("max_participation", self.max_participation_ppm > 0, &[Twap, Vwap, Pov, Arrival, TimeSliced]),
            ("min_participation", self.min_participation_ppm > 0, &[Pov]),
            ("urgency", self.urgency_ppm > 0, &[Arrival]),
            ("slice_qty", !self.slice_qty.is_zero(), &[TimeSliced, Iceberg]),
            ("curve", !self.curve.is_empty() || !self.expected_volume.is_zero(), &[Vwap]),
            ("peg_price", self.peg.is_some(), &[Peg]),
        ];
        match given.into_iter().find(|(_, given, takers)| *given && !takers.contains(&self.algo)) {
            Some((name, _, _)) => refuse(format!("{} takes no {name}", self.algo)),
            None => Ok(()),
        }
    }

    fn counted(&self) -> Result<(), Refusal> {
        if self.slices == 0 || self.slices > MAX_SLICES {
            return refuse(format!("TWAP needs slices, from 1 to {MAX_SLICES}"));
        }
        if self.end.since(self.start) / i64::from(self.slices) < MIN_INTERVAL_NS {
            return refuse("the slices are closer to each other than 10 ms");
        }
        Ok(())
    }

    fn sized(&self, order_qty: Qty) -> Result<(), Refusal> {
        if !self.slice_qty.is_positive() {
            return refuse(format!("{} needs slice_qty above zero", self.algo));
        }
        if order_qty.raw() / self.slice_qty.raw() > i128::from(MAX_SLICES) {
            return refuse(format!("slice_qty would make more than {MAX_SLICES} slices"));
        }
        if self.algo == Algo::TimeSliced { self.at_least_min_interval() } else { Ok(()) }
    }

    fn curved(&self) -> Result<(), Refusal> {
        if self.curve.len() > MAX_CURVE {
            return refuse(format!("curve has at most {MAX_CURVE} parts"));
        }
        if self.curve.is_empty() == self.expected_volume.is_zero() {
            return refuse("VWAP needs either curve or expected_volume");
        }
        if !self.curve.is_empty() && self.curve.iter().all(|part| part.weight == 0) {
            return refuse("curve must have a weight above zero");
        }
        if self.expected_volume.is_negative() {
            return refuse("expected_volume must be above zero");
        }
        self.spaced()
    }

    fn participating(&self) -> Result<(), Refusal> {
        if self.max_participation_ppm == 0 {
            return refuse("POV needs max_participation");
        }
        if self.min_participation_ppm > self.max_participation_ppm {
            return refuse("min_participation must not be above max_participation");
        }
        self.spaced()
    }

    fn at_least_min_interval(&self) -> Result<(), Refusal> {
        if self.interval_ns < MIN_INTERVAL_NS {
            return refuse(format!("{} needs interval, 10 ms at least", self.algo));
        }
        Ok(())
    }

    fn spaced(&self) -> Result<(), Refusal> {
        self.at_least_min_interval()?;
        if self.end.since(self.start) / self.interval_ns > i64::from(MAX_SLICES) {
            return refuse(format!("interval would make more than {MAX_SLICES} slices"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
