//! `oms fix log`: the messages of FIX sessions, decoded.

use super::listing::Listing;
use super::{damaged, open};
use crate::cli::FixLog;
use crate::config::Settings;
use crate::exit::{Outcome, written};
use oms_fix::codec::scan::{View, scan};
use oms_fix::codec::value::{Precision, put_timestamp};
use oms_fix::dictionary::fix44;
use oms_fix::session::outbox::Acted;
use oms_fix::store::{Direction, Past, PastMessage, past};
use oms_fix::tags;
use oms_store::{Journal as _, OpenCheck};
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;

/// Shows them.
///
/// # Errors
/// [`crate::exit::Failure`] where there is no log, or it is damaged.
pub fn show(asked: &FixLog, settings: &Settings) -> Outcome {
    let dir = asked.data.as_ref().unwrap_or(&settings.server.data).join("fix");
    let journal = open(&dir, OpenCheck::Tail)?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut listing = Listing::new(asked.limit, asked.last, &mut out);
    let read = past(journal.reader().as_mut(), asked.from, &mut |past| {
        let text = match past {
            Past::Message(message) if !is_meant(asked, &message) => return ControlFlow::Continue(()),
            Past::Message(message) if asked.raw => raw(&message),
            Past::Message(message) => decoded(&message),
            Past::Acted { entry, session, acted } if asked.all && is_of(asked, session) && asked.find.is_none() => {
                done(entry, session, acted)
            }
            Past::Acted { .. } => return ControlFlow::Continue(()),
        };
        listing.take(text)
    });
    read.map_err(|error| damaged(&error))?;
    listing.end()?;
    written(out.flush())
}

fn is_meant(asked: &FixLog, message: &PastMessage<'_>) -> bool {
    let fields = fields(message);
    let admin = fields.iter().find(|(tag, _)| *tag == tags::MSG_TYPE).is_some_and(|(_, kind)| tags::is_admin(kind.as_bytes()));
    is_of(asked, message.session)
        && (asked.all || !admin)
        && asked.find.as_deref().is_none_or(|value| fields.iter().any(|(_, found)| found == value))
}

fn is_of(asked: &FixLog, session: &str) -> bool {
    asked.client.as_deref().is_none_or(|wanted| wanted == client_of(session))
}

fn client_of(session: &str) -> &str {
    session.rsplit_once("->").map_or(session, |(_, client)| client)
}

pub(super) fn at(time: i64) -> String {
    let mut text = Vec::new();
    put_timestamp(&mut text, time, Precision::Micros);
    String::from_utf8_lossy(&text).into_owned()
}

/// What somebody has done to a session.
fn done(entry: u64, session: &str, acted: &Acted) -> String {
    let reason = if acted.reason.is_empty() { String::new() } else { format!(": {}", acted.reason) };
    format!("{entry} -- {} {} at {} by {}{reason}\n", client_of(session), acted.action, at(acted.at), acted.actor)
}

/// Tag and value of each field.
fn fields(message: &PastMessage<'_>) -> Vec<(i32, String)> {
    let mut spans = Vec::new();
    if scan(message.bytes, fix44(), usize::MAX, &mut spans).is_err() {
        return Vec::new();
    }
    let view = View::new(message.bytes, &spans);
    spans.iter().map(|span| (span.tag, String::from_utf8_lossy(view.value(span)).into_owned())).collect()
}

fn arrow(direction: Direction) -> &'static str {
    match direction {
        Direction::In => "<-",
        Direction::Out => "->",
    }
}

fn raw(message: &PastMessage<'_>) -> String {
    let text = String::from_utf8_lossy(message.bytes).replace('\u{1}', "|");
    format!("{} {} {text}\n", message.entry, arrow(message.direction))
}

fn decoded(message: &PastMessage<'_>) -> String {
    let fields = fields(message);
    let value = |tag: i32| fields.iter().find(|(found, _)| *found == tag).map_or("", |(_, value)| value.as_str());
    let name = fix44().message(value(35).as_bytes()).map_or("", |known| known.name.as_str());
    let (client, seq) = (client_of(message.session), value(34));
    let came = message.received_at.map_or_else(String::new, |time| format!(", received {}", at(time)));
    let mut text =
        format!("{} {} {client} {} {name}({}) at {}{came}\n", message.entry, arrow(message.direction), seq, value(35), value(52));
    for (tag, value) in fields.iter().filter(|(tag, _)| !matches!(tag, 8 | 9 | 10 | 34 | 35 | 49 | 52 | 56)) {
        let name = fix44().field(*tag).map_or("?", |field| field.name.as_str());
        text.push_str(&format!("    {name}({tag}) = {value}\n"));
    }
    text
}
