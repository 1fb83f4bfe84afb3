//! The calendars that the settings name, and `oms calendar`.

use crate::cli;
use crate::config;
use crate::exit::{Failure, Outcome, written};
use oms_calendar::{Calendar, utc};
use oms_model::{Mic, Time};
use std::collections::BTreeMap;
use std::io::Write;

/// Calendars of the desk's own, then those shipped.
fn all(file: &str) -> Result<Vec<Calendar>, Failure> {
    let mut all = Vec::new();
    if !file.is_empty() {
        let text = std::fs::read_to_string(file).map_err(|error| Failure::Usage(format!("calendars.file {file}: {error}")))?;
        for block in text.split("\n\n").filter(|block| block.lines().any(|line| line.starts_with("market "))) {
            let calendar = Calendar::parse(block.trim());
            all.push(calendar.map_err(|error| Failure::Usage(format!("calendars.file {file}: {error}, in {:?}", first_line(block))))?);
        }
    }
    all.extend(oms_calendar::shipped().map_err(|error| Failure::Fault(format!("a calendar that is shipped: {error}")))?);
    Ok(all)
}

fn first_line(block: &str) -> &str {
    block.trim().lines().next().unwrap_or_default()
}

fn named(all: &[Calendar], id: &str) -> Result<Calendar, Failure> {
    let found = all.iter().find(|calendar| calendar.id() == id);
    found.cloned().ok_or_else(|| Failure::Usage(format!("there is no calendar {id:?}; `oms calendar list` shows them")))
}

/// The calendar of each listing.
///
/// # Errors
/// [`Failure::Usage`] naming what is not understood.
pub fn by_listing(settings: &config::Calendars) -> Result<BTreeMap<Mic, Calendar>, Failure> {
    pairs("calendars.listings", &settings.listings, &all(&settings.file)?)
}

/// The maintenance windows of each venue: the session hours of the calendar that is named for it.
///
/// # Errors
/// [`Failure::Usage`] naming what is not understood.
pub fn maintenance(settings: &config::Calendars) -> Result<BTreeMap<Mic, Calendar>, Failure> {
    pairs("calendars.maintenance", &settings.maintenance, &all(&settings.file)?)
}

fn pairs(setting: &str, text: &str, all: &[Calendar]) -> Result<BTreeMap<Mic, Calendar>, Failure> {
    let mut found = BTreeMap::new();
    for pair in text.split([',', ' ']).filter(|pair| !pair.is_empty()) {
        let wrong = || Failure::Usage(format!("{setting}: {pair:?} is not a pair such as XNYS=US-EQUITY"));
        let (mic, id) = pair.split_once('=').ok_or_else(wrong)?;
        let mic: Mic = mic.parse().map_err(|_| wrong())?;
        if found.insert(mic, named(all, id)?).is_some() {
            return Err(Failure::Usage(format!("{setting}: {mic} is named twice")));
        }
    }
    Ok(found)
}

/// `oms calendar`.
///
/// # Errors
/// [`Failure::Usage`] where there is no such calendar.
pub fn run(command: &cli::Calendar, settings: &config::Calendars) -> Outcome {
    let all = all(&settings.file)?;
    let mut out = std::io::stdout().lock();
    match command {
        cli::Calendar::List { at } => {
            let at = at.unwrap_or_else(now);
            for calendar in &all {
                let line = format!("{:<10} {:<32} {:<18} {}", calendar.id(), calendar.name(), calendar.zone(), hours(calendar, at));
                written(writeln!(out, "{line}"))?;
            }
        }
        cli::Calendar::Show { id, at, text } => {
            let (calendar, at) = (named(&all, id)?, at.unwrap_or_else(now));
            if *text {
                return written(writeln!(out, "{}", calendar.text()));
            }
            written(writeln!(out, "{}: {}, {}", calendar.id(), calendar.name(), calendar.zone()))?;
            written(writeln!(out, "at {}: {}", utc(at), hours(&calendar, at)))?;
            if let Some(day) = calendar.day(at) {
                written(writeln!(out, "trading day {}: {} to {}", day.date, utc(day.open), utc(day.close)))?;
            }
        }
    }
    Ok(())
}

fn hours(calendar: &Calendar, at: Time) -> String {
    let phase = calendar.phase(at).as_str();
    match calendar.next_open(at) {
        Some(open) if open > at => format!("{phase}, opens {}", utc(open)),
        Some(_) => phase.to_owned(),
        None => format!("{phase}, does not open within a month"),
    }
}

fn now() -> Time {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Time(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(listings: &str, file: &str) -> config::Calendars {
        config::Calendars { listings: listings.into(), maintenance: String::new(), file: file.into() }
    }

    #[test]
    fn a_listing_has_the_calendar_that_is_named() {
        let found = by_listing(&settings("XNYS=US-EQUITY, XCME=CME", "")).unwrap();
        assert_eq!(
            found.iter().map(|(mic, calendar)| format!("{mic} {}", calendar.id())).collect::<Vec<_>>(),
            ["XCME CME", "XNYS US-EQUITY"]
        );
        assert!(by_listing(&settings("", "")).unwrap().is_empty());
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (listings, words) in [
            ("XNYS", "is not a pair"),
            ("XNYS=NOWHERE", "no calendar \"NOWHERE\""),
            ("TOOLONG=CME", "is not a pair"),
            ("XNYS=CME XNYS=FX", "named twice"),
        ] {
            let error = by_listing(&settings(listings, "")).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        assert!(by_listing(&settings("", "/nowhere")).unwrap_err().to_string().contains("/nowhere"));
    }

    #[test]
    fn a_desk_has_calendars_of_its_own() {
        let folder = std::env::temp_dir().join(format!("oms-calendars-{}", std::process::id()));
        std::fs::write(&folder, "market MINE My market\nzone UTC UTC0\nhours mon core 08:00-09:00\n\nmarket CME Mine\nzone UTC UTC0\nhours tue core 08:00-09:00\n").unwrap();
        let found = by_listing(&settings("XXXX=MINE,YYYY=CME", folder.to_str().unwrap())).unwrap();
        let of_venues = config::Calendars { maintenance: "XNAS=MINE".into(), ..settings("", folder.to_str().unwrap()) };
        let resets = maintenance(&of_venues).unwrap();
        std::fs::remove_file(&folder).unwrap();
        assert_eq!(resets.keys().map(ToString::to_string).collect::<Vec<_>>(), ["XNAS"]);
        let wrong = maintenance(&config::Calendars { maintenance: "XNAS".into(), ..settings("", "") }).unwrap_err().to_string();
        assert!(wrong.contains("calendars.maintenance: \"XNAS\" is not a pair"), "{wrong}");
        assert_eq!(found.values().map(Calendar::name).collect::<Vec<_>>(), ["My market", "Mine"]);
    }
}
