//! A venue's drop copy: its own account of what was executed, held against what the session for orders told.
//!
//! - An execution that was not told is taken in as found. Its ExecID is the same on both, so whichever comes second is booked
//!   no second time.
//! - One that is told with other figures is a break: the desk raises it, the first account stays in the books.

use std::sync::Arc;
use std::time::Duration;

use oms_runtime::port::DurableSink;

use super::figures::count;
use super::ledger::Ledger;
use super::line::{Shared, log};
use super::port::{OpenError, PortParts, open_session, start_pump};
use super::pump::{Item, Pump, Queue};
use super::said::Said;
use crate::codec::scan::View;
use crate::session::config::{Config, SessionId};
use crate::session::outbox::{Event, Kept, Outgoing};
use crate::session::{BusinessReason, business_reject};
use crate::tags;
use crate::transport::{Application, Endpoint, Reconnect, SessionHandle};

/// How a drop copy is reached. Its dialect is that of its venue.
#[derive(Clone, Debug)]
pub struct DropCopyProfile {
    /// The session, as an initiator.
    pub config: Config,
    /// Where it listens, in turn.
    pub endpoints: Vec<Endpoint>,
    /// How long is waited between attempts to connect.
    pub reconnect: Reconnect,
}

/// The drop copy of a venue.
pub struct DropCopy {
    session: SessionHandle,
    queue: Arc<Queue>,
}

impl DropCopy {
    pub(super) fn open(
        profile: &DropCopyProfile,
        shared: Arc<Shared>,
        parts: &PortParts,
        sink: Arc<dyn DurableSink>,
    ) -> Result<Self, OpenError> {
        let queue = Arc::new(Queue::default());
        let copy = Copy { shared: shared.clone(), queue: queue.clone() };
        let mut config = profile.config.clone();
        config.dictionary = shared.dialect.dictionary;
        let session = open_session(&config, &profile.endpoints, profile.reconnect, parts, Box::new(copy))?;
        let name = format!("oms-copy-{}", shared.venue);
        start_pump(Pump::new(queue.clone(), shared, session.clone(), parts, sink), name)?;
        Ok(Self { session, queue })
    }

    /// Its session.
    #[must_use]
    pub fn session(&self) -> &SessionHandle {
        &self.session
    }

    pub(super) fn drained(&self, within: Duration) -> bool {
        self.queue.drained(within)
    }
}

/// Whether a message tells of an execution, its reversal or its correction. How orders stand is the other session's to tell.
pub(super) fn is_execution(said: &Said<'_>) -> bool {
    said.msg_type() == b"8" && matches!(said.get(150), Some(b"F" | b"G" | b"H"))
}

/// The application of the session.
struct Copy {
    shared: Arc<Shared>,
    queue: Arc<Queue>,
}

impl Copy {
    /// Holds what the drop copy tells against what is known.
    fn compare(&self, said: &Said<'_>) {
        let (state, figures) = (self.shared.lock(), &self.shared.figures);
        let Some((exec_id, fill)) = said.exec_id().zip(said.fill()).filter(|_| said.is(150, b"F")) else { return };
        match known(&state.ledger, said, &exec_id) {
            Known::As(last_qty, last_px) if (last_qty, last_px) != (fill.last_qty, fill.last_px) => {
                count(&figures.drop_copy_breaks);
                tracing::error!(
                    venue = %self.shared.venue, %exec_id, "the drop copy has {} at {}, the session told {last_qty} at {last_px}",
                    fill.last_qty, fill.last_px
                );
            }
            Known::As(..) | Known::TakenBack => (),
            Known::Not => {
                count(&figures.drop_copy_found);
                tracing::warn!(venue = %self.shared.venue, %exec_id, "the drop copy told of an execution first");
            }
        }
    }
}

enum Known {
    Not,
    As(oms_model::Qty, oms_model::Price),
    /// It was taken back, or is an id of a reversal or correction.
    TakenBack,
}

fn known(ledger: &Ledger, said: &Said<'_>, exec_id: &oms_model::ExecId) -> Known {
    let Some(order) = said.wire(11).and_then(|wire_id| ledger.get(&wire_id)) else { return Known::Not };
    match order.fills.iter().find(|(_, fill)| fill.exec_id == *exec_id) {
        Some((_, fill)) => Known::As(fill.last_qty, fill.last_px),
        None if order.told.contains(exec_id) => Known::TakenBack,
        None => Known::Not,
    }
}

impl Application for Copy {
    fn deliver(&mut self, _: &SessionId, message: &View<'_>, replies: &mut Vec<Outgoing>) {
        // Everything is kept; this is not called.
        replies.push(business_reject(message, BusinessReason::ApplicationNotAvailable, None));
    }

    fn keeps(&self) -> bool {
        true
    }

    fn take(&mut self, session: &SessionId, kept: &Kept, message: &View<'_>, replies: &mut Vec<Outgoing>) -> bool {
        let said = Said::new(*message, &self.shared.dialect);
        if is_execution(&said) {
            self.compare(&said);
            // A trade that is not known is answered on the session that it belongs to.
            let reports = self.shared.hear(*message, true, &mut Vec::new());
            self.queue.push(Item { ordinal: Some(kept.ordinal), reports });
            return true;
        }
        if !matches!(message.msg_type(), b"8" | b"9" | b"j" | tags::REJECT) {
            tracing::warn!(%session, "the drop copy sent what is not taken from it");
            replies.push(business_reject(message, BusinessReason::UnsupportedMessageType, None));
        }
        false
    }

    fn event(&mut self, session: &SessionId, event: &Event) {
        match event {
            Event::LoggedOn { .. } => tracing::info!(%session, "the drop copy is logged on"),
            Event::LoggedOut { reason } => tracing::warn!(%session, %reason, "the drop copy is down"),
            other => log(session, &self.shared.figures, other),
        }
    }
}
