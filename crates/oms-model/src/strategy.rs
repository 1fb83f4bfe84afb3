//! Strategies: what an order says it was sent for, and the bounds that a strategy runs within.

use crate::amount::{Decimal, Notional};
use crate::ids::InstrumentId;
use core::fmt;
use core::str::FromStr;

/// The most characters of a strategy's name.
pub const MAX_STRATEGY_ID: usize = 16;

/// The name of a strategy: 1 to [`MAX_STRATEGY_ID`] letters, digits, `_`, `-` or `.`.
///
/// It is kept in place, because it is part of every limit's scope.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StrategyId([u8; MAX_STRATEGY_ID]);

/// Why a strategy's name was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadStrategyId;

impl fmt::Display for BadStrategyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "must be 1 to {MAX_STRATEGY_ID} letters, digits, '_', '-' or '.'")
    }
}

impl StrategyId {
    /// From text.
    ///
    /// # Errors
    /// [`BadStrategyId`] unless it is of the form that the type describes.
    pub fn new(text: &str) -> Result<Self, BadStrategyId> {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        let mut bytes = [0; MAX_STRATEGY_ID];
        let slot = bytes.get_mut(..text.len()).filter(|_| !text.is_empty() && text.bytes().all(known));
        slot.ok_or(BadStrategyId)?.copy_from_slice(text.as_bytes());
        Ok(Self(bytes))
    }

    /// From letters, digits, `_`, `-` or `.` known at compile time.
    ///
    /// # Panics
    /// At compile time, where there are too many of them.
    #[must_use]
    pub const fn of(text: &[u8]) -> Self {
        let mut bytes = [0; MAX_STRATEGY_ID];
        bytes.split_at_mut(text.len()).0.copy_from_slice(text);
        Self(bytes)
    }

    /// As text; empty only where no name was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let len = self.0.iter().position(|byte| *byte == 0).unwrap_or(MAX_STRATEGY_ID);
        self.0.get(..len).and_then(|bytes| core::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

impl fmt::Display for StrategyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for StrategyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for StrategyId {
    type Err = BadStrategyId;
    fn from_str(text: &str) -> Result<Self, BadStrategyId> {
        Self::new(text)
    }
}

/// What a strategy may trade.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tradable {
    /// The instrument.
    pub instrument_id: InstrumentId,
}

/// The bounds that a strategy runs within. RTS 6 article 8: no algorithm is deployed without the instruments, values
/// and times that it is meant for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StrategyEnvelope {
    /// Which strategy.
    pub strategy: StrategyId,
    /// Whether it may send orders at all.
    pub enabled: bool,
    /// What it may trade; everything where it is empty.
    pub instruments: Vec<Tradable>,
    /// The most that it may have working and executed since the last close of the day together, in the tenant's risk
    /// currency.
    pub max_notional: Option<Decimal>,
    /// The most orders that it may send in a second.
    pub max_order_rate: Option<u32>,
    /// From when it may run, seconds after midnight UTC.
    pub from_s: Option<u32>,
    /// Until when it may run, seconds after midnight UTC; before `from_s` it is on the next day.
    pub until_s: Option<u32>,
    /// Raised by each change, from 1.
    pub version: u32,
}

impl StrategyEnvelope {
    /// Whether it may trade an instrument.
    #[must_use]
    pub fn trades(&self, instrument_id: InstrumentId) -> bool {
        self.instruments.is_empty() || self.instruments.contains(&Tradable { instrument_id })
    }

    /// Whether a time of day lies within its hours. The end is outside.
    #[must_use]
    pub fn is_open(&self, second_of_day: u32) -> bool {
        match (self.from_s, self.until_s) {
            (Some(from), Some(until)) if from > until => second_of_day >= from || second_of_day < until,
            (from, until) => from.is_none_or(|from| second_of_day >= from) && until.is_none_or(|until| second_of_day < until),
        }
    }
}

/// What a strategy has executed since the last close of the day, in the tenant's risk currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StrategyUse {
    /// Which strategy.
    pub strategy: StrategyId,
    /// Bought and sold, added up.
    pub traded: Notional,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_plain() {
        for good in ["a", "MM-1", "twap.eu_2", "0123456789abcdef"] {
            assert_eq!(StrategyId::new(good).unwrap().as_str(), good);
        }
        for bad in ["", "0123456789abcdefg", "a b", "a:b", "ä"] {
            assert_eq!(StrategyId::new(bad), Err(BadStrategyId), "{bad}");
        }
    }

    #[test]
    fn hours_may_go_over_midnight() {
        let hours = |from_s, until_s| StrategyEnvelope { from_s, until_s, ..StrategyEnvelope::default() };
        assert!(hours(None, None).is_open(0));
        let day = hours(Some(100), Some(200));
        assert_eq!([99, 100, 199, 200].map(|s| day.is_open(s)), [false, true, true, false]);
        let night = hours(Some(200), Some(100));
        assert_eq!([99, 100, 199, 200].map(|s| night.is_open(s)), [true, false, false, true]);
    }
}
