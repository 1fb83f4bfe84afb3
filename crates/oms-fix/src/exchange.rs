//! The other side: venues that are reached by FIX.
//!
//! Each venue is a session whose SenderCompID(49) is its MIC. What stands behind it is any [`VenuePort`]; its reports come
//! through [`Reports`]. NewOrderSingle, OrderCancelRequest, OrderCancelReplaceRequest, OrderStatusRequest and
//! OrderMassStatusRequest in; ExecutionReport, OrderCancelReject, Reject and BusinessMessageReject out.
//!
//! - A request is durable before the venue has it, and what the client is told is stored with its number whether the client
//!   is there or not: it asks for it at its next Logon.
//! - After a crash the venue is asked about everything whose outcome was not told, and the rest of it is told. What the
//!   venue never saw is refused, and not handed over late: no order works that its client may have given up.
//! - An order that is asked about after it was handed over and that the venue does not know is gone for good.

mod book;
mod order;
mod read;
mod restore;
mod session;
mod tell;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use oms_model::Mic;
use oms_model::report::Report;
use oms_runtime::port::{ReportSink, SinkClosed, VenuePort};
use tokio::sync::mpsc;

use crate::session::config::{Config, Role, SessionId, WhenDown};
use crate::store::{JournalStore, MessageStore as _, StoreError};
use crate::transport::{AddError, Ended, Engine, SessionHandle, SessionSpec};
use session::{Door, Venue};

/// Reports of a venue that may wait for its session; with more the venue waits.
const REPORTS: usize = 8_192;
/// Messages of a session that may wait for its venue; more are refused.
const INBOX: usize = 8_192;

/// Why a venue was not opened.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The message store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Two sessions between the same two.
    #[error(transparent)]
    Add(#[from] AddError),
    /// Nobody brings this venue's reports.
    #[error("there is no way for the reports of {0}")]
    NoReports(Mic),
    /// A venue could not say how an order stands whose outcome was not told.
    #[error("{venue} does not say how an order stands: {reason}")]
    NoAnswer {
        /// Which.
        venue: Mic,
        /// Its words.
        reason: String,
    },
}

/// Where the venues put their reports, for the sessions.
#[derive(Clone, Debug)]
pub struct Reports(Arc<BTreeMap<Mic, mpsc::Sender<Report>>>);

/// The other ends of [`Reports`].
#[derive(Debug)]
pub struct ReportsOut(BTreeMap<Mic, mpsc::Receiver<Report>>);

/// A way for the reports of these venues.
#[must_use]
pub fn reports(venues: &[Mic]) -> (Reports, ReportsOut) {
    let ways = venues.iter().map(|mic| (*mic, mpsc::channel(REPORTS)));
    let (mut senders, mut receivers) = (BTreeMap::new(), BTreeMap::new());
    for (mic, (sender, receiver)) in ways {
        senders.insert(mic, sender);
        receivers.insert(mic, receiver);
    }
    (Reports(Arc::new(senders)), ReportsOut(receivers))
}

impl ReportSink for Reports {
    fn report(&self, report: Report) -> Result<(), SinkClosed> {
        let sender = self.0.get(&report.venue).ok_or(SinkClosed)?;
        match sender.try_send(report) {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(SinkClosed),
            // The venue waits, on its own thread.
            Err(mpsc::error::TrySendError::Full(report)) => sender.blocking_send(report).map_err(|_| SinkClosed),
        }
    }
}

/// What a session counts. Each only ever rises.
#[derive(Debug, Default)]
pub struct VenueFigures {
    /// Messages taken.
    pub received: AtomicU64,
    /// Messages told.
    pub told: AtomicU64,
    /// Orders and requests that were refused before the venue had them.
    pub refused: AtomicU64,
    /// Orders and requests whose ClOrdID was used before: something was sent twice.
    pub again: AtomicU64,
}

/// How the line to a venue is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Line {
    /// It works.
    Up,
    /// The connection is cut, and no Logon is taken.
    Down,
    /// The connection stands, and nothing is read or written. What comes in meanwhile is lost.
    HalfOpen,
}

/// One venue, as it is shown.
#[derive(Clone, Debug)]
pub struct VenueSession {
    /// Which.
    pub venue: Mic,
    /// A way to its session.
    pub handle: SessionHandle,
    /// What it counts.
    pub figures: Arc<VenueFigures>,
}

impl VenueSession {
    /// Sets how the line is.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn set_line(&self, line: Line) -> Result<(), Ended> {
        self.handle.open(line == Line::Up);
        match line {
            Line::HalfOpen => self.handle.freeze(true),
            Line::Down => {
                self.handle.cut().await?;
                self.handle.freeze(false);
            }
            Line::Up => {
                if self.handle.is_frozen() {
                    // What came into a line that was half open never arrived.
                    self.handle.cut().await?;
                    self.handle.freeze(false);
                }
            }
        }
        Ok(())
    }
}

/// The set-up of a venue's session with a client.
#[must_use]
pub fn session_config(venue: Mic, client: &str) -> Config {
    let mut config = Config::new(SessionId::fix44(venue.as_str(), client), Role::Acceptor);
    config.when_down = WhenDown::Store;
    config
}

/// Opens the session of a venue where it was. Blocks while the log is read; must be called within a tokio runtime.
///
/// # Errors
/// [`ExchangeError`].
pub fn open(
    engine: &Engine,
    store: &JournalStore,
    mut port: Box<dyn VenuePort>,
    reports: &mut ReportsOut,
    config: Config,
) -> Result<VenueSession, ExchangeError> {
    let (venue, id) = (port.venue(), config.id.clone());
    let reports = reports.0.remove(&venue).ok_or(ExchangeError::NoReports(venue))?;
    let journal = store.session(&id);
    let handled = journal.progress().mark.handled;
    let restored = restore::restore(store, &id, port.as_mut())?;
    let figures = Arc::new(VenueFigures::default());
    let (sender, inbox) = mpsc::channel(INBOX);
    let spec = SessionSpec::new(config, Box::new(journal), Box::new(Door::new(sender, figures.clone())));
    let handle = engine.add(spec)?;
    let running = Venue::new(port, handle.clone(), restored, inbox, reports, handled, figures.clone());
    tokio::spawn(running.run());
    Ok(VenueSession { venue, handle, figures })
}

#[cfg(test)]
mod tests;
