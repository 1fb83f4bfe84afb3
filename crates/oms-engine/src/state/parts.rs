//! The whole state in canonical order, for snapshots and state hashes. Equal states give equal parts,
//! however they came about; what follows from the parts is built again from them.

use super::answers::Answers;
use super::{Entry, FxRate, Group, LegPart, Part, RootPart, State, TimerKind, VenueEntry};
use oms_model::event::{ApiKeyCreated, ExecutionUnmatched, Mark};
use oms_model::instrument::{Account, Currency, Instrument, Venue};
use oms_model::policy::SorPolicy;
use oms_model::position::{Booking, Holding, Position, StrategyBase};
use oms_model::quote::{Quote, QuoteRequest};
use oms_model::shadow::RuleSet;
use oms_model::{ClOrdId, CostMethod, ExecId, IntentKind, Order, OrderId, Seq, TenantId, Time};
use oms_risk::{Reservation, RiskBook, RiskParts};
use oms_router::{VenueStats, VenueStatsParts};

/// An order with what the engine keeps beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntryParts {
    /// The order; its children are listed in it.
    pub order: Order,
    /// The executions that were booked on a leg, sorted, so that each is booked once.
    pub execs: Vec<ExecId>,
    /// What is reserved for a client's order.
    pub reserved: Reservation,
    /// The cancel or replace that a leg's venue has not answered.
    pub request: Option<IntentKind>,
    /// Its revision.
    pub request_revision: u32,
    /// When a leg's last intent was decided.
    pub sent_at: Time,
    /// Whether a leg was priced to trade at once.
    pub aggressive: bool,
    /// When a leg's venue should have answered by; set while it should.
    pub answer_by: Option<Time>,
    /// When a client's order leaves the hot state with its tree; set once nothing of it works.
    pub close_at: Option<Time>,
    /// Whether the order's own expiry is still to be served.
    pub expires: bool,
}

/// A venue with what was measured of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VenueParts {
    /// As configured.
    pub venue: Venue,
    /// As measured.
    pub stats: VenueStatsParts,
    /// See [`VenueEntry::connected`].
    pub connected: bool,
}

/// One idempotency key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IdempotencyParts {
    /// When it was used.
    pub time: Time,
    /// The key.
    pub key: u128,
    /// The head of the payload's fingerprint.
    pub fingerprint: u64,
    /// Where its answer stands.
    pub seq: Seq,
}

/// What a position is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HoldingParts {
    /// See [`Holding::base`].
    pub base: Position,
    /// See [`Holding::day`].
    pub day: Vec<Booking>,
    /// See [`Holding::closed`].
    pub closed: Vec<Booking>,
}

/// Everything that a state holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateParts {
    /// See [`State::tenant_id`].
    pub tenant_id: TenantId,
    /// See [`State::slug`].
    pub slug: String,
    /// Mixed into order ids.
    pub id_salt: u64,
    /// See [`State::last_seq`].
    pub last_seq: Seq,
    /// See [`State::time`].
    pub time: Time,
    /// Instruments by id.
    pub instruments: Vec<Instrument>,
    /// Accounts by id.
    pub accounts: Vec<Account>,
    /// Venues by code.
    pub venues: Vec<VenueParts>,
    /// Policies by name.
    pub policies: Vec<SorPolicy>,
    /// Credentials by hash.
    pub api_keys: Vec<ApiKeyCreated>,
    /// Positions by account and instrument.
    pub positions: Vec<Position>,
    /// What they are made of, in the same order.
    pub holdings: Vec<HoldingParts>,
    /// See [`Holding::strategy_bases`]; of every position, in their order.
    pub strategy_bases: Vec<StrategyBase>,
    /// Groups by id.
    pub groups: Vec<Group>,
    /// See [`State::cost_method`].
    pub cost_method: CostMethod,
    /// Recorded rates by currencies.
    pub fx_rates: Vec<FxRate>,
    /// See [`State::last_close`]: the day.
    pub closed_day: u32,
    /// See [`State::last_close`]: when.
    pub closed_at: Time,
    /// The day of the last client order.
    pub number_day: u32,
    /// Its number.
    pub number: u32,
    /// Executions that match no order, oldest first.
    pub suspense: Vec<ExecutionUnmatched>,
    /// Executions that are not ours, oldest first.
    pub dismissed: Vec<ExecutionUnmatched>,
    /// Limits, switches and exposures.
    pub risk: RiskParts,
    /// Rules that run in shadow, by name.
    pub rule_sets: Vec<RuleSet>,
    /// See [`State::risk_currency`].
    pub risk_currency: Currency,
    /// The prices that positions were last valued at, by instrument.
    pub marks: Vec<Mark>,
    /// Orders by id.
    pub orders: Vec<EntryParts>,
    /// Ids that clients used for orders that are no longer in the hot state, by id.
    pub retired: Vec<(ClOrdId, OrderId)>,
    /// Idempotency keys, oldest first.
    pub idempotency: Vec<IdempotencyParts>,
    /// Requests for quotes, by id.
    pub quote_requests: Vec<QuoteRequest>,
    /// Quotes, by id.
    pub quotes: Vec<Quote>,
}

impl State {
    /// The whole state in canonical order.
    #[must_use]
    pub fn parts(&self) -> StateParts {
        let mut retired: Vec<(ClOrdId, OrderId)> = self.orders.retired().map(|(id, order)| (id.clone(), order)).collect();
        retired.sort_unstable();
        StateParts {
            tenant_id: self.tenant_id,
            slug: self.slug.clone(),
            id_salt: self.id_salt,
            last_seq: self.last_seq,
            time: self.time,
            instruments: self.instruments.clone(),
            accounts: self.accounts.values().cloned().collect(),
            venues: self.venues.values().map(venue_parts).collect(),
            policies: self.policies.values().cloned().collect(),
            api_keys: self.api_keys.values().cloned().collect(),
            positions: self.positions().cloned().collect(),
            holdings: self.holdings.values().map(|holding| holding_parts(holding)).collect(),
            strategy_bases: self.holdings.values().flat_map(|holding| holding.strategy_bases()).collect(),
            groups: self.groups.values().cloned().collect(),
            cost_method: self.cost_method,
            fx_rates: self.fx_rates.values().copied().collect(),
            closed_day: self.closed_day,
            closed_at: self.closed_at,
            number_day: self.number_day,
            number: self.number,
            suspense: self.suspense.iter().cloned().collect(),
            dismissed: self.dismissed.iter().cloned().collect(),
            risk: self.risk.parts(),
            rule_sets: self.rule_sets.values().cloned().collect(),
            risk_currency: self.risk_currency,
            marks: self.marks().collect(),
            orders: self.orders_sorted().into_iter().map(|entry| self.entry_parts(entry)).collect(),
            retired,
            idempotency: self.answers.parts(),
            quote_requests: self.quote_requests().cloned().collect(),
            quotes: self.quotes().cloned().collect(),
        }
    }

    fn entry_parts(&self, entry: &Entry) -> EntryParts {
        let order = &entry.order;
        let expires = !order.is_leg() && order.expire_at.is_some_and(|at| self.is_set(at, TimerKind::Expire, order.order_id));
        EntryParts {
            order: order.clone(),
            execs: entry.execs().to_vec(),
            reserved: entry.reserved(),
            request: entry.leg().and_then(|leg| leg.request),
            request_revision: entry.leg().map_or(0, |leg| leg.request_revision),
            sent_at: entry.leg().map_or(Time(0), |leg| leg.sent_at),
            aggressive: entry.leg().is_some_and(|leg| leg.aggressive),
            answer_by: entry.leg().and_then(|leg| leg.answer_by),
            close_at: entry.root().and_then(RootPart::close_at),
            expires,
        }
    }

    /// The state with these parts.
    #[must_use]
    pub fn from_parts(parts: StateParts) -> Self {
        let mut state = Self {
            tenant_id: parts.tenant_id,
            slug: parts.slug,
            id_salt: parts.id_salt,
            last_seq: parts.last_seq,
            time: parts.time,
            suspense: parts.suspense.into(),
            dismissed: parts.dismissed.into(),
            risk: RiskBook::from_parts(parts.risk),
            rule_sets: parts.rule_sets.into_iter().map(|set| (set.name.clone(), set)).collect(),
            risk_currency: parts.risk_currency,
            marks: parts.marks.into_iter().map(|mark| (mark.instrument_id, mark.price)).collect(),
            groups: parts.groups.into_iter().map(|group| (group.group_order_id, group)).collect(),
            cost_method: parts.cost_method,
            closed_day: parts.closed_day,
            closed_at: parts.closed_at,
            number_day: parts.number_day,
            number: parts.number,
            ..Self::default()
        };
        state.accounts = parts.accounts.into_iter().map(|account| (account.account_id, account)).collect();
        state.policies = parts.policies.into_iter().map(|policy| (policy.name.clone(), policy)).collect();
        state.api_keys = parts.api_keys.into_iter().map(|key| (key.sha256, key)).collect();
        state.fx_rates = parts.fx_rates.into_iter().map(|rate| ((rate.from, rate.to), rate)).collect();
        let mut bases = parts.strategy_bases.into_iter().peekable();
        for (position, held) in parts.positions.into_iter().zip(parts.holdings) {
            let of_it =
                |base: &StrategyBase| (base.base.account_id, base.base.instrument_id) == (position.account_id, position.instrument_id);
            let strategies = core::iter::from_fn(|| bases.next_if(of_it));
            let holding = Holding::from_parts(parts.cost_method, held.base, held.day, held.closed, strategies);
            assert_eq!(*holding.now(), position, "a position is what it is made of");
            if !position.qty.is_zero() {
                state.holders.entry(position.instrument_id).or_default().insert(position.account_id);
            }
            state.holdings.insert((position.account_id, position.instrument_id), Box::new(holding));
        }
        state.symbols = parts.instruments.iter().map(|i| (i.symbol.clone(), i.instrument_id)).collect();
        state.instruments = parts.instruments;
        state.venues = parts.venues.into_iter().map(|venue| (venue.venue.venue, venue_entry(venue))).collect();
        state.answers = Answers::from_parts(&parts.idempotency);
        state.orders.restore_retired(parts.retired);
        state.orders.reserve(parts.orders.len(), parts.orders.iter().filter(|parts| parts.order.has_own_id()).count());
        for entry in parts.orders {
            state.restore(entry);
        }
        state.restore_quotes(parts.quote_requests, parts.quotes);
        state.restore_leaves();
        state
    }

    fn restore(&mut self, parts: EntryParts) {
        let part = if parts.order.is_root() {
            Part::Root(RootPart::new(parts.reserved, parts.close_at))
        } else if !parts.order.is_leg() {
            Part::Node
        } else {
            Part::Leg(LegPart {
                execs: parts.execs.into(),
                request: parts.request,
                request_revision: parts.request_revision,
                sent_at: parts.sent_at,
                aggressive: parts.aggressive,
                answer_by: parts.answer_by,
            })
        };
        let mut entry = Entry { order: parts.order, part };
        if let Part::Root(root) = &mut entry.part {
            root.change(|reserved| self.risk.restore_resting(&entry.order, reserved));
        }
        self.hold_changed(&entry.order, None);
        let (order_id, venue) = (entry.order.order_id, entry.order.venue.unwrap_or_default());
        if entry.order.is_root() && !entry.order.state.is_done() {
            self.open_roots += 1;
        }
        if entry.is_unanswered() {
            self.unanswered.insert((venue, order_id));
        }
        if entry.order.extras.doubt.is_some()
            && let Some(venue) = self.venues.get_mut(&venue)
        {
            venue.in_doubt += 1;
        }
        if entry.order.extras.doubt.is_some() {
            self.doubts.insert(order_id);
        }
        let expiry = entry.order.expire_at.filter(|_| parts.expires);
        let stage = super::apply::stage_end(&entry.order);
        let timers = [
            (expiry, TimerKind::Expire),
            (stage, TimerKind::Stage),
            (parts.answer_by, TimerKind::Answer),
            (parts.close_at, TimerKind::Close),
        ];
        for (at, kind) in timers {
            if let Some(at) = at {
                self.set_timer(at, kind, order_id);
            }
        }
        if entry.order.is_root() {
            self.index_overfill(order_id, entry.order.over_qty());
        }
        self.work_began(&entry.order);
        self.orders.insert(entry);
    }
}

fn holding_parts(holding: &Holding) -> HoldingParts {
    HoldingParts { base: holding.base().clone(), day: holding.day().to_vec(), closed: holding.closed().to_vec() }
}

fn venue_parts(entry: &VenueEntry) -> VenueParts {
    VenueParts { venue: entry.venue.clone(), stats: entry.stats.to_parts(), connected: entry.connected }
}

fn venue_entry(parts: VenueParts) -> VenueEntry {
    VenueEntry { venue: parts.venue, stats: VenueStats::from_parts(parts.stats), connected: parts.connected, in_doubt: 0 }
}
