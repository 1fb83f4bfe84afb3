//! The acceptor that the acceptance scripts expect, and one for measurements.
#![allow(dead_code, reason = "each program that has this file uses a part of it")]

use std::collections::BTreeSet;
use std::path::Path;

use oms_fix::codec::encode::Fields;
use oms_fix::codec::scan::View;
use oms_fix::dictionary::{Place, fix44};
use oms_fix::session::config::{Config, ResetOn, Role, SessionId};
use oms_fix::session::outbox::{Event, Outgoing};
use oms_fix::session::{BusinessReason, business_reject};
use oms_fix::store::{JournalStore, MessageStore, StoreError};
use oms_fix::tags;
use oms_fix::transport::{Application, SessionSpec};
use oms_store::EmbeddedJournal;

/// The set-up: numbers start at 1 with every Logon, a short wait for the answer to Logout.
#[must_use]
pub fn config(id: SessionId) -> Config {
    let mut config = Config::new(id, Role::Acceptor);
    config.reset_on = ResetOn { logon: true, ..ResetOn::default() };
    config.timeouts.logout = 2_000_000_000;
    config
}

/// The acceptor with its application.
#[must_use]
pub fn spec(config: Config, store: Box<dyn MessageStore>) -> SessionSpec {
    SessionSpec::new(config, store, Box::<Echo>::default())
}

/// A message store in a directory.
///
/// # Errors
/// It cannot be opened.
pub fn open_journal(dir: impl AsRef<Path>) -> Result<JournalStore, StoreError> {
    let journal =
        EmbeddedJournal::open_dir(dir.as_ref(), oms_store::Config::default()).map_err(|error| StoreError::Failed(error.to_string()))?;
    JournalStore::open(Box::new(journal))
}

/// Sends NewOrderSingle, SecurityDefinition and Email back, and refuses everything else. An order that
/// may have been sent before, and was seen, is swallowed.
#[derive(Debug, Default)]
pub struct Echo {
    seen: BTreeSet<Vec<u8>>,
}

/// Most ClOrdIDs that are remembered; the smallest goes first.
const MAX_SEEN: usize = 100_000;

impl Application for Echo {
    fn deliver(&mut self, _: &SessionId, message: &View<'_>, replies: &mut Vec<Outgoing>) {
        match message.msg_type() {
            b"D" => {
                let order = message.get(tags::CL_ORD_ID).unwrap_or_default();
                let again = message.get(tags::POSS_RESEND) == Some(b"Y");
                if again && self.seen.contains(order) {
                    return;
                }
                if self.seen.len() == MAX_SEEN {
                    self.seen.pop_first();
                }
                self.seen.insert(order.to_vec());
                replies.push(bounce(message));
            }
            b"d" | b"C" => replies.push(bounce(message)),
            _ => replies.push(business_reject(message, BusinessReason::UnsupportedMessageType, None)),
        }
    }

    fn event(&mut self, _: &SessionId, event: &Event) {
        if matches!(event, Event::LoggedOut { .. }) {
            self.seen.clear();
        }
    }
}

/// The same message, its fields ascending; the entries of a group stay behind its count as they were.
fn bounce(message: &View<'_>) -> Outgoing {
    let session = [8, 9, 35, 34, 43, 49, 52, 56, 122];
    let mut header: Vec<_> =
        message.spans().iter().filter(|span| fix44().field(span.tag).is_some_and(|field| field.place == Place::Header)).collect();
    header.retain(|span| !session.contains(&span.tag));
    header.sort_by_key(|span| span.tag);
    let mut parts = fix44().body(message);
    let spans = message.spans();
    parts.sort_by_key(|part| spans.get(part.fields.start).map(|span| span.tag));
    let (mut head, mut body) = (Fields::new(), Fields::new());
    header.iter().for_each(|span| {
        head.raw(message.field(span));
    });
    for part in parts {
        spans.get(part.fields).unwrap_or_default().iter().for_each(|span| {
            body.raw(message.field(span));
        });
    }
    Outgoing { msg_type: message.msg_type().to_vec(), header: head, body, ..Outgoing::default() }
}

/// Answers every order with an ExecutionReport that says it is new, for measurements.
#[derive(Debug, Default)]
pub struct Reports {
    count: u64,
}

impl Application for Reports {
    fn deliver(&mut self, _: &SessionId, message: &View<'_>, replies: &mut Vec<Outgoing>) {
        self.count += 1;
        let field = |tag| message.get(tag).unwrap_or_default();
        let (exec, order) = (format!("E{}", self.count), format!("O{}", self.count));
        let mut report = Outgoing::new(b"8");
        let body = report.body.put(6, b"0").put(11, field(11)).put(14, b"0").text(17, &exec).text(37, &order).put(38, field(38));
        body.put(39, b"0").put(54, field(54)).put(55, field(55)).put(150, b"0").put(151, field(38));
        replies.push(report);
    }
}
