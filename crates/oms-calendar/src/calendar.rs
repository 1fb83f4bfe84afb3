//! A market's hours.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use oms_model::Time;
use std::collections::BTreeMap;

/// So many days are looked ahead for an opening; no market rests longer.
const LOOK_AHEAD_DAYS: i32 = 30;

/// What a market does at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Nothing.
    #[default]
    Closed,
    /// Trades before the session.
    Pre,
    /// Trades.
    Core,
    /// Trades after the session.
    Post,
}

impl Phase {
    /// As APIs name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "CLOSED",
            Self::Pre => "PRE_MARKET",
            Self::Core => "OPEN",
            Self::Post => "POST_MARKET",
        }
    }
}

/// A phase on one day, in seconds of its local clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) phase: Phase,
    pub(crate) from_s: i32,
    pub(crate) to_s: i32,
}

/// What is different on one date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Special {
    /// No hours at all.
    pub(crate) closed: bool,
    /// It closes at this time. Where it opens late on the same date after that, it is closed between the two.
    pub(crate) early_s: Option<i32>,
    /// It opens at this time.
    pub(crate) late_s: Option<i32>,
}

/// The day that trades count on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradingDay {
    /// Its date at the market, as a number: 20261127.
    pub date: u32,
    /// When its session begins.
    pub open: Time,
    /// When its session ends, breaks within it not counted.
    pub close: Time,
}

/// When one market is open.
#[derive(Clone, Debug)]
pub struct Calendar {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) zone_name: String,
    pub(crate) zone: TimeZone,
    /// When a new trading day begins, in seconds of the local clock; what comes after it on a date counts on the next.
    pub(crate) rollover_s: i32,
    /// From Monday on.
    pub(crate) week: [Vec<Segment>; 7],
    pub(crate) specials: BTreeMap<Date, Special>,
    text: String,
}

impl PartialEq for Calendar {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
impl Eq for Calendar {}

impl Calendar {
    pub(crate) fn empty(text: &str) -> Self {
        Self {
            id: String::new(),
            name: String::new(),
            zone_name: String::new(),
            zone: TimeZone::UTC,
            rollover_s: 0,
            week: Default::default(),
            specials: BTreeMap::new(),
            text: text.to_owned(),
        }
    }

    pub(crate) fn special(&mut self, date: Date) -> &mut Special {
        self.specials.entry(date).or_default()
    }

    /// Its id: `US-EQUITY`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
    /// Its time zone by the IANA name.
    #[must_use]
    pub fn zone(&self) -> &str {
        &self.zone_name
    }
    /// The text that it was read from.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the market does at `at`.
    #[must_use]
    pub fn phase(&self, at: Time) -> Phase {
        let local = self.zone.to_datetime(timestamp(at));
        let second = i32::from(local.hour()) * 3600 + i32::from(local.minute()) * 60 + i32::from(local.second());
        let mut segments = self.hours_of(local.date());
        segments.find(|segment| (segment.from_s..segment.to_s).contains(&second)).map_or(Phase::Closed, |segment| segment.phase)
    }

    /// When the session next begins: `at` itself where the market is open. `None` where it rests for a month.
    #[must_use]
    pub fn next_open(&self, at: Time) -> Option<Time> {
        if self.phase(at) == Phase::Core {
            return Some(at);
        }
        let today = self.zone.to_datetime(timestamp(at)).date();
        days_from(today).find_map(|date| {
            let opens = self.hours_of(date).filter(|segment| segment.phase == Phase::Core);
            opens.map(|segment| self.instant(date, segment.from_s)).find(|open| *open >= at)
        })
    }

    /// When the hours of the session that `at` lies in end, hours that follow without a pause included, over midnight too;
    /// `None` where the market is not open.
    #[must_use]
    pub fn open_until(&self, at: Time) -> Option<Time> {
        let mut end = None;
        let mut from = at;
        // A session that goes on for longer is cut off there.
        for _ in 0..LOOK_AHEAD_DAYS {
            let local = self.zone.to_datetime(timestamp(from));
            let second = i32::from(local.hour()) * 3600 + i32::from(local.minute()) * 60 + i32::from(local.second());
            let mut hours = self.hours_of(local.date()).filter(|segment| segment.phase == Phase::Core);
            let Some(segment) = hours.find(|segment| (segment.from_s..segment.to_s).contains(&second)) else { break };
            from = self.instant(local.date(), segment.to_s);
            end = Some(from);
        }
        end
    }

    /// The trading day whose session `at` lies in, or the next one; `None` where the market rests for a month.
    #[must_use]
    pub fn day(&self, at: Time) -> Option<TradingDay> {
        let today = self.zone.to_datetime(timestamp(at)).date();
        days_from(today).find_map(|date| self.day_of(date).filter(|day| day.close > at))
    }

    /// The trading day of a date; `None` where it has no session.
    fn day_of(&self, date: Date) -> Option<TradingDay> {
        let mut span: Option<(Time, Time)> = None;
        let mut add = |date: Date, from_s: i32, to_s: i32| {
            let (from, to) = (self.instant(date, from_s), self.instant(date, to_s));
            span = Some(span.map_or((from, to), |(first, last)| (first.min(from), last.max(to))));
        };
        let core = |date| self.hours_of(date).filter(|segment: &Segment| segment.phase == Phase::Core);
        if self.rollover_s > 0
            && let Ok(eve) = date.yesterday()
        {
            core(eve).filter(|s| s.to_s > self.rollover_s).for_each(|s| add(eve, s.from_s.max(self.rollover_s), s.to_s));
        }
        let end_s = if self.rollover_s > 0 { self.rollover_s } else { i32::MAX };
        core(date).filter(|s| s.from_s < end_s).for_each(|s| add(date, s.from_s, s.to_s.min(end_s)));
        let number = |date: Date| u32::try_from(i32::from(date.year()) * 10_000).unwrap_or(0);
        let (month, day) = (u32::from(date.month().unsigned_abs()), u32::from(date.day().unsigned_abs()));
        span.map(|(open, close)| TradingDay { date: number(date) + month * 100 + day, open, close })
    }

    /// The hours of a date, with what is different on it.
    fn hours_of(&self, date: Date) -> impl Iterator<Item = Segment> {
        let nth = usize::from(date.weekday().to_monday_zero_offset().unsigned_abs());
        let special = self.specials.get(&date).copied().unwrap_or_default();
        let week = self.week.get(nth).map_or(&[][..], Vec::as_slice);
        let week = if special.closed { &[][..] } else { week };
        week.iter().flat_map(move |segment| special.cut(*segment)).flatten()
    }

    fn instant(&self, date: Date, second: i32) -> Time {
        let midnight = date.to_datetime(jiff::civil::Time::midnight());
        let local = midnight.checked_add(jiff::SignedDuration::from_secs(i64::from(second))).unwrap_or(midnight);
        // A local time that is skipped or comes twice is taken as RFC 5545 does.
        let at = self.zone.to_timestamp(local).map_or(i128::from(i64::MAX), Timestamp::as_nanosecond);
        Time(i64::try_from(at).unwrap_or(i64::MAX))
    }
}

impl Special {
    /// What is left of a segment: one piece, two around a pause, or none.
    fn cut(self, segment: Segment) -> [Option<Segment>; 2] {
        let until = |to_s: i32| Segment { to_s: segment.to_s.min(to_s), ..segment };
        let from = |from_s: i32| Segment { from_s: segment.from_s.max(from_s), ..segment };
        let some = |segment: Segment| (segment.from_s < segment.to_s).then_some(segment);
        match (self.early_s, self.late_s) {
            (None, None) => [Some(segment), None],
            (Some(early), None) => [some(until(early)), None],
            (None, Some(late)) => [some(from(late)), None],
            (Some(early), Some(late)) if early < late => [some(until(early)), some(from(late))],
            (Some(early), Some(late)) => [some(Segment { to_s: segment.to_s.min(early), ..from(late) }), None],
        }
    }
}

/// A time in words: `2026-11-27T14:30:00Z`.
#[must_use]
pub fn utc(at: Time) -> String {
    timestamp(at).to_string()
}

fn timestamp(at: Time) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(at.0)).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn days_from(date: Date) -> impl Iterator<Item = Date> {
    (0..=LOOK_AHEAD_DAYS).filter_map(move |days| date.checked_add(jiff::Span::new().days(days)).ok())
}

#[cfg(test)]
mod tests;
