//! A venue's book after a start, from the messages of its session, and what its client was not told.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use oms_model::Time;
use oms_model::report::{Report, ReportBody};
use oms_runtime::port::{Answer, RequestState, VenueOrder, VenuePort, VenueState};
use oms_runtime::{Clock as _, SystemClock};

use super::ExchangeError;
use super::book::{Book, Step};
use super::order::{Asked, Order};
use super::read;
use super::session::{Inbound, with_view};
use crate::session::config::SessionId;
use crate::session::outbox::Outgoing;
use crate::store::{Direction, JournalStore, MessageStore as _};

/// What is refused after a start.
const NEVER_CAME: &str = "it had not come to the venue when that stopped";

/// A message of the last run that was not dealt with.
pub(super) struct Waiting {
    pub(super) inbound: Inbound,
    /// What follows from it; none for a question.
    pub(super) step: Option<Step>,
}

/// Where a session begins.
pub(super) struct Restored {
    pub(super) book: Book,
    /// What is to be told before all else.
    pub(super) out: Vec<Outgoing>,
    /// What that is of: the venue may report it by itself too, where it happened while it was asked.
    pub(super) told: BTreeSet<String>,
    pub(super) waiting: Vec<Waiting>,
}

/// Reads the messages of a session, and asks the venue about all whose outcome was not told.
///
/// # Errors
/// The log; a venue that does not answer.
pub(super) fn restore(store: &JournalStore, id: &SessionId, port: &mut dyn VenuePort) -> Result<Restored, ExchangeError> {
    let venue = port.venue();
    let handled = store.session(id).progress().mark.handled.unwrap_or_default();
    let mut restored = Restored { book: Book::new(venue), out: Vec::new(), told: BTreeSet::new(), waiting: Vec::new() };
    store.messages(id, |message, kept| {
        let inbound = Inbound { kept: kept.unwrap_or_default(), bytes: message.bytes.to_vec() };
        match message.direction {
            Direction::In => restored.take(inbound, handled),
            Direction::Out => with_view(&inbound, |view| {
                if let Some(name) = read::told_unknown(view) {
                    restored.book.is_unknown(&name);
                } else if let Some(body) = read::told(view) {
                    restored.book.report(&Report { venue, transact_time: Time::default(), body });
                }
            }),
        }
        ControlFlow::Continue(())
    })?;
    let mut untold = Vec::new();
    for order in restored.book.open() {
        let found = match port.query(&order.first) {
            Answer::Complete(found) => found,
            Answer::Incomplete(_) => return Err(ExchangeError::NoAnswer { venue, reason: "its answer broke off".to_owned() }),
            Answer::Failed(reason) => return Err(ExchangeError::NoAnswer { venue, reason }),
        };
        rest(order, found.as_ref(), &mut untold);
    }
    for stray in restored.book.strays() {
        untold.push(refused(&stray.asked, stray.wire_id.clone(), "unknown order"));
    }
    let now = SystemClock.now();
    for body in untold {
        restored.told.extend(key(&body));
        restored.out.extend(restored.book.report(&Report { venue, transact_time: now, body }));
    }
    Ok(restored)
}

impl Restored {
    fn take(&mut self, inbound: Inbound, handled: u64) {
        let name = format!("{}-{}", inbound.kept.numbering, inbound.kept.seq);
        let step = with_view(&inbound, |view| match view.msg_type() {
            b"D" | b"F" | b"G" => Some(self.book.take(view, &name, SystemClock.now())),
            _ => None,
        });
        if handled < inbound.kept.ordinal {
            self.waiting.push(Waiting { inbound, step });
        }
    }
}

/// What a venue may say unasked is told apart by this.
pub(super) fn key(body: &ReportBody) -> Option<String> {
    match body {
        ReportBody::Fill { fill, .. } => Some(format!("F{}", fill.exec_id)),
        ReportBody::Canceled { wire_id, .. } => Some(format!("4{wire_id}")),
        ReportBody::Expired { wire_id } => Some(format!("C{wire_id}")),
        _ => None,
    }
}

fn refused(asked: &Asked, wire_id: oms_model::WireId, text: &str) -> ReportBody {
    match asked {
        Asked::Cancel => ReportBody::CancelRejected { wire_id, text: text.to_owned() },
        Asked::Replace(_) => ReportBody::ReplaceRejected { wire_id, text: text.to_owned() },
    }
}

/// What the client was not told of an order, as the venue has it.
fn rest(order: &Order, found: Option<&VenueOrder>, untold: &mut Vec<ReportBody>) {
    let Some(found) = found else {
        if !order.is_done() {
            untold.push(ReportBody::Rejected { wire_id: order.first.clone(), text: NEVER_CAME.to_owned() });
        }
        untold.extend(order.requests.iter().filter(|one| !one.answered).map(|one| refused(&one.asked, one.wire_id.clone(), NEVER_CAME)));
        return;
    };
    if found.state == VenueState::Rejected {
        if !order.is_done() {
            untold.push(ReportBody::Rejected { wire_id: order.first.clone(), text: "refused by the venue".to_owned() });
        }
    } else if !order.acked {
        let broker_order_id = Some(found.broker_order_id.clone());
        untold.push(ReportBody::Accepted { wire_id: order.first.clone(), broker_order_id });
    }
    let mut canceled_by = None;
    let mut refusals = Vec::new();
    for request in order.requests.iter().filter(|request| !request.answered) {
        let state = found.requests.iter().find(|(wire_id, _)| *wire_id == request.wire_id).map(|(_, state)| *state);
        match (state, &request.asked) {
            (Some(RequestState::Accepted), Asked::Cancel) => canceled_by = Some(request.wire_id.clone()),
            (Some(RequestState::Accepted), Asked::Replace(_)) => {
                untold.push(ReportBody::Replaced { wire_id: request.wire_id.clone(), order_qty: None });
            }
            (Some(RequestState::Rejected), asked) => refusals.push(refused(asked, request.wire_id.clone(), "refused by the venue")),
            (Some(RequestState::Pending) | None, asked) => refusals.push(refused(asked, request.wire_id.clone(), NEVER_CAME)),
        }
    }
    let fills = found.fills.iter().filter(|(_, fill)| !order.executions.contains_key(&fill.exec_id));
    untold.extend(fills.map(|(_, fill)| ReportBody::Fill { wire_id: order.current.clone(), fill: fill.clone() }));
    if order.end.is_none() {
        let wire_id = canceled_by.unwrap_or_else(|| order.current.clone());
        match found.state {
            VenueState::Canceled => untold.push(ReportBody::Canceled { wire_id, text: String::new() }),
            VenueState::Expired => untold.push(ReportBody::Expired { wire_id: order.current.clone() }),
            VenueState::Live | VenueState::Filled | VenueState::Rejected => (),
        }
    }
    untold.extend(refusals);
}
