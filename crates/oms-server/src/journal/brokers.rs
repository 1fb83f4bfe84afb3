//! `oms brokers log`: the messages to and from a broker, decoded.

use super::listing::Listing;
use super::messages::at;
use super::{damaged, open};
use crate::cli::BrokersLog;
use crate::config::Settings;
use crate::exit::{Failure, Outcome, written};
use oms_ib::archive::{About, Past, about, past};
use oms_ib::connector::record::{Message, Record};
use oms_model::{OrderId, Time};
use oms_store::{Journal as _, JournalReader, OpenCheck, hex};
use std::collections::BTreeSet;
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;

/// Shows them.
///
/// # Errors
/// [`Failure`] where there is no log, or it is damaged.
pub fn show(asked: &BrokersLog, settings: &Settings) -> Outcome {
    // It becomes part of a path.
    let broker: oms_model::Mic = asked.broker.parse().map_err(|error| Failure::Usage(format!("{}: {error}", asked.broker)))?;
    let dir = asked.data.as_ref().unwrap_or(&settings.server.data).join("ib").join(broker.as_str());
    let journal = open(&dir, OpenCheck::Tail)?;
    let mut reader = journal.reader();
    let mut out = BufWriter::new(std::io::stdout().lock());
    match asked.order {
        Some(order) => of_order(reader.as_mut(), order, asked, settings, &mut out)?,
        None => every(reader.as_mut(), asked, &mut out)?,
    }
    written(out.flush())
}

fn every(reader: &mut dyn JournalReader, asked: &BrokersLog, out: &mut dyn Write) -> Outcome {
    let mut listing = Listing::new(asked.limit, asked.last, out);
    let read = past(reader, asked.from, &mut |entry| {
        let text = match entry.record.message() {
            Some(message) if is_meant(asked, &message) => line(asked, entry.entry, entry.at, &message),
            Some(_) => return ControlFlow::Continue(()),
            None => match noted(&entry).filter(|_| asked.all && asked.find.is_none()) {
                Some(text) => text,
                None => return ControlFlow::Continue(()),
            },
        };
        listing.take(text)
    });
    read.map_err(|error| damaged(&error))?;
    listing.end()
}

fn of_order(reader: &mut dyn JournalReader, order: OrderId, asked: &BrokersLog, settings: &Settings, out: &mut dyn Write) -> Outcome {
    // Without its settings a broker's client id is what the order itself was placed with.
    let set = settings.ib.venues.iter().find(|venue| venue.venue == asked.broker).map(|venue| venue.client_id);
    let client_id = match set {
        Some(client_id) => client_id,
        None => placed_by(reader, order)?.unwrap_or_default(),
    };
    let most = usize::try_from(asked.limit).unwrap_or(usize::MAX);
    let meant =
        About { orders: BTreeSet::from([order]), from: Time(i64::MIN), until: Time(i64::MAX), after: asked.from.saturating_sub(1), most };
    let found = about(reader, client_id, &meant).map_err(|error| damaged(&error))?;
    for one in found.messages.iter().filter(|one| is_meant(asked, &one.message)) {
        written(out.write_all(line(asked, one.entry, one.at, &one.message).as_bytes()))?;
    }
    if let Some(next) = found.next {
        written(writeln!(out, "there are more: --from {}", next + 1))?;
    }
    Ok(())
}

fn placed_by(reader: &mut dyn JournalReader, order: OrderId) -> Result<Option<i32>, Failure> {
    let mut client_id = None;
    let read = past(reader, 1, &mut |entry| match &entry.record {
        Record::Placed(wire_id, place) if wire_id.parts().is_some_and(|(of, _)| of == order) => {
            client_id = Some(place.order.client_id);
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    });
    read.map_err(|error| damaged(&error))?;
    Ok(client_id)
}

fn is_meant(asked: &BrokersLog, message: &Message) -> bool {
    asked.find.as_deref().is_none_or(|value| message.fields.iter().any(|(_, found)| found == value))
}

fn line(asked: &BrokersLog, entry: u64, time: Time, message: &Message) -> String {
    let arrow = if message.sent { "->" } else { "<-" };
    if asked.raw {
        return format!("{entry} {arrow} {}\n", hex(&message.frame));
    }
    let mut text = format!("{entry} {arrow} {} {} at {}\n", asked.broker, message.name, at(time.0));
    for (name, value) in &message.fields {
        text.push_str(&format!("    {name} = {}\n", value.escape_debug()));
    }
    text
}

/// What the connection has noted besides messages.
fn noted(entry: &Past) -> Option<String> {
    let what = match &entry.record {
        Record::Ids(id) => format!("order ids up to {id} are used"),
        Record::Refused(wire_id, kind, why) => format!("{kind:?} {} was refused here: {}", wire_id.as_str(), why.escape_debug()),
        Record::Covered(day) => format!("every execution until day {day} since 1970 is known"),
        Record::Hole => "executions may be missing that cannot be asked for any more".to_owned(),
        Record::Reconciled(_) => "a reconciliation, or a break of it".to_owned(),
        Record::LookedAt(order_id) => format!("every order under the id of {order_id} was shown"),
        Record::Told(exec_id) => format!("the desk has execution {} of somebody else", exec_id.escape_debug()),
        Record::Placed(..) | Record::Cancel(..) | Record::Heard(_) => return None,
    };
    Some(format!("{} -- {what} at {}\n", entry.entry, at(entry.at.0)))
}
