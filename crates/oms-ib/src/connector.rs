//! The desk's side of a TWS or Gateway, without sockets, threads or a clock: what came and what time it is go in, what is to
//! be done comes out, in order.
//!
//! - An order is in the log before its first byte leaves, with an order id that was never used, and never leaves twice.
//! - The gate for orders is open only where a whole look at the gateway has ended: open orders, completed orders,
//!   executions, positions and values, each with its end marker. A list without its end is not an empty list.
//! - The client id is always the same. So a session that has begun proves that the one before it has ended, and that
//!   nothing that was sent in it arrives any more. What two whole looks show no trace of then never arrived.
//!
//! ```text
//! link    connecting, the handshake, heartbeats, the line behind the gateway
//! pace    what waits to leave, cancels first         send   orders, new terms, cancels
//! look    lists and their ends                       ask    the desk's questions
//! ledger  what is known of orders                    hear   what the gateway says
//! feed    market data                                shown  what is shown of it all
//! what_if   what an order would cost, without placing it
//! reconciling   runs in which three sides are compared, and their breaks
//! ```

mod ask;
pub mod codes;
pub mod config;
pub mod contract;
mod feed;
mod hear;
mod ledger;
mod link;
mod look;
mod moment;
mod pace;
mod reconciling;
pub mod record;
mod send;
mod shown;
mod terms;
mod what_if;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use oms_model::report::{Report, ReportBody};
use oms_model::{InstrumentId, OrderId, Price, Qty, Time, WireId};

use crate::codec::Dialect;
use crate::reconcile::sides::DeskAsked;
pub use ask::{Answered, Question};
use config::Config;
use feed::Feed;
pub use feed::Subscribed;
pub use ledger::ForeignOrder;
use ledger::Ledger;
use link::Link;
use look::Looks;
use pace::Pace;
use reconciling::Reconciling;
pub use reconciling::{Demand, RunRefused};
use record::Record;
pub use shown::{AccountFigure, Figures, HeldPosition, LinkState, Status};
pub use what_if::WhatIf;
use what_if::WhatIfs;

/// What time it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// UTC, by which the desk's deadlines are.
    pub wall: Time,
    /// Nanoseconds that only ever pass, by which this side waits.
    pub mono: i64,
}

/// What is to be done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Connect, and say what came of it.
    Connect,
    /// Let the connection go.
    Close,
    /// Put this in the log. It must be durable before anything is sent, told or answered after it.
    Keep(Record),
    /// Write these bytes.
    Send(Vec<u8>),
    /// Tell the desk.
    Report(Report),
    /// Wait until the desk has durably what it was told.
    Settle,
    /// An answer to the question with this number.
    Answer(u64, Answered),
    /// The best quote of one side, as the broker shows it; `None` withdraws it.
    Quote(InstrumentId, bool, Option<(Price, Qty)>),
    /// A trade.
    Trade(InstrumentId, Price, Qty),
    /// Read what the desk has booked, once it has durably what it was told before, and say it under this number to
    /// [`Connector::desk`].
    ReadDesk(u64, Box<DeskAsked>),
}

/// The connector. See the module.
#[derive(Debug)]
pub struct Connector {
    config: Config,
    now: Now,
    out: VecDeque<Action>,
    ledger: Ledger,
    link: Link,
    pace: Pace,
    looks: Looks,
    asked: ask::Asked,
    what_ifs: WhatIfs,
    feed: Feed,
    account: shown::Account,
    figures: Figures,
    reconciling: Reconciling,
    /// Counts what leaves: an order of a higher number than a look's left after it.
    stamp: u64,
    /// When what there is of an order left last.
    left: BTreeMap<OrderId, u64>,
    /// Orders that left and were not answered, and until when they may be.
    unanswered: BTreeMap<OrderId, i64>,
    /// Orders that the gateway holds although they are for the market, and when they count as taken.
    held: BTreeMap<OrderId, i64>,
    /// Orders of which a whole look had no trace, and when that was first.
    absent: BTreeMap<OrderId, i64>,
    /// Orders that never arrived.
    lost: BTreeSet<OrderId>,
    /// Orders that were told to work and that a whole look does not show.
    missing: BTreeSet<OrderId>,
    /// Ids that came twice: refused once the first is over.
    twice: Vec<WireId>,
    /// The first look of this process has not ended: what it finds is told, whatever is known.
    is_fresh: bool,
}

impl Connector {
    /// A connector that knows what its log says. It connects at its first turn.
    #[must_use]
    pub fn new(config: Config, log: impl IntoIterator<Item = Record>) -> Self {
        let mut ledger = Ledger::new(config.client_id, &config.account);
        let mut reconciling = Reconciling::default();
        for record in log {
            match record {
                Record::Reconciled(entry) => reconciling.recall(entry),
                record => ledger.recall(record),
            }
        }
        let link = Link::new(config.seed);
        Self {
            config,
            now: Now::default(),
            out: VecDeque::new(),
            ledger,
            link,
            pace: Pace::default(),
            looks: Looks::default(),
            asked: ask::Asked::default(),
            what_ifs: WhatIfs::default(),
            feed: Feed::default(),
            account: shown::Account::default(),
            figures: Figures::default(),
            reconciling,
            stamp: 0,
            left: BTreeMap::new(),
            unanswered: BTreeMap::new(),
            held: BTreeMap::new(),
            absent: BTreeMap::new(),
            lost: BTreeSet::new(),
            missing: BTreeSet::new(),
            twice: Vec::new(),
            is_fresh: true,
        }
    }

    /// What it was told.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The next thing to do.
    pub fn next_action(&mut self) -> Option<Action> {
        self.out.pop_front()
    }

    /// The dialect of the session, once it is agreed.
    #[must_use]
    pub fn dialect(&self) -> Option<Dialect> {
        self.link.dialect
    }

    /// When [`Connector::turn`] has something to do without anything having come; monotonic.
    #[must_use]
    pub fn due(&self) -> Option<i64> {
        let timers = [
            self.link_due(),
            self.pace.due(self.now.mono).filter(|_| self.link.has_begun()),
            self.looks_due(),
            self.asked.due(),
            self.what_ifs.due(),
            self.unanswered.values().min().copied(),
            self.held.values().min().copied(),
            self.reconcile_due(),
        ];
        timers.into_iter().flatten().min()
    }

    /// Time has passed.
    pub fn turn(&mut self, now: Now) {
        self.pass(now);
        self.link_turn();
        self.acknowledgements();
        self.accept_held();
        self.reconcile_turn();
        self.looks_turn();
        self.serve();
        self.what_ifs_turn();
        self.leave();
    }

    fn pass(&mut self, now: Now) {
        self.now = Now { wall: now.wall, mono: now.mono.max(self.now.mono) };
    }

    fn act(&mut self, action: Action) {
        self.out.push_back(action);
    }

    fn tell(&mut self, at: Option<Time>, body: ReportBody) {
        let transact_time = at.unwrap_or(self.now.wall);
        self.act(Action::Report(Report { venue: self.config.venue, transact_time, body }));
    }

    /// Orders that were not answered in time are looked for.
    fn acknowledgements(&mut self) {
        let now = self.now.mono;
        if self.unanswered.values().any(|until| *until <= now) && self.link.is_working() {
            self.look_now();
            let again = now + self.config.timing.acknowledge;
            self.unanswered.values_mut().filter(|until| **until <= now).for_each(|until| *until = again);
        }
    }

    /// Orders that are only held count as taken after a while: they wait for the market to open.
    fn accept_held(&mut self) {
        let now = self.now.mono;
        let due: Vec<OrderId> = self.held.iter().filter(|(_, until)| **until <= now).map(|(order_id, _)| *order_id).collect();
        for order_id in due {
            self.held.remove(&order_id);
            let heard = self.ledger.accept_held(order_id);
            self.book(heard, None);
        }
    }
}

#[cfg(test)]
mod tests;
