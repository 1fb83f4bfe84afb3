//! A calendar from its text.
//!
//! ```text
//! market US-EQUITY US equities
//! zone America/New_York EST5EDT,M3.2.0,M11.1.0
//! rollover 00:00
//! hours mon-fri pre 04:00-09:30 core 09:30-16:00 post 16:00-20:00
//! closed 2026-01-01 2026-01-19
//! early 13:00 2026-11-27 2026-12-24
//! late 09:45 2000-01-04
//! ```

use crate::calendar::{Calendar, Phase, Segment, Special};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::fmt;

/// The most bytes of a calendar's text.
const MAX_TEXT: usize = 64 * 1024;
/// The most bytes of an id.
const MAX_ID: usize = 32;
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY_S: i32 = 86_400;

/// Why a text is no calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidCalendar {
    /// The line, from 1; 0 where it is about the whole text.
    pub line: usize,
    /// What is wrong with it.
    pub text: String,
}

impl fmt::Display for InvalidCalendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.text),
            line => write!(f, "line {line}: {}", self.text),
        }
    }
}

impl std::error::Error for InvalidCalendar {}

impl Calendar {
    /// Reads a calendar.
    ///
    /// # Errors
    /// [`InvalidCalendar`] with the line: something that is not understood, hours that overlap or end before they begin,
    /// a date that is none, a market without zone or hours, or a text that is too long.
    pub fn parse(text: &str) -> Result<Self, InvalidCalendar> {
        if text.len() > MAX_TEXT {
            return Err(InvalidCalendar { line: 0, text: format!("a calendar has at most {MAX_TEXT} bytes") });
        }
        let mut calendar = Self::empty(text);
        let mut has_zone = false;
        for (nth, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            let read = match word {
                "" => Ok(()),
                "market" => market(&mut calendar, rest.trim()),
                "zone" => {
                    has_zone = true;
                    zone(&mut calendar, rest)
                }
                "rollover" => clock(rest.trim()).map(|at| calendar.rollover_s = at % DAY_S),
                "hours" => hours(&mut calendar, rest),
                "closed" => dates(rest.split_whitespace(), |date| calendar.special(date).closed = true),
                "early" | "late" => special(&mut calendar, word, rest),
                _ => Err(format!("{word:?} is not understood")),
            };
            read.map_err(|text| InvalidCalendar { line: nth + 1, text })?;
        }
        let whole = |text: &str| Err(InvalidCalendar { line: 0, text: text.to_owned() });
        match () {
            () if calendar.id.is_empty() => whole("a calendar names its market"),
            () if !has_zone => whole("a calendar names its zone"),
            () if calendar.week.iter().all(Vec::is_empty) => whole("a calendar has hours"),
            () => Ok(calendar),
        }
    }
}

fn market(calendar: &mut Calendar, rest: &str) -> Result<(), String> {
    let (id, name) = rest.split_once(char::is_whitespace).unwrap_or((rest, rest));
    let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-';
    if id.is_empty() || id.len() > MAX_ID || !id.chars().all(plain) {
        return Err(format!("the id of a market has 1 to {MAX_ID} of A-Z, 0-9 and -"));
    }
    (calendar.id, calendar.name) = (id.to_owned(), name.trim().to_owned());
    Ok(())
}

fn zone(calendar: &mut Calendar, rest: &str) -> Result<(), String> {
    let (name, rule) = rest.trim().split_once(char::is_whitespace).ok_or("a zone has a name and a POSIX rule")?;
    calendar.zone_name = name.to_owned();
    calendar.zone = TimeZone::posix(rule.trim()).map_err(|error| format!("{rule:?} is no POSIX time zone: {error}"))?;
    Ok(())
}

/// Seconds since midnight of `HH:MM` or `HH:MM:SS`, `24:00` included.
fn clock(text: &str) -> Result<i32, String> {
    let wrong = || format!("{text:?} is no time of day");
    let mut parts = text.split(':').map(|part| part.parse::<i32>().ok().filter(|_| part.len() == 2));
    let (Some(Some(h)), Some(Some(m)), s, None) = (parts.next(), parts.next(), parts.next().unwrap_or(Some(0)), parts.next()) else {
        return Err(wrong());
    };
    let s = s.ok_or_else(wrong)?;
    let at = h * 3600 + m * 60 + s;
    if !(0..60).contains(&m) || !(0..60).contains(&s) || !(0..=DAY_S).contains(&at) {
        return Err(wrong());
    }
    Ok(at)
}

/// `mon-fri core 09:30-16:00 ...`
fn hours(calendar: &mut Calendar, rest: &str) -> Result<(), String> {
    let mut words = rest.split_whitespace();
    let days = words.next().ok_or("hours are of some days")?;
    let day = |text: &str| DAYS.iter().position(|day| *day == text).ok_or_else(|| format!("{text:?} is no day"));
    let (first, last) = match days.split_once('-') {
        Some((first, last)) => (day(first)?, day(last)?),
        None => (day(days)?, day(days)?),
    };
    let mut segments = Vec::new();
    while let Some(phase) = words.next() {
        let phase = match phase {
            "pre" => Phase::Pre,
            "core" => Phase::Core,
            "post" => Phase::Post,
            other => return Err(format!("{other:?} is no phase: pre, core or post")),
        };
        let span = words.next().and_then(|span| span.split_once('-')).ok_or("a phase has a span such as 09:30-16:00")?;
        let (from_s, to_s) = (clock(span.0)?, clock(span.1)?);
        segments.push(Segment { phase, from_s, to_s });
    }
    for nth in first..=last {
        let week = calendar.week.get_mut(nth).ok_or("there are seven days")?;
        week.extend(&segments);
        week.sort_by_key(|segment| segment.from_s);
        let ordered = week.iter().all(|s| s.from_s < s.to_s) && week.windows(2).all(|pair| pair[0].to_s <= pair[1].from_s);
        if !ordered {
            return Err("hours overlap, or end before they begin".to_owned());
        }
    }
    Ok(())
}

fn dates<'a>(words: impl Iterator<Item = &'a str>, mut each: impl FnMut(Date)) -> Result<(), String> {
    for word in words {
        each(word.parse().map_err(|_| format!("{word:?} is no date such as 2026-11-27"))?);
    }
    Ok(())
}

fn special(calendar: &mut Calendar, kind: &str, rest: &str) -> Result<(), String> {
    let mut words = rest.split_whitespace();
    let at = clock(words.next().unwrap_or_default())?;
    dates(words, |date| {
        let Special { early_s, late_s, .. } = calendar.special(date);
        *(if kind == "early" { early_s } else { late_s }) = Some(at);
    })
}
