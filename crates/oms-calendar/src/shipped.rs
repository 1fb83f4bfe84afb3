//! The calendars that come with the product. Where they are from is told in `data/ATTRIBUTION.md`.

use crate::calendar::Calendar;

const MARKETS: &str = include_str!("../data/markets.txt");

/// Each calendar's text: blocks that an empty line parts.
fn blocks() -> impl Iterator<Item = &'static str> {
    MARKETS.split("\n\n").map(str::trim).filter(|block| block.starts_with("market "))
}

/// The text of the shipped calendar with this id.
#[must_use]
pub fn shipped_text(id: &str) -> Option<&'static str> {
    blocks().find(|block| block.lines().next().and_then(|line| line.split_whitespace().nth(1)) == Some(id))
}

/// All of them, as they stand in the file.
///
/// # Errors
/// None in a build whose tests have passed: one of them reads every calendar.
pub fn shipped() -> Result<Vec<Calendar>, crate::parse::InvalidCalendar> {
    blocks().map(Calendar::parse).collect()
}
