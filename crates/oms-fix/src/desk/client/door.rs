//! The session's side of a client: what it takes, what it refuses, and what it counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use oms_model::logged::{Quoted, Withheld};
use tokio::sync::mpsc;

use crate::codec::scan::View;
use crate::session::config::SessionId;
use crate::session::outbox::{Event, Kept, Outgoing};
use crate::session::{BusinessReason, business_reject};
use crate::transport::Application;

/// What is taken from clients.
const SERVED: [&[u8]; 9] = [b"D", b"F", b"G", b"H", b"AF", b"q", b"R", b"AJ", b"Z"];

/// What a session counts. Each only ever rises.
#[derive(Debug, Default)]
pub struct ClientFigures {
    /// Messages taken from the client.
    pub received: AtomicU64,
    /// Messages sent to it: reports and answers.
    pub sent: AtomicU64,
    /// Messages of it that were refused, by the session or by the desk.
    pub refused: AtomicU64,
    /// Messages of ours that it refused.
    pub peer_refused: AtomicU64,
    /// Times it logged on.
    pub logons: AtomicU64,
    /// Gaps found in what it sent.
    pub gaps: AtomicU64,
    /// Times it asked for messages again.
    pub resends: AtomicU64,
}

pub(super) fn count(figure: &AtomicU64, by: usize) {
    figure.fetch_add(by as u64, Ordering::Relaxed);
}

/// A message on its way to the desk.
pub(in crate::desk) struct Inbound {
    pub(in crate::desk) kept: Kept,
    pub(in crate::desk) bytes: Vec<u8>,
}

/// The session's side of it: takes messages and hands them on.
pub(in crate::desk) struct Door {
    inbox: mpsc::Sender<Inbound>,
    figures: Arc<ClientFigures>,
    /// It is told, and asks for nothing.
    copies: bool,
}

impl Door {
    pub(in crate::desk) fn new(inbox: mpsc::Sender<Inbound>, figures: Arc<ClientFigures>, copies: bool) -> Self {
        Self { inbox, figures, copies }
    }

    fn refuse(&self, message: &View<'_>, reason: BusinessReason, replies: &mut Vec<Outgoing>) -> bool {
        count(&self.figures.refused, 1);
        replies.push(business_reject(message, reason, None));
        false
    }
}

impl Application for Door {
    fn deliver(&mut self, _: &SessionId, message: &View<'_>, replies: &mut Vec<Outgoing>) {
        self.refuse(message, BusinessReason::ApplicationNotAvailable, replies);
    }

    fn keeps(&self) -> bool {
        true
    }

    fn take(&mut self, session: &SessionId, kept: &Kept, message: &View<'_>, replies: &mut Vec<Outgoing>) -> bool {
        match message.msg_type() {
            served if self.copies && SERVED.contains(&served) => {
                count(&self.figures.refused, 1);
                replies.push(business_reject(message, BusinessReason::NotAuthorized, Some("a drop copy is told of orders and sends none")));
                false
            }
            served if SERVED.contains(&served) => {
                let sent = self.inbox.try_send(Inbound { kept: *kept, bytes: message.bytes().to_vec() });
                if sent.is_err() {
                    return self.refuse(message, BusinessReason::ApplicationNotAvailable, replies);
                }
                count(&self.figures.received, 1);
                true
            }
            // A refusal is not refused in its turn: both sides would never end.
            b"j" => {
                count(&self.figures.peer_refused, 1);
                let text = message.get(crate::tags::TEXT).map(String::from_utf8_lossy).unwrap_or_default();
                tracing::warn!(%session, text = %Withheld(&text), "the client refused a message");
                false
            }
            _ => self.refuse(message, BusinessReason::UnsupportedMessageType, replies),
        }
    }

    fn event(&mut self, session: &SessionId, event: &Event) {
        match event {
            Event::LoggedOn { .. } => {
                count(&self.figures.logons, 1);
                tracing::info!(%session, "logged on");
            }
            Event::LoggedOut { reason } => tracing::info!(%session, %reason, "logged out"),
            Event::Dropped { reason, detail } => tracing::warn!(%session, %reason, detail = %Quoted(detail), "a connection was let go"),
            Event::Rejected { seq, .. } | Event::OverRate { seq } => {
                count(&self.figures.refused, 1);
                tracing::warn!(%session, seq, "a message was refused");
            }
            Event::PeerRejected { ref_seq, text } => {
                count(&self.figures.peer_refused, 1);
                tracing::warn!(%session, ref_seq, text = %Withheld(text), "the client refused a message");
            }
            Event::GapFound { begin, end } => {
                count(&self.figures.gaps, 1);
                tracing::warn!(%session, begin, end, "messages are missing");
            }
            Event::ResendAsked { begin, end } => {
                count(&self.figures.resends, 1);
                tracing::info!(%session, begin, end, "messages are sent again");
            }
            Event::Reset => tracing::info!(%session, "the numbers begin anew"),
            Event::NotSent { .. } => tracing::error!(%session, "a message is too large to be sent"),
            _ => (),
        }
    }
}
