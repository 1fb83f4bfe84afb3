//! `cargo xtask calendars`: cuts the calendars that the product ships.
//!
//! Reads QuantConnect Lean's market hours (see `crates/oms-calendar/data/ATTRIBUTION.md`) and writes those of the markets
//! below as the text that `oms-calendar` reads.

use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;

const OUTPUT: &str = "crates/oms-calendar/data/markets.txt";
/// Holidays before this year are left out.
const FIRST_YEAR: u32 = 2010;
const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// Id, name, entry of the hours, entry of the holidays, when the trading day rolls over, and whether an order works in
/// every phase, as on an electronic futures market.
const MARKETS: [(&str, &str, &str, &str, &str, bool); 17] = [
    ("US-EQUITY", "US equities", "Equity-usa-[*]", "Equity-usa-[*]", "00:00", false),
    ("US-OPTION", "US equity options", "Option-usa-[*]", "Equity-usa-[*]", "00:00", false),
    ("IN-EQUITY", "Indian equities", "Equity-india-[*]", "Equity-india-[*]", "00:00", false),
    ("CME", "CME equity index futures", "Future-cme-ES", "Future-cme-ES", "17:00", true),
    ("CBOT", "CBOT treasury futures", "Future-cbot-ZN", "Future-cbot-ZN", "16:00", true),
    ("NYMEX", "NYMEX energy futures", "Future-nymex-CL", "Future-nymex-CL", "17:00", true),
    ("COMEX", "COMEX metal futures", "Future-comex-GC", "Future-comex-GC", "17:00", true),
    ("ICE-US", "ICE US dollar index futures", "Future-ice-DX", "Future-ice-DX", "17:00", true),
    ("EUREX", "Eurex futures", "Future-eurex-[*]", "Future-eurex-[*]", "00:00", true),
    ("HKFE", "Hong Kong futures", "Future-hkfe-[*]", "Future-hkfe-[*]", "17:00", true),
    ("SGX", "Singapore futures", "Future-sgx-[*]", "Future-sgx-[*]", "00:00", true),
    ("KRX", "Korean futures", "Future-krx-[*]", "Future-krx-[*]", "17:00", true),
    ("OSE", "Osaka index", "Index-ose-[*]", "Index-ose-[*]", "00:00", false),
    ("DE-INDEX", "German index", "Index-eurex-[*]", "Index-eurex-[*]", "00:00", false),
    ("HK-INDEX", "Hong Kong index", "Index-hkfe-[*]", "Index-hkfe-[*]", "00:00", false),
    ("FX", "Foreign exchange", "Forex-interactivebrokers-[*]", "Forex-interactivebrokers-[*]", "17:00", false),
    ("CRYPTO", "Crypto, always open", "Crypto-coinbase-[*]", "Crypto-coinbase-[*]", "00:00", false),
];

/// The daylight saving rules in force, as POSIX writes them.
const ZONES: [(&str, &str); 8] = [
    ("America/New_York", "EST5EDT,M3.2.0,M11.1.0"),
    ("America/Chicago", "CST6CDT,M3.2.0,M11.1.0"),
    ("Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3"),
    ("Asia/Hong_Kong", "HKT-8"),
    ("Asia/Singapore", "<+08>-8"),
    ("Asia/Seoul", "KST-9"),
    ("Asia/Tokyo", "JST-9"),
    ("UTC", "UTC0"),
];

pub fn run(arguments: &[String]) -> Result<(), String> {
    let input = arguments.first().map_or("../shared/data/market-hours/market-hours-database.json", String::as_str);
    let output = arguments.get(1).map_or(OUTPUT, String::as_str);
    let text = std::fs::read_to_string(input).map_err(|error| format!("{input}: {error}"))?;
    let all: Value = serde_json::from_str(&text).map_err(|error| format!("{input}: {error}"))?;
    let mut written = String::from("# Made by `cargo xtask calendars`; see ATTRIBUTION.md.\n");
    for (id, name, hours, holidays, rollover, all_phases) in MARKETS {
        let entry = |key: &str| all["entries"].get(key).ok_or_else(|| format!("{input} has no {key}"));
        let (hours, holidays) = (entry(hours)?, entry(holidays)?);
        let zone = hours["exchangeTimeZone"].as_str().unwrap_or_default();
        let rule = ZONES.iter().find(|(known, _)| *known == zone).map(|(_, rule)| *rule);
        let rule = rule.or((zone == "Asia/Kolkata").then_some("IST-5:30")).ok_or_else(|| format!("{zone}: no rule is known"))?;
        let _ = write!(written, "\nmarket {id} {name}\nzone {zone} {rule}\nrollover {rollover}\n");
        for day in DAYS {
            write_hours(&mut written, day, &hours[day], all_phases)?;
        }
        write_dates(&mut written, holidays)?;
    }
    std::fs::write(Path::new(output), written).map_err(|error| format!("{output}: {error}"))
}

fn write_hours(written: &mut String, day: &str, segments: &Value, all_phases: bool) -> Result<(), String> {
    let segments = segments.as_array().map_or(&[][..], Vec::as_slice);
    if segments.is_empty() {
        return Ok(());
    }
    let _ = write!(written, "hours {}", day.get(..3).unwrap_or(day));
    for segment in segments {
        let phase = match segment["state"].as_str() {
            Some("market") => "core",
            Some("premarket" | "postmarket") if all_phases => "core",
            Some("premarket") => "pre",
            Some("postmarket") => "post",
            other => return Err(format!("{other:?} is no state of a market")),
        };
        let _ = write!(written, " {phase} {}-{}", clock(&segment["start"])?, clock(&segment["end"])?);
    }
    written.push('\n');
    Ok(())
}

/// `1.00:00:00` is the end of the day.
fn clock(value: &Value) -> Result<String, String> {
    let text = value.as_str().ok_or("a time is text")?;
    let text = if text.starts_with("1.") { "24:00:00" } else { text };
    Ok(text.strip_suffix(":00").unwrap_or(text).to_owned())
}

fn write_dates(written: &mut String, entry: &Value) -> Result<(), String> {
    let mut closed: Vec<String> = Vec::new();
    for date in entry["holidays"].as_array().map_or(&[][..], Vec::as_slice) {
        closed.extend(iso(date.as_str().unwrap_or_default())?);
    }
    closed.sort();
    closed.dedup();
    for year in closed.chunk_by(|one, other| one.get(..4) == other.get(..4)) {
        let _ = writeln!(written, "closed {}", year.join(" "));
    }
    for (kind, key) in [("early", "earlyCloses"), ("late", "lateOpens")] {
        let mut dates: Vec<(String, String)> = Vec::new();
        for (date, at) in entry[key].as_object().into_iter().flatten() {
            if let Some(date) = iso(date)? {
                dates.push((clock(at)?, date));
            }
        }
        dates.sort();
        for same in dates.chunk_by(|one, other| one.0 == other.0) {
            let days: Vec<&str> = same.iter().map(|(_, date)| date.as_str()).collect();
            let _ = writeln!(written, "{kind} {} {}", same.first().map_or("", |(at, _)| at.as_str()), days.join(" "));
        }
    }
    Ok(())
}

/// `11/27/2026` as 2026-11-27; `None` where it is too long ago.
fn iso(date: &str) -> Result<Option<String>, String> {
    let mut parts = date.split('/').map(str::parse::<u32>);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(Ok(month)), Some(Ok(day)), Some(Ok(year))) => Ok((year >= FIRST_YEAR).then(|| format!("{year:04}-{month:02}-{day:02}"))),
        _ => Err(format!("{date:?} is no date")),
    }
}
