//! The port to one venue that speaks FIX.

mod ask;

use std::sync::Arc;
use std::time::Duration;

use oms_model::logged::Quoted;
use oms_model::report::VenueFill;
use oms_model::{BrokerOrderId, IntentKind, Mic, Time, WireId};
use oms_runtime::Clock;
use oms_runtime::port::{Answer, DurableSink, Handed, VenueOrder, VenuePort, VenueState, WireCancel, WireOrder, WireReplace};

use ask::Asked;

use super::dialect::Dialect;
use super::drop_copy::{DropCopy, DropCopyProfile};
use super::figures::VenueFigures;
use super::ledger::{Status, Subject};
use super::line::{Line, Shared, State};
use super::order::{Scribe, Terms};
use super::pump::{Pump, Queue};
use super::recall::Recall;
use crate::session::Phase;
use crate::session::config::{Config, SessionId};
use crate::session::outbox::Outgoing;
use crate::store::{JournalStore, MessageStore as _, StoreError};
use crate::transport::{AddError, Endpoint, Engine, Reconnect, SessionHandle, SessionSpec};

/// Messages of ours that are never sent again: a gap fill takes their place.
const ORDER_FLOW: [&[u8]; 6] = [b"D", b"F", b"G", b"H", b"AF", b"Q"];

/// How a venue is reached and what it wants.
#[derive(Clone, Debug)]
pub struct VenueProfile {
    /// Which venue.
    pub venue: Mic,
    /// The session for orders, as an initiator.
    pub config: Config,
    /// Where it listens, in turn.
    pub endpoints: Vec<Endpoint>,
    /// How long is waited between attempts to connect.
    pub reconnect: Reconnect,
    /// Account(1) of every order, if the venue wants one.
    pub account: Option<String>,
    /// How its FIX differs.
    pub dialect: Arc<Dialect>,
    /// How long an answer to a question may take. Orders wait meanwhile.
    pub patience: Duration,
    /// Its drop copy, if there is one.
    pub drop_copy: Option<DropCopyProfile>,
}

impl VenueProfile {
    /// A venue behind a session, in a dialect.
    #[must_use]
    pub fn new(venue: Mic, mut config: Config, endpoint: Endpoint, dialect: Dialect) -> Self {
        config.never_resend = ORDER_FLOW.map(<[u8]>::to_vec).into();
        config.keeps_evidence = true;
        config.dictionary = dialect.dictionary;
        config.logon_fields = dialect.logon.clone();
        let (reconnect, patience) = (Reconnect::default(), Duration::from_secs(2));
        let dialect = Arc::new(dialect);
        Self { venue, config, endpoints: vec![endpoint], reconnect, account: None, dialect, patience, drop_copy: None }
    }
}

/// What a port needs of its surroundings.
#[derive(Clone)]
pub struct PortParts {
    /// Runs the session.
    pub engine: Engine,
    /// On which runtime. It must outlive the port.
    pub runtime: tokio::runtime::Handle,
    /// Where its messages are kept.
    pub store: Arc<JournalStore>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// Why a port was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The message store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The session.
    #[error(transparent)]
    Add(#[from] AddError),
    /// No thread for it.
    #[error("no thread could be started: {0}")]
    Thread(std::io::Error),
}

/// A session of a venue as it is shown.
#[derive(Clone)]
pub struct VenueSession {
    /// Which venue.
    pub venue: Mic,
    /// Whether it is the drop copy.
    pub is_drop_copy: bool,
    /// A way to it.
    pub handle: SessionHandle,
    /// What the venue's sessions count.
    pub figures: Arc<VenueFigures>,
}

/// The port to one venue.
pub struct FixPort {
    profile: VenueProfile,
    shared: Arc<Shared>,
    queue: Arc<Queue>,
    session: SessionHandle,
    drop_copy: Option<DropCopy>,
    runtime: tokio::runtime::Handle,
    questions: u64,
}

/// Starts the thread that hands on what a session says.
pub(super) fn start_pump(pump: Pump, name: String) -> Result<(), OpenError> {
    std::thread::Builder::new().name(name).spawn(move || pump.run()).map(drop).map_err(OpenError::Thread)
}

impl FixPort {
    /// Takes up the session where it was and connects. What was before was read with the log. Reports go to `sink`, from a
    /// thread of their own.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(profile: VenueProfile, recall: Recall, parts: &PortParts, sink: Arc<dyn DurableSink>) -> Result<Self, OpenError> {
        let ledger = recall.into_ledger();
        let shared = Arc::new(Shared::new(profile.venue, profile.dialect.clone(), parts.clock.clone(), State::new(ledger)));
        let queue = Arc::new(Queue::default());
        let line = Line { shared: shared.clone(), queue: queue.clone() };
        let session = open_session(&profile.config, &profile.endpoints, profile.reconnect, parts, Box::new(line))?;
        let pump = Pump::new(queue.clone(), shared.clone(), session.clone(), parts, sink.clone());
        start_pump(pump, format!("oms-fix-{}", profile.venue))?;
        let drop_copy = match &profile.drop_copy {
            Some(copy) => Some(DropCopy::open(copy, shared.clone(), parts, sink)?),
            None => None,
        };
        Ok(Self { profile, shared, queue, session, drop_copy, runtime: parts.runtime.clone(), questions: 0 })
    }

    /// Its sessions: that for orders, and the drop copy if there is one.
    #[must_use]
    pub fn sessions(&self) -> Vec<VenueSession> {
        let shown = |handle: &SessionHandle, is_drop_copy| VenueSession {
            venue: self.profile.venue,
            is_drop_copy,
            handle: handle.clone(),
            figures: self.shared.figures.clone(),
        };
        let copy = self.drop_copy.iter().map(|copy| shown(copy.session(), true));
        std::iter::once(shown(&self.session, false)).chain(copy).collect()
    }

    /// Waits until everything that came from the venue so far was handed on. False where it was not within that time.
    #[must_use]
    pub fn drained(&self, within: Duration) -> bool {
        self.queue.drained(within) && self.drop_copy.as_ref().is_none_or(|copy| copy.drained(within))
    }

    #[cfg(test)]
    pub(super) fn set_patience(&mut self, patience: Duration) {
        self.profile.patience = patience;
    }

    fn is_up(&self) -> bool {
        *self.session.phase().borrow() == Phase::Up
    }

    fn scribe(&self, now: Time) -> Scribe<'_> {
        Scribe { dialect: &self.profile.dialect, account: self.profile.account.as_deref(), now }
    }

    /// Hands a message over under a wire id. `make` notes it in the ledger and puts it together.
    fn hand(&self, wire_id: &WireId, deadline: Time, make: impl FnOnce(&mut State, &Scribe<'_>) -> Result<Outgoing, String>) -> Handed {
        let now = self.shared.clock.now();
        if deadline < now {
            return Handed::NotSent(format!("deadline passed by {} ns", now.since(deadline)));
        }
        if !self.is_up() {
            return Handed::NotSent("the session is down".to_owned());
        }
        if self.profile.dialect.names.tell(wire_id).is_none() {
            return Handed::NotSent("the venue takes no ClOrdID(11) that long".to_owned());
        }
        let (message, token) = {
            let mut state = self.shared.lock();
            let mut message = match make(&mut state, &self.scribe(now)) {
                Ok(message) => message,
                Err(reason) => return Handed::NotSent(reason),
            };
            message.token = state.token(Subject::Intent(wire_id.clone()));
            message.not_after = Some(deadline.0);
            let token = message.token;
            (message, token)
        };
        let room = u64::try_from(deadline.since(now)).unwrap_or_default();
        let handed = self.runtime.block_on(async { tokio::time::timeout(Duration::from_nanos(room), self.session.hand(message)).await });
        let reason = match handed {
            Ok(Ok(())) => return Handed::Over,
            Ok(Err(ended)) => ended.to_string(),
            Err(_) => "too much waits for the session".to_owned(),
        };
        // It was not taken, so it cannot leave any more.
        let mut state = self.shared.lock();
        state.tokens.remove(&token);
        state.ledger.not_sent(wire_id);
        Handed::NotSent(reason)
    }
}

fn terms_of(state: &State, wire_id: &WireId) -> (Terms, BrokerOrderId) {
    let order = state.ledger.get(wire_id);
    let terms = order.and_then(|order| order.terms.clone()).unwrap_or_else(Terms::unknown);
    (terms, order.map(|order| order.broker_order_id.clone()).unwrap_or_default())
}

fn answer<T>(found: T, whole: bool) -> Answer<T> {
    if whole { Answer::Complete(found) } else { Answer::Incomplete(found) }
}

/// Runs a session of a venue.
pub(super) fn open_session(
    config: &Config,
    endpoints: &[Endpoint],
    reconnect: Reconnect,
    parts: &PortParts,
    application: Box<dyn crate::transport::Application>,
) -> Result<SessionHandle, OpenError> {
    let mut spec = SessionSpec::new(config.clone(), Box::new(parts.store.session(&config.id)), application);
    spec.endpoints = endpoints.to_vec();
    spec.reconnect = reconnect;
    let _entered = parts.runtime.enter();
    Ok(parts.engine.add(spec)?)
}

/// How far the desk has what a session said.
pub(super) fn handled(store: &JournalStore, id: &SessionId) -> u64 {
    store.session(id).progress().mark.handled.unwrap_or_default()
}

impl VenuePort for FixPort {
    fn venue(&self) -> Mic {
        self.profile.venue
    }

    fn send(&mut self, order: &WireOrder) -> Handed {
        let can = &self.profile.dialect.can;
        if let Some(reason) = can.refuses(order) {
            return Handed::NotSent(reason);
        }
        let most = can.max_open_orders;
        self.hand(&order.wire_id, order.deadline, |state, scribe| {
            if most.is_some_and(|most| most <= state.ledger.may_work()) {
                return Err("as many orders work there as the venue takes".to_owned());
            }
            let terms = Terms::of(order);
            let message = scribe.new_order(&order.wire_id, &terms);
            state.ledger.hand_order(&order.wire_id, terms);
            Ok(message)
        })
    }

    fn cancel(&mut self, request: &WireCancel) -> Handed {
        self.hand(&request.wire_id, request.deadline, |state, scribe| {
            let (terms, broker) = terms_of(state, &request.orig_wire_id);
            state.ledger.hand_request(&request.wire_id, IntentKind::Cancel, None);
            Ok(scribe.cancel(request, &terms, &broker))
        })
    }

    fn replace(&mut self, request: &WireReplace) -> Handed {
        if self.profile.dialect.can.max_order_qty.is_some_and(|most| most < request.order_qty) {
            return Handed::NotSent("the venue takes no order that large".to_owned());
        }
        self.hand(&request.wire_id, request.deadline, |state, scribe| {
            let (terms, broker) = terms_of(state, &request.orig_wire_id);
            let changed = Terms { order_qty: request.order_qty, price: request.price, stop_px: request.stop_px, ..terms };
            let message = scribe.replace(request, &changed, &broker);
            state.ledger.hand_request(&request.wire_id, IntentKind::Replace, Some(changed));
            Ok(message)
        })
    }

    fn query(&mut self, order: &WireId) -> Answer<Option<VenueOrder>> {
        if !self.profile.dialect.can.order_status {
            return self.by_numbers(order);
        }
        let names = self.shared.lock().ledger.get(order).map_or_else(|| vec![order.clone()], super::standing::Standing::names);
        let mut unknown = true;
        for name in names {
            let asked = self.ask(Some(&name), |state, scribe, id| {
                let (terms, broker) = terms_of(state, order);
                scribe.status(id, &name, &terms, &broker)
            });
            let (rows, whole) = match asked {
                Asked::Rows(rows, whole) => (rows, whole),
                Asked::NotTaken(_) => return self.by_numbers(order),
                Asked::Failed(reason) => return Answer::Failed(reason),
                Asked::PassedOver => return Answer::Failed("the question was passed over".to_owned()),
            };
            let known = rows.into_iter().rfind(|status| status.state.is_some());
            if let Some(status) = known {
                let (found, agree) = self.agree(&[Status { wire_id: order.clone(), ..status }], whole);
                return answer(found.into_iter().next(), agree);
            }
            unknown &= whole;
        }
        // It told of it before. If it told of its end too, it has forgotten it since, as many do; if not, that it does not
        // know it is no answer that can be leaned on.
        match self.shared.lock().ledger.get(order) {
            Some(known) if known.heard => answer(Some(known.shown()), unknown && known.state != VenueState::Live),
            _ => answer(None, unknown),
        }
    }

    fn open_orders(&mut self) -> Answer<Vec<VenueOrder>> {
        if self.profile.dialect.can.mass_status {
            match self.ask(None, |_, scribe, id| scribe.mass_status(id)) {
                Asked::Rows(rows, whole) => {
                    let (mut found, agree) = self.agree(&rows, whole);
                    found.retain(|order| order.state == VenueState::Live);
                    return answer(found, agree);
                }
                Asked::NotTaken(reason) => {
                    tracing::warn!(venue = %self.profile.venue, reason = %Quoted(&reason), "it is not asked about all orders");
                }
                Asked::Failed(reason) => return Answer::Failed(reason),
                Asked::PassedOver => return Answer::Failed("the question was passed over".to_owned()),
            }
        }
        if let Err(reason) = self.barrier() {
            return Answer::Failed(reason);
        }
        let state = self.shared.lock();
        answer(state.ledger.open().map(super::standing::Standing::shown).collect(), state.ledger.is_whole())
    }

    fn executions_since(&mut self, since: Time) -> Answer<Vec<(WireId, Time, VenueFill)>> {
        let whole = match self.open_orders() {
            Answer::Complete(_) => true,
            Answer::Incomplete(_) => false,
            Answer::Failed(reason) => return Answer::Failed(reason),
        };
        let (found, all) = self.shared.lock().ledger.executions_since(since);
        answer(found, whole && all)
    }
}
