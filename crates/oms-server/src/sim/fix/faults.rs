//! Fault switches by name, from flags and over HTTP.

use super::{Faults, Line, Link, SharedFloor, VenueSession};
use oms_model::Mic;
use std::collections::BTreeMap;

/// The venues whose faults are switched.
pub struct Switches {
    /// The venues.
    pub floor: SharedFloor,
    /// Their sessions.
    pub sessions: BTreeMap<Mic, VenueSession>,
}

impl Switches {
    /// Sets the faults of a venue, and its line to what they say.
    ///
    /// # Errors
    /// What is wrong: there is no such venue, or its session has ended.
    pub async fn set(&self, venue: Mic, faults: Faults) -> Result<(), String> {
        let session = self.sessions.get(&venue).ok_or_else(|| format!("there is no venue {venue}"))?;
        let line = match faults.link {
            Link::Up => Line::Up,
            Link::Down => Line::Down,
            Link::HalfOpen => Line::HalfOpen,
        };
        // A line that comes up must find the venue there; one that goes down loses what is under way to it.
        self.floor.set_faults(venue, faults);
        session.set_line(line).await.map_err(|ended| ended.to_string())
    }

    /// The faults of a venue as they stand.
    #[must_use]
    pub fn get(&self, venue: Mic) -> Option<Faults> {
        self.floor.lock().venue(venue).map(oms_venues::paper::PaperVenue::faults)
    }
}

const LINKS: [(&str, Link); 3] = [("UP", Link::Up), ("DOWN", Link::Down), ("HALF_OPEN", Link::HalfOpen)];

/// A part of a million.
type Share = (&'static str, fn(&mut Faults) -> &mut u32);

const SHARES: [Share; 7] = [
    ("lost_ppm", |faults| &mut faults.lost_ppm),
    ("late_ppm", |faults| &mut faults.late_ppm),
    ("duplicate_ppm", |faults| &mut faults.duplicate_ppm),
    ("reorder_ppm", |faults| &mut faults.reorder_ppm),
    ("reject_ppm", |faults| &mut faults.reject_ppm),
    ("broken_send_ppm", |faults| &mut faults.broken_send_ppm),
    ("incomplete_ppm", |faults| &mut faults.incomplete_ppm),
];

/// Every switch by its name, as it stands.
#[must_use]
pub fn all(faults: Faults) -> Vec<(&'static str, String)> {
    let mut read = faults;
    let link = LINKS.iter().find(|(_, link)| *link == faults.link).map_or("", |(name, _)| name);
    let mut all = vec![("link", link.to_owned())];
    all.extend(SHARES.iter().map(|(name, share)| (*name, share(&mut read).to_string())));
    all.push(("accepted_in_doubt_ppm", faults.accepted_in_doubt_ppm.to_string()));
    all.push(("late_ns", faults.late_ns.to_string()));
    all.push(("spike_ns", faults.spike_ns.to_string()));
    all
}

/// Sets one switch.
///
/// # Errors
/// What is wrong with it.
pub fn set(faults: &mut Faults, name: &str, value: &str) -> Result<(), String> {
    let share = |value: &str| value.parse().ok().filter(|ppm| *ppm <= 1_000_000).ok_or_else(|| format!("{name} must be 0 to 1000000"));
    let span = |value: &str| value.parse().ok().filter(|ns| *ns <= 3_600_000_000_000).ok_or_else(|| format!("{name} must be 0 to an hour"));
    match name {
        "link" => {
            let link = LINKS.iter().find(|(known, _)| known.eq_ignore_ascii_case(value));
            faults.link = link.map(|(_, link)| *link).ok_or_else(|| "link must be UP, DOWN or HALF_OPEN".to_owned())?;
        }
        "late_ns" => faults.late_ns = span(value)?,
        "spike_ns" => faults.spike_ns = span(value)?,
        "accepted_in_doubt_ppm" => faults.accepted_in_doubt_ppm = share(value)?,
        _ => {
            let (_, field) = SHARES.iter().find(|(known, _)| *known == name).ok_or_else(|| format!("there is no fault {name:?}"))?;
            *field(faults) = share(value)?;
        }
    }
    Ok(())
}

/// Reads `MIC:NAME=VALUE,..`, where `ALL` means every venue.
///
/// # Errors
/// What is wrong with it.
pub fn read(text: &str, faults: &mut BTreeMap<Mic, Faults>) -> Result<(), String> {
    let (venue, switches) = text.split_once(':').ok_or("it must be MIC:NAME=VALUE,..")?;
    let mut meant: Vec<&mut Faults> = match venue {
        "ALL" => faults.values_mut().collect(),
        mic => {
            let known = mic.parse().ok().and_then(|mic: Mic| faults.get_mut(&mic));
            vec![known.ok_or_else(|| format!("there is no venue {mic:?}"))?]
        }
    };
    for switch in switches.split(',') {
        let (name, value) = switch.split_once('=').ok_or_else(|| format!("{switch:?} is not NAME=VALUE"))?;
        for faults in &mut meant {
            set(faults, name.trim(), value.trim())?;
        }
    }
    Ok(())
}
