//! `oms fix log`: the messages of FIX sessions, decoded.

use super::{damaged, open};
use crate::cli::FixLog;
use crate::config::Settings;
use crate::exit::{Outcome, written};
use oms_fix::codec::scan::{View, scan};
use oms_fix::codec::value::{Precision, put_timestamp};
use oms_fix::dictionary::fix44;
use oms_fix::store::{Direction, PastMessage, past_messages};
use oms_store::{Journal as _, OpenCheck};
use std::collections::VecDeque;
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
    let (mut kept, mut left, mut failed) = (VecDeque::new(), asked.limit, Ok(()));
    let read = past_messages(journal.reader().as_mut(), asked.from, &mut |message| {
        if !is_meant(asked, &message) {
            return ControlFlow::Continue(());
        }
        let text = if asked.raw { raw(&message) } else { decoded(&message) };
        if asked.last {
            if kept.len() as u64 == asked.limit {
                kept.pop_front();
            }
            kept.push_back(text);
            return ControlFlow::Continue(());
        }
        if left == 0 {
            return ControlFlow::Break(());
        }
        left -= 1;
        failed = written(out.write_all(text.as_bytes()));
        if failed.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    read.map_err(|error| damaged(&error))?;
    failed?;
    kept.iter().try_for_each(|text| written(out.write_all(text.as_bytes())))?;
    written(out.flush())
}

fn is_meant(asked: &FixLog, message: &PastMessage<'_>) -> bool {
    let client = message.session.rsplit_once("->").map(|(_, client)| client);
    let named = asked.client.as_deref().is_none_or(|wanted| client == Some(wanted));
    named && asked.find.as_deref().is_none_or(|value| fields(message).iter().any(|(_, found)| found == value))
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
    let client = message.session.rsplit_once("->").map_or(message.session, |(_, client)| client);
    let came = message.received_at.map_or_else(String::new, |at| {
        let mut text = Vec::new();
        put_timestamp(&mut text, at, Precision::Micros);
        format!(", received {}", String::from_utf8_lossy(&text))
    });
    let mut text =
        format!("{} {} {client} {} {name}({}) at {}{came}\n", message.entry, arrow(message.direction), message.seq, value(35), value(52));
    for (tag, value) in fields.iter().filter(|(tag, _)| !matches!(tag, 8 | 9 | 10 | 34 | 35 | 49 | 52 | 56)) {
        let name = fix44().field(*tag).map_or("?", |field| field.name.as_str());
        text.push_str(&format!("    {name}({tag}) = {value}\n"));
    }
    text
}
