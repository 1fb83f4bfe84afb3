//! Everything that decisions depend on, as a fold of events.

mod answers;
mod apply;
mod books;
mod groups;
mod holds;
mod kills;
mod leaves;
mod orders;
mod part;
mod parts;
mod quotes;
mod timers;
mod valued;
mod works;

use crate::input::IdempotencyKey;
use answers::Answers;
pub use books::FxRate;
use foldhash::fast::FixedState;
pub use groups::Group;
use hashbrown::HashMap;
use oms_model::command::OrderRef;
use oms_model::event::{ApiKeyCreated, ExecutionUnmatched, Leg};
use oms_model::instrument::{Account, Currency, Instrument, Venue};
use oms_model::policy::SorPolicy;
use oms_model::position::Holding;
use oms_model::shadow::RuleSet;
use oms_model::{
    AccountId, ClOrdId, CostMethod, ExecId, InstrumentId, IntentKind, Mic, Order, OrderId, PolicyName, Price, Qty, RuleSetName, Seq,
    Symbol, TenantId, Time,
};
use oms_risk::{Reservation, RiskBook};
use oms_router::VenueStats;
use orders::Orders;
pub(crate) use part::{LegPart, Part, RootPart};
pub use parts::{EntryParts, HoldingParts, IdempotencyParts, StateParts, VenueParts};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
pub use timers::TimerKind;
use timers::Timers;
pub(crate) use works::Lookout;
use works::Works;

/// How long the answer to an idempotency key is kept, nanoseconds.
pub const IDEMPOTENCY_WINDOW_NS: i64 = 86_400_000_000_000;
/// The most idempotency keys kept; beyond it the oldest go first.
pub const MAX_IDEMPOTENCY_KEYS: usize = 16_000_000;
/// How long after an intent's deadline the venue's answer is overdue, nanoseconds.
pub const ANSWER_WITHIN_NS: i64 = 3_000_000_000;
/// How long an order that is done stays in the hot state, for what may still arrive about it, nanoseconds.
pub const CLOSE_AFTER_NS: i64 = 3_600_000_000_000;
/// The most executions that match no order kept for a person to look at; the log has them all.
pub const MAX_SUSPENSE: usize = 10_000;

/// An order with what only the engine needs of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The order.
    pub order: Order,
    /// What is kept of a client's order or of a leg.
    pub(crate) part: Part,
}

impl Entry {
    pub(crate) fn new(order: Order) -> Self {
        let part = match (order.is_root(), order.is_leg()) {
            (true, _) => Part::Root(RootPart::default()),
            (false, true) => Part::Leg(LegPart::default()),
            (false, false) => Part::Node,
        };
        Self { order, part }
    }

    pub(crate) fn leg(&self) -> Option<&LegPart> {
        match &self.part {
            Part::Leg(leg) => Some(leg),
            Part::Root(_) | Part::Node => None,
        }
    }

    pub(crate) fn root(&self) -> Option<&RootPart> {
        match &self.part {
            Part::Root(root) => Some(root),
            Part::Leg(_) | Part::Node => None,
        }
    }

    /// What is reserved for a client's order; nothing for a leg.
    #[must_use]
    pub fn reserved(&self) -> Reservation {
        self.root().map(RootPart::reserved).unwrap_or_default()
    }

    /// The cancel or replace of a leg that its venue has not answered, with its revision. One that is done waits for none.
    #[must_use]
    pub fn request(&self) -> Option<(IntentKind, u32)> {
        self.leg()?.request().filter(|_| !self.order.state.is_done())
    }

    /// The revision of the replace that the venue of a leg has not answered, also where the leg was wholly executed since.
    pub(crate) fn unanswered_replace(&self) -> Option<u32> {
        self.leg()?.request().filter(|(intent, _)| *intent == IntentKind::Replace).map(|(_, revision)| revision)
    }

    /// The executions that were booked on a leg, sorted.
    #[must_use]
    pub fn execs(&self) -> &[ExecId] {
        self.leg().map_or(&[], |leg| &leg.execs)
    }

    /// Whether something was handed to the venue that it has not answered.
    #[must_use]
    pub fn is_unanswered(&self) -> bool {
        self.leg().is_some_and(|leg| leg.is_unanswered(&self.order))
    }

    /// Whether it can still be executed, or may have been without our knowing.
    #[must_use]
    pub fn is_working(&self) -> bool {
        !self.order.state.is_done() || self.order.extras.doubt.is_some()
    }
}

/// A venue with what was measured of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VenueEntry {
    /// As configured.
    pub venue: Venue,
    /// As measured.
    pub stats: VenueStats,
    /// Whether its session is up and reconciled.
    pub connected: bool,
    /// Legs there whose outcome is not known.
    pub in_doubt: u32,
}

pub(crate) type Fixed<K, V> = HashMap<K, V, FixedState>;

/// The hot state of one tenant's partition.
#[derive(Clone, Debug)]
pub struct State {
    tenant_id: TenantId,
    slug: String,
    id_salt: u64,
    last_seq: Seq,
    time: Time,
    orders: Orders,
    open_roots: u64,
    unanswered: BTreeSet<(Mic, OrderId)>,
    // Legs in doubt; follows from the orders.
    doubts: BTreeSet<OrderId>,
    timers: Timers,
    instruments: Vec<Instrument>,
    symbols: Fixed<Symbol, InstrumentId>,
    accounts: BTreeMap<AccountId, Account>,
    venues: BTreeMap<Mic, VenueEntry>,
    policies: BTreeMap<PolicyName, SorPolicy>,
    api_keys: BTreeMap<[u8; 32], ApiKeyCreated>,
    holdings: BTreeMap<(AccountId, InstrumentId), Box<Holding>>,
    groups: BTreeMap<OrderId, Group>,
    cost_method: CostMethod,
    fx_rates: BTreeMap<(Currency, Currency), FxRate>,
    closed_day: u32,
    closed_at: Time,
    // The last number given to a client order, and the day it was given on.
    number_day: u32,
    number: u32,
    // Follows from the orders.
    overfilled: BTreeSet<OrderId>,
    suspense: VecDeque<ExecutionUnmatched>,
    // What was decided not to be ours, oldest first, so that a venue that says it again is not asked about again.
    dismissed: VecDeque<ExecutionUnmatched>,
    answers: Answers,
    quotes: quotes::QuoteBook,
    risk: RiskBook,
    // Rules that run in shadow, by name.
    rule_sets: BTreeMap<RuleSetName, RuleSet>,
    risk_currency: Currency,
    // The prices that positions were last valued at.
    marks: BTreeMap<InstrumentId, Price>,
    // Who holds what; follows from the holdings.
    holders: BTreeMap<InstrumentId, BTreeSet<AccountId>>,
    holds: holds::Holds,
    works: Works,
    // Legs of the last route decision. They are created and sent in the same batch, so this carries nothing from
    // one batch to the next and is no part of a snapshot.
    released: Vec<Leg>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            tenant_id: TenantId::default(),
            slug: String::new(),
            id_salt: 0,
            last_seq: Seq(0),
            time: Time(0),
            orders: Orders::default(),
            open_roots: 0,
            unanswered: BTreeSet::new(),
            doubts: BTreeSet::new(),
            timers: Timers::default(),
            instruments: Vec::new(),
            symbols: HashMap::with_hasher(FixedState::default()),
            accounts: BTreeMap::new(),
            venues: BTreeMap::new(),
            policies: BTreeMap::new(),
            api_keys: BTreeMap::new(),
            holdings: BTreeMap::new(),
            groups: BTreeMap::new(),
            cost_method: CostMethod::Fifo,
            fx_rates: BTreeMap::new(),
            closed_day: 0,
            closed_at: Time(0),
            number_day: 0,
            number: 0,
            overfilled: BTreeSet::new(),
            suspense: VecDeque::new(),
            dismissed: VecDeque::new(),
            answers: Answers::default(),
            quotes: quotes::QuoteBook::default(),
            risk: RiskBook::default(),
            rule_sets: BTreeMap::new(),
            risk_currency: Currency::USD,
            marks: BTreeMap::new(),
            holders: BTreeMap::new(),
            holds: holds::Holds::default(),
            works: Works::default(),
            released: Vec::new(),
        }
    }
}

impl State {
    /// Whose partition it is.
    #[must_use]
    pub fn tenant_id(&self) -> TenantId {
        self.tenant_id
    }
    /// The tenant's short name; empty before it was named.
    #[must_use]
    pub fn slug(&self) -> &str {
        &self.slug
    }
    pub(crate) fn id_salt(&self) -> u64 {
        self.id_salt
    }
    /// The last event folded in.
    #[must_use]
    pub fn last_seq(&self) -> Seq {
        self.last_seq
    }
    /// The sequence of the next event.
    #[must_use]
    pub fn next_seq(&self) -> Seq {
        self.last_seq.next()
    }
    /// When the last event was decided.
    #[must_use]
    pub fn time(&self) -> Time {
        self.time
    }
    /// An order with what the engine knows of it; `None` where it is unknown or was cleaned up.
    #[must_use]
    pub fn entry(&self, order_id: OrderId) -> Option<&Entry> {
        self.orders.get(order_id)
    }
    /// An order; `None` where it is unknown or was cleaned up.
    #[must_use]
    pub fn order(&self, order_id: OrderId) -> Option<&Order> {
        self.entry(order_id).map(|entry| &entry.order)
    }
    /// The order that a reference names.
    #[must_use]
    pub fn find(&self, order: &OrderRef) -> Option<&Order> {
        match order {
            OrderRef::Id(id) => self.order(*id),
            OrderRef::ClOrdId(id) => self.orders.find(id).map(|entry| &entry.order),
        }
    }
    /// The order that used `cl_ord_id`, even where it was cleaned up.
    #[must_use]
    pub fn by_cl_ord_id(&self, cl_ord_id: &ClOrdId) -> Option<OrderId> {
        self.orders.user_of(cl_ord_id)
    }
    /// Every order in the hot state, in no order.
    pub fn orders(&self) -> impl Iterator<Item = &Entry> {
        self.orders.iter()
    }
    /// Every order in the hot state, sorted by id. Walks them all.
    #[must_use]
    pub fn orders_sorted(&self) -> Vec<&Entry> {
        let mut all: Vec<&Entry> = self.orders.iter().collect();
        all.sort_unstable_by_key(|entry| entry.order.order_id);
        all
    }
    /// The ids of the orders that `wanted` picks, sorted. Looks at all of them, in no order.
    pub(crate) fn pick(&self, wanted: impl Fn(&Entry) -> bool) -> Vec<OrderId> {
        let mut ids: Vec<OrderId> = self.orders.iter().filter(|entry| wanted(entry)).map(|entry| entry.order.order_id).collect();
        ids.sort_unstable();
        ids
    }
    /// Whether something that was handed to a venue is neither answered nor in doubt.
    #[must_use]
    pub fn has_undoubted(&self) -> bool {
        self.undoubted(1).next().is_some()
    }
    /// Legs that are neither answered nor in doubt, at most `limit`.
    pub(crate) fn undoubted(&self, limit: usize) -> impl Iterator<Item = OrderId> + '_ {
        let without_doubt = |id: &OrderId| self.order(*id).is_some_and(|leg| leg.extras.doubt.is_none());
        self.unanswered.iter().map(|&(_, id)| id).filter(without_doubt).take(limit)
    }
    /// Orders in the hot state.
    #[must_use]
    pub fn order_count(&self) -> usize {
        self.orders.len()
    }
    /// Client orders that are not done.
    #[must_use]
    pub fn open_roots(&self) -> u64 {
        self.open_roots
    }
    /// An order's parts, oldest first.
    pub fn children<'a>(&'a self, order: &'a Order) -> impl Iterator<Item = &'a Entry> {
        order.children.iter().filter_map(|id| self.entry(*id))
    }
    /// Whether anything below an order is as `wanted` says.
    pub(crate) fn any_below(&self, order: &Order, wanted: &dyn Fn(&Entry) -> bool) -> bool {
        self.children(order).any(|part| wanted(part) || (!part.order.children.is_empty() && self.any_below(&part.order, wanted)))
    }
    /// Whether anything below an order can still be executed, or may have been without our knowing.
    #[must_use]
    pub fn works_below(&self, order: &Order) -> bool {
        self.any_below(order, &Entry::is_working)
    }
    /// What the parts of an order may still execute at most. What works below a part that is done counts too: it was
    /// filled, the execution was taken back, and its cancel has not been answered.
    #[must_use]
    pub fn open_below(&self, order: &Order) -> Qty {
        self.children(order).fold(Qty::ZERO, |sum, part| {
            let open = if part.is_working() { part.order.worst_open_qty() } else { self.open_below(&part.order) };
            sum.saturating_add(open)
        })
    }
    /// Whether anything that works below an order is being canceled.
    pub(crate) fn is_canceling_below(&self, order: &Order) -> bool {
        self.any_below(order, &|part| part.is_working() && part.order.pending == oms_model::Pending::Cancel)
    }
    /// Legs whose last intent the venue has not answered, by venue.
    pub fn unanswered(&self) -> impl Iterator<Item = (Mic, OrderId)> + '_ {
        self.unanswered.iter().copied()
    }
    /// An instrument.
    #[must_use]
    pub fn instrument(&self, id: InstrumentId) -> Option<&Instrument> {
        self.instruments.get(id.0 as usize)
    }
    /// The instrument with this ticker.
    #[must_use]
    pub fn by_symbol(&self, symbol: &Symbol) -> Option<&Instrument> {
        self.instrument(*self.symbols.get(symbol)?)
    }
    /// Every instrument, by id.
    #[must_use]
    pub fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }
    /// An account.
    #[must_use]
    pub fn account(&self, id: AccountId) -> Option<&Account> {
        self.accounts.get(&id)
    }
    /// Every account, by id.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values()
    }
    /// A venue.
    #[must_use]
    pub fn venue(&self, venue: Mic) -> Option<&VenueEntry> {
        self.venues.get(&venue)
    }
    /// Every venue, by code.
    pub fn venues(&self) -> impl Iterator<Item = &VenueEntry> {
        self.venues.values()
    }
    /// A routing policy.
    #[must_use]
    pub fn policy(&self, name: &PolicyName) -> Option<&SorPolicy> {
        self.policies.get(name)
    }
    /// Every routing policy, by name.
    pub fn policies(&self) -> impl Iterator<Item = &SorPolicy> {
        self.policies.values()
    }
    /// A set of rules that runs in shadow.
    #[must_use]
    pub fn rule_set(&self, name: &RuleSetName) -> Option<&RuleSet> {
        self.rule_sets.get(name)
    }
    /// Every set of rules that runs in shadow, by name.
    pub fn rule_sets(&self) -> impl Iterator<Item = &RuleSet> {
        self.rule_sets.values()
    }
    /// The credential whose key has this SHA-256.
    #[must_use]
    pub fn api_key(&self, sha256: &[u8; 32]) -> Option<&ApiKeyCreated> {
        self.api_keys.get(sha256)
    }
    /// Every credential.
    pub fn api_keys(&self) -> impl Iterator<Item = &ApiKeyCreated> {
        self.api_keys.values()
    }
    /// Executions that match no order.
    pub fn suspense(&self) -> impl Iterator<Item = &ExecutionUnmatched> {
        self.suspense.iter()
    }
    /// Limits, kill switches, trading states and exposures.
    #[must_use]
    pub fn risk(&self) -> &RiskBook {
        &self.risk
    }
    /// The head of the fingerprint under which a key was used, and where its answer stands.
    pub(crate) fn idempotent(&self, id: &IdempotencyKey) -> Option<(u64, Seq)> {
        self.answers.get(id.key)
    }
}
