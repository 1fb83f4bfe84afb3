//! The identity of an execution at a venue.

use std::str::FromStr;

use oms_model::{ExecId, Time};

/// Within what a venue never uses an ExecID(17) twice. The desk's own ids are unique within the venue for ever, so what a
/// narrower promise lacks is put before the venue's id.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ExecIdScope {
    /// The venue: its id is ours.
    #[default]
    Venue,
    /// A trading day: `20261127.ID`, by TradeDate(75), or else by TransactTime(60).
    Day,
    /// An instrument: `BAC.ID`.
    Symbol,
}

impl FromStr for ExecIdScope {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "venue" => Ok(Self::Venue),
            "day" => Ok(Self::Day),
            "symbol" => Ok(Self::Symbol),
            other => Err(format!("{other:?} is none of venue, day, symbol")),
        }
    }
}

impl ExecIdScope {
    /// Our id of an execution that the venue calls `told`.
    pub(super) fn id(self, told: &str, symbol: &str, trade_date: Option<&str>, at: Time) -> Option<ExecId> {
        let id = match self {
            Self::Venue => told.to_owned(),
            Self::Day => trade_date.map_or_else(|| format!("{}.{told}", at.day()), |day| format!("{day}.{told}")),
            Self::Symbol => format!("{symbol}.{told}"),
        };
        ExecId::new(&id).ok()
    }

    /// Whether an id of ours is of what the venue calls `told`, whatever day it was.
    pub(super) fn is(self, ours: &ExecId, told: &str) -> bool {
        match self {
            Self::Venue => ours.as_str() == told,
            Self::Day | Self::Symbol => ours.as_str().strip_suffix(told).is_some_and(|before| before.ends_with('.')),
        }
    }
}
