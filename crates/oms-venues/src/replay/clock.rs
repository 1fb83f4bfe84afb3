//! Recorded time against replayed time.

use std::fmt;
use std::str::FromStr;

use oms_model::Time;

/// How fast a recording is replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speed {
    /// So many times as fast as it was recorded, 1 to [`Speed::MAX_TIMES`].
    Times(u32),
    /// Nobody waits for a tick: whoever drives the replay jumps from one due time to the next.
    /// Due times are those of [`Speed::Times`]`(1)`.
    AsFastAsPossible,
}

/// The speed is not one that is offered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("replay speed {given:?} must be 1 to {max} or \"max\"")]
pub struct SpeedError {
    /// What was given.
    pub given: String,
    /// The fastest.
    pub max: u32,
}

impl Speed {
    /// The fastest paced replay.
    pub const MAX_TIMES: u32 = 100;

    /// A paced replay.
    ///
    /// # Errors
    /// Outside 1 to [`Speed::MAX_TIMES`].
    pub fn times(times: u32) -> Result<Self, SpeedError> {
        if (1..=Self::MAX_TIMES).contains(&times) {
            return Ok(Self::Times(times));
        }
        Err(SpeedError { given: times.to_string(), max: Self::MAX_TIMES })
    }

    const fn divisor(self) -> u64 {
        match self {
            Self::Times(0) | Self::AsFastAsPossible => 1,
            Self::Times(times) => times as u64,
        }
    }
}

impl FromStr for Speed {
    type Err = SpeedError;

    fn from_str(text: &str) -> Result<Self, SpeedError> {
        let refused = || SpeedError { given: text.to_owned(), max: Self::MAX_TIMES };
        match text {
            "max" => Ok(Self::AsFastAsPossible),
            _ => {
                let number = text.strip_suffix('x').unwrap_or(text);
                Self::times(number.parse().map_err(|_| refused())?).map_err(|_| refused())
            }
        }
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Times(times) => write!(f, "{times}x"),
            Self::AsFastAsPossible => f.write_str("max"),
        }
    }
}

/// Maps an offset in the recording to a time in the replay.
#[derive(Clone, Copy, Debug)]
pub struct ReplayClock {
    start: Time,
    length_ns: u64,
    speed: Speed,
    round: u64,
}

impl ReplayClock {
    /// A replay of a recording of `length_ns` that begins at `start`.
    #[must_use]
    pub const fn new(start: Time, length_ns: u64, speed: Speed) -> Self {
        Self { start, length_ns, speed, round: 0 }
    }

    /// When what was recorded `offset_ns` into the recording is due in the current round.
    #[must_use]
    pub fn due(&self, offset_ns: u64) -> Time {
        // 128 bits, so that a demo that runs for weeks does not drift or wrap.
        let recorded = u128::from(self.round) * u128::from(self.length_ns) + u128::from(offset_ns);
        let elapsed = recorded / u128::from(self.speed.divisor());
        self.start.plus(i64::try_from(elapsed).unwrap_or(i64::MAX))
    }

    /// When the current round ends.
    #[must_use]
    pub fn round_end(&self) -> Time {
        self.due(self.length_ns)
    }

    /// Begins the next round.
    pub fn roll(&mut self) {
        self.round += 1;
    }

    /// Rounds completed.
    #[must_use]
    pub const fn round(&self) -> u64 {
        self.round
    }

    /// The speed.
    #[must_use]
    pub const fn speed(&self) -> Speed {
        self.speed
    }
}
