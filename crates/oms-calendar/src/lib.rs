//! When markets are open: sessions, holidays, early closes, and the trading day that a moment belongs to.
//!
//! - A [`Calendar`] is read from text, so that the log can hold it as it was, and is a function of time alone: it knows
//!   no clock.
//! - Hours are local to the market. Daylight saving follows the POSIX rule that the text names.
//! - [`shipped`] are the calendars that come with the product; a desk may configure its own.
#![deny(clippy::float_arithmetic)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking"))]

pub mod calendar;
mod parse;
mod shipped;

pub use calendar::{Calendar, Phase, TradingDay};
pub use parse::InvalidCalendar;
pub use shipped::{shipped, shipped_text};
