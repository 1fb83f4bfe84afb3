//! The engine's state as bytes: what a snapshot stores and what a state hash is the hash of.
//!
//! The stored shapes stand here, beside their tags, because the engine knows no encoding.

use oms_engine::state::{EntryParts, FxRate, Group, HoldingParts, IdempotencyParts, State, StateParts, VenueParts};
use oms_model::breaker::{Breaker, BreakerState};
use oms_model::compliance::{InFlightRule, Locate, PriceBand, Restriction, SelfMatchPolicy};
use oms_model::dead_man::DeadMan;
use oms_model::event::{
    Allocation, AllocationProposed, ApiKeyCreated, ExecutionUnmatched, Mark, Member, PriorCloseSet, ShortSaleTriggered,
};
use oms_model::instrument::{Account, Currency, Instrument, Valuation, Venue};
use oms_model::limit::{KillState, LimitType, Period, RiskLimit, Scope, ScopedState};
use oms_model::overrides::{Override, OverrideRule};
use oms_model::policy::SorPolicy;
use oms_model::position::{Booking, Position, StrategyBase};
use oms_model::quote::{Quote, QuoteRequest};
use oms_model::schedule::LimitSchedule;
use oms_model::shadow::{Rule, RuleSet};
use oms_model::strategy::{StrategyEnvelope, StrategyUse};
use oms_model::{
    AccountId, AllocMode, AssetClass, ClOrdId, CostMethod, Decimal, ExecId, InstrumentId, IntentKind, Notional, Order, OrderId, Price, Qty,
    RuleSetName, Seq, Side, StrategyId, TenantId, Time, UserId,
};
use oms_risk::holdings::Held;
use oms_risk::parts::{Capital, HeldParts, KilledScope, OpenUse, PnlMarks, RateUse, RecentOrder, RepeatUse, RetiredLimit, SelfMatchRule};
use oms_risk::{Killed, Standing};
use oms_risk::{Reservation, Revisions, RiskParts};
use oms_router::{FillCount, LATENCY_COLUMNS, LATENCY_ROWS, VenueStatsParts};
use oms_store::codec::{DecodeError, Message};
use sha2::{Digest, Sha256};

/// Version of the encoding. A snapshot of another one is not read but made again from the log.
pub const SCHEMA: u32 = 3;

/// Structs that are stored as they are, field by field.
macro_rules! mirror {
    ($($local:ident = $of:ident { $($tag:literal $field:ident: $type:ty),+ $(,)? })*) => {
        $(struct $local { $($field: $type),+ }
        impl From<$of> for $local { fn from(from: $of) -> Self { Self { $($field: from.$field.into()),+ } } }
        impl From<$local> for $of { fn from(from: $local) -> Self { Self { $($field: from.$field.into()),+ } } })*
        oms_store::message! { $($local { $($tag $field),+ })* }
    };
}

mirror! {
    StoredFills = FillCount { 1 submitted: u32, 2 filled: u32 }
    StoredRetired = RetiredLimit { 1 limit_type: LimitType, 2 scope: Scope, 3 version: u32, 4 period: Option<Period>, 5 soft: bool }
    StoredOpen = OpenUse { 1 scope: Scope, 2 open_orders: u64, 3 open_notional: Notional }
    StoredHeld = Held {
        1 buy_qty: Qty, 2 sell_qty: Qty, 3 short_qty: Qty, 4 shorted_qty: Qty, 5 buy: Notional, 6 sell: Notional,
        7 short: Notional, 8 value: Notional, 9 pnl: Notional, 10 spent: Notional,
    }
    StoredHeldParts = HeldParts { 1 account_id: AccountId, 2 instrument_id: InstrumentId, 3 held: StoredHeld }
    StoredKilled = Killed { 1 since: Time, 2 last_asked_at: Time, 3 state: KillState }
    StoredKilledScope = KilledScope { 1 scope: Scope, 2 killed: StoredKilled }
    StoredPnlMarks = PnlMarks { 1 scope: Scope, 2 day_start: Notional, 3 peak: Notional }
    StoredSelfMatch = SelfMatchRule { 1 scope: Scope, 2 policy: SelfMatchPolicy }
    StoredStrategyUse = StrategyUse { 1 strategy: StrategyId, 2 traded: Notional }
    StoredCapital = Capital { 1 account_id: AccountId, 2 capital: Notional }
    StoredRecent = RecentOrder {
        1 at: Time, 2 account_id: AccountId, 3 instrument_id: InstrumentId, 4 side: Side, 5 order_qty: Qty,
        6 price: Option<Price>, 7 stop_px: Option<Price>,
    }
    StoredRevisions = Revisions { 1 limits: u64, 2 lists: u64 }
    StoredKey = IdempotencyParts { 1 time: Time, 2 key: u128, 3 fingerprint: u64, 4 seq: Seq }
    StoredEntry = EntryParts {
        1 order: Order, 2 execs: Vec<ExecId>, 3 reserved: StoredReservation, 4 request: Option<IntentKind>,
        5 request_revision: u32, 6 sent_at: Time, 7 aggressive: bool, 8 answer_by: Option<Time>, 9 close_at: Option<Time>,
        10 expires: bool,
    }
    StoredHolding = HoldingParts { 1 base: Position, 2 day: Vec<Booking>, 3 closed: Vec<Booking> }
    StoredStrategyBase = StrategyBase { 1 strategy: Option<StrategyId>, 2 base: Position }
    StoredGroup = Group {
        1 group_order_id: OrderId, 2 mode: AllocMode, 3 members: Vec<Member>, 4 booked: Option<Box<Allocation>>,
        5 proposed: Option<Box<AllocationProposed>>, 6 dissolved: bool,
    }
    StoredRuleSet = RuleSet { 1 name: RuleSetName, 2 user_id: UserId, 3 since: Time, 4 rules: Vec<Rule> }
    StoredFxRate = FxRate { 1 from: Currency, 2 to: Currency, 3 rate: Decimal, 4 at: Time }
    StoredVenue = VenueParts { 1 venue: Venue, 2 stats: StoredStats, 3 connected: bool }
}

/// What is reserved, without what follows from the order.
struct StoredReservation {
    qty: Qty,
    price: Price,
    worst_price: Price,
    valuation: Valuation,
}

struct StoredStanding {
    breaker: Breaker,
    state: BreakerState,
    since: Time,
    times: Vec<StoredTime>,
}

struct StoredRepeat {
    scope: Scope,
    alike: u64,
    times: Vec<StoredTime>,
}

/// A term or an id in a list; a list of bare numbers would have to be packed.
struct StoredClass {
    class: AssetClass,
}

struct StoredLimitType {
    limit_type: LimitType,
}

struct StoredInstrument {
    instrument_id: InstrumentId,
}

struct StoredTime {
    time: Time,
}

struct StoredRate {
    scope: Scope,
    times: Vec<StoredTime>,
}

/// One bucket of a latency histogram that is not empty.
struct StoredBucket {
    at: u32,
    count: u32,
}

struct StoredStats {
    acknowledged: u64,
    rejected: u64,
    latency_sum_ns: u64,
    latency: Vec<StoredBucket>,
    aggressive: StoredFills,
    passive: StoredFills,
}

struct StoredRisk {
    limits: Vec<RiskLimit>,
    retired: Vec<StoredRetired>,
    killed: Vec<StoredKilledScope>,
    trading_states: Vec<ScopedState>,
    open: Vec<StoredOpen>,
    holdings: Vec<StoredHeldParts>,
    rates: Vec<StoredRate>,
    recent: Vec<StoredRecent>,
    pnl_marks: Vec<StoredPnlMarks>,
    repeats: Vec<StoredRepeat>,
    tripped: Vec<Scope>,
    restrictions: Vec<Restriction>,
    locates: Vec<Locate>,
    short_sale_restricted: Vec<StoredInstrument>,
    self_match: Vec<StoredSelfMatch>,
    envelopes: Vec<StrategyEnvelope>,
    strategy_uses: Vec<StoredStrategyUse>,
    required: Vec<StoredLimitType>,
    capitals: Vec<StoredCapital>,
    classes: Vec<StoredClass>,
    breakers: Vec<StoredStanding>,
    overrides: Vec<Override>,
    override_rule: OverrideRule,
    schedules: Vec<LimitSchedule>,
    revisions: StoredRevisions,
    dead_men: Vec<DeadMan>,
    in_flight_rule: Option<InFlightRule>,
    price_bands: Vec<PriceBand>,
    prior_closes: Vec<PriorCloseSet>,
    triggered: Vec<ShortSaleTriggered>,
}

struct StoredClOrdId {
    cl_ord_id: ClOrdId,
    order_id: OrderId,
}

struct StoredState {
    tenant_id: TenantId,
    slug: String,
    id_salt: u64,
    last_seq: Seq,
    time: Time,
    instruments: Vec<Instrument>,
    accounts: Vec<Account>,
    venues: Vec<StoredVenue>,
    policies: Vec<SorPolicy>,
    api_keys: Vec<ApiKeyCreated>,
    positions: Vec<Position>,
    suspense: Vec<ExecutionUnmatched>,
    risk: StoredRisk,
    orders: Vec<StoredEntry>,
    retired: Vec<StoredClOrdId>,
    idempotency: Vec<StoredKey>,
    holdings: Vec<StoredHolding>,
    books: StoredBooks,
    groups: Vec<StoredGroup>,
    quote_requests: Vec<QuoteRequest>,
    quotes: Vec<Quote>,
    risk_currency: Currency,
    marks: Vec<Mark>,
    rule_sets: Vec<StoredRuleSet>,
    dismissed: Vec<ExecutionUnmatched>,
    strategy_bases: Vec<StoredStrategyBase>,
}

/// How and when what was executed is added up.
struct StoredBooks {
    cost_method: CostMethod,
    fx_rates: Vec<StoredFxRate>,
    closed_day: u32,
    closed_at: Time,
    number_day: u32,
    number: u32,
}

oms_store::message! {
    StoredTime { 1 time }
    StoredRate { 1 scope, 2 times }
    StoredBucket { 1 at, 2 count }
    StoredStats { 1 acknowledged, 2 rejected, 3 latency_sum_ns, 4 latency, 5 aggressive, 6 passive }
    StoredReservation { 1 qty, 2 price, 3 worst_price, 4 valuation }
    StoredStanding { 1 breaker, 2 state, 3 since, 4 times }
    StoredRepeat { 1 scope, 2 alike, 3 times }
    StoredClass { 1 class }
    StoredLimitType { 1 limit_type }
    StoredInstrument { 1 instrument_id }
    StoredRisk {
        1 limits, 2 retired, 3 killed, 4 trading_states, 5 open, 7 rates, 8 recent, 9 holdings, 10 pnl_marks, 11 repeats,
        12 tripped, 13 restrictions, 14 locates, 15 short_sale_restricted, 16 self_match, 17 envelopes, 18 strategy_uses,
        19 required, 20 capitals, 21 classes, 22 breakers, 40 dead_men, 41 in_flight_rule, 42 price_bands,
        43 prior_closes, 44 triggered, 60 overrides, 61 override_rule, 62 schedules, 63 revisions,
    }
    StoredClOrdId { 1 cl_ord_id, 2 order_id }
    StoredState {
        1 tenant_id, 2 slug, 3 id_salt, 4 last_seq, 5 time, 6 instruments, 7 accounts, 8 venues, 9 policies, 10 api_keys,
        11 positions, 12 suspense, 13 risk, 14 orders, 15 retired, 16 idempotency, 19 holdings, 20 books, 21 groups,
        29 quote_requests, 30 quotes, 31 risk_currency, 32 marks, 33 rule_sets, 34 dismissed, 35 strategy_bases,
    }
    StoredBooks { 1 cost_method, 2 fx_rates, 3 closed_day, 4 closed_at, 5 number_day, 6 number }
}

fn all<A, B: From<A>>(list: Vec<A>) -> Vec<B> {
    list.into_iter().map(B::from).collect()
}

fn bucket((at, &count): (u32, &u16)) -> StoredBucket {
    StoredBucket { at, count: count.into() }
}

impl From<Reservation> for StoredReservation {
    fn from(from: Reservation) -> Self {
        let Reservation { qty, price, worst_price, valuation, resting: _ } = from;
        Self { qty, price, worst_price, valuation }
    }
}

impl From<StoredReservation> for Reservation {
    fn from(stored: StoredReservation) -> Self {
        let StoredReservation { qty, price, worst_price, valuation } = stored;
        Self { qty, price, worst_price, valuation, resting: None }
    }
}

impl From<InstrumentId> for StoredInstrument {
    fn from(instrument_id: InstrumentId) -> Self {
        Self { instrument_id }
    }
}

impl From<LimitType> for StoredLimitType {
    fn from(limit_type: LimitType) -> Self {
        Self { limit_type }
    }
}

impl From<AssetClass> for StoredClass {
    fn from(class: AssetClass) -> Self {
        Self { class }
    }
}

impl From<Standing> for StoredStanding {
    fn from(from: Standing) -> Self {
        let times = from.times.into_iter().map(|time| StoredTime { time }).collect();
        Self { breaker: from.breaker, state: from.state, since: from.since, times }
    }
}

impl From<StoredStanding> for Standing {
    fn from(stored: StoredStanding) -> Self {
        let times = stored.times.into_iter().map(|stored| stored.time).collect();
        Self { breaker: stored.breaker, state: stored.state, since: stored.since, times }
    }
}

impl From<RepeatUse> for StoredRepeat {
    fn from(from: RepeatUse) -> Self {
        Self { scope: from.scope, alike: from.alike, times: from.times.into_iter().map(|time| StoredTime { time }).collect() }
    }
}

impl From<StoredRepeat> for RepeatUse {
    fn from(stored: StoredRepeat) -> Self {
        Self { scope: stored.scope, alike: stored.alike, times: stored.times.into_iter().map(|stored| stored.time).collect() }
    }
}

impl From<RateUse> for StoredRate {
    fn from(from: RateUse) -> Self {
        Self { scope: from.scope, times: from.times.into_iter().map(|time| StoredTime { time }).collect() }
    }
}

impl From<StoredRate> for RateUse {
    fn from(stored: StoredRate) -> Self {
        Self { scope: stored.scope, times: stored.times.into_iter().map(|stored| stored.time).collect() }
    }
}

impl From<VenueStatsParts> for StoredStats {
    fn from(parts: VenueStatsParts) -> Self {
        Self {
            acknowledged: parts.acknowledged,
            rejected: parts.rejected,
            latency_sum_ns: parts.latency_sum_ns,
            latency: (0..).zip(parts.latency.as_flattened()).filter(|(_, count)| **count > 0).map(bucket).collect(),
            aggressive: parts.aggressive.into(),
            passive: parts.passive.into(),
        }
    }
}

impl From<StoredStats> for VenueStatsParts {
    fn from(stored: StoredStats) -> Self {
        let mut latency = [[0_u16; LATENCY_COLUMNS]; LATENCY_ROWS];
        for StoredBucket { at, count } in stored.latency {
            if let Some(slot) = latency.as_flattened_mut().get_mut(at as usize) {
                *slot = u16::try_from(count).unwrap_or(u16::MAX);
            }
        }
        Self {
            acknowledged: stored.acknowledged,
            rejected: stored.rejected,
            latency_sum_ns: stored.latency_sum_ns,
            latency,
            aggressive: stored.aggressive.into(),
            passive: stored.passive.into(),
        }
    }
}

impl From<RiskParts> for StoredRisk {
    fn from(parts: RiskParts) -> Self {
        Self {
            limits: parts.limits,
            retired: all(parts.retired),
            killed: all(parts.killed),
            trading_states: parts.trading_states,
            open: all(parts.open),
            holdings: all(parts.holdings),
            rates: all(parts.rates),
            recent: all(parts.recent),
            pnl_marks: all(parts.pnl_marks),
            repeats: all(parts.repeats),
            tripped: parts.tripped,
            restrictions: parts.restrictions,
            locates: parts.locates,
            short_sale_restricted: all(parts.short_sale_restricted),
            self_match: all(parts.self_match),
            envelopes: parts.envelopes,
            strategy_uses: all(parts.strategy_uses),
            required: all(parts.required),
            capitals: all(parts.capitals),
            classes: all(parts.classes),
            breakers: all(parts.breakers),
            overrides: parts.overrides,
            override_rule: parts.override_rule,
            schedules: parts.schedules,
            revisions: parts.revisions.into(),
            dead_men: parts.dead_men,
            in_flight_rule: parts.in_flight_rule,
            price_bands: parts.price_bands,
            prior_closes: parts.prior_closes,
            triggered: parts.triggered,
        }
    }
}

impl From<StoredRisk> for RiskParts {
    fn from(stored: StoredRisk) -> Self {
        Self {
            limits: stored.limits,
            retired: all(stored.retired),
            killed: all(stored.killed),
            trading_states: stored.trading_states,
            open: all(stored.open),
            holdings: all(stored.holdings),
            rates: all(stored.rates),
            recent: all(stored.recent),
            pnl_marks: all(stored.pnl_marks),
            repeats: all(stored.repeats),
            tripped: stored.tripped,
            restrictions: stored.restrictions,
            locates: stored.locates,
            short_sale_restricted: stored.short_sale_restricted.into_iter().map(|one| one.instrument_id).collect(),
            self_match: all(stored.self_match),
            envelopes: stored.envelopes,
            strategy_uses: all(stored.strategy_uses),
            required: stored.required.into_iter().map(|one| one.limit_type).collect(),
            capitals: all(stored.capitals),
            classes: stored.classes.into_iter().map(|one| one.class).collect(),
            breakers: all(stored.breakers),
            overrides: stored.overrides,
            override_rule: stored.override_rule,
            schedules: stored.schedules,
            revisions: stored.revisions.into(),
            dead_men: stored.dead_men,
            in_flight_rule: stored.in_flight_rule,
            price_bands: stored.price_bands,
            prior_closes: stored.prior_closes,
            triggered: stored.triggered,
        }
    }
}

impl From<StateParts> for StoredState {
    fn from(parts: StateParts) -> Self {
        let named = |(cl_ord_id, order_id)| StoredClOrdId { cl_ord_id, order_id };
        Self {
            tenant_id: parts.tenant_id,
            slug: parts.slug,
            id_salt: parts.id_salt,
            last_seq: parts.last_seq,
            time: parts.time,
            instruments: parts.instruments,
            accounts: parts.accounts,
            venues: all(parts.venues),
            policies: parts.policies,
            api_keys: parts.api_keys,
            positions: parts.positions,
            suspense: parts.suspense,
            risk: parts.risk.into(),
            orders: all(parts.orders),
            retired: parts.retired.into_iter().map(named).collect(),
            idempotency: all(parts.idempotency),
            quote_requests: parts.quote_requests,
            quotes: parts.quotes,
            risk_currency: parts.risk_currency,
            marks: parts.marks,
            rule_sets: all(parts.rule_sets),
            dismissed: parts.dismissed,
            strategy_bases: all(parts.strategy_bases),
            holdings: all(parts.holdings),
            groups: all(parts.groups),
            books: StoredBooks {
                cost_method: parts.cost_method,
                fx_rates: all(parts.fx_rates),
                closed_day: parts.closed_day,
                closed_at: parts.closed_at,
                number_day: parts.number_day,
                number: parts.number,
            },
        }
    }
}

impl From<StoredState> for StateParts {
    fn from(stored: StoredState) -> Self {
        Self {
            tenant_id: stored.tenant_id,
            slug: stored.slug,
            id_salt: stored.id_salt,
            last_seq: stored.last_seq,
            time: stored.time,
            instruments: stored.instruments,
            accounts: stored.accounts,
            venues: all(stored.venues),
            policies: stored.policies,
            api_keys: stored.api_keys,
            positions: stored.positions,
            suspense: stored.suspense,
            risk: stored.risk.into(),
            orders: all(stored.orders),
            retired: stored.retired.into_iter().map(|named| (named.cl_ord_id, named.order_id)).collect(),
            idempotency: all(stored.idempotency),
            quote_requests: stored.quote_requests,
            quotes: stored.quotes,
            risk_currency: stored.risk_currency,
            marks: stored.marks,
            rule_sets: all(stored.rule_sets),
            dismissed: stored.dismissed,
            strategy_bases: all(stored.strategy_bases),
            holdings: all(stored.holdings),
            groups: all(stored.groups),
            cost_method: stored.books.cost_method,
            fx_rates: all(stored.books.fx_rates),
            closed_day: stored.books.closed_day,
            closed_at: stored.books.closed_at,
            number_day: stored.books.number_day,
            number: stored.books.number,
        }
    }
}

/// The state as canonical bytes: equal states give equal bytes.
#[must_use]
pub fn encode(state: &State) -> Vec<u8> {
    let mut bytes = Vec::new();
    StoredState::from(state.parts()).encode(&mut bytes);
    bytes
}

/// The state from its bytes.
///
/// # Errors
/// Where the bytes are not what [`encode`] writes.
pub fn decode(bytes: &[u8]) -> Result<State, DecodeError> {
    StoredState::decode(bytes).map(|stored| State::from_parts(stored.into()))
}

/// SHA-256 of the state's canonical bytes. The same log prefix always gives the same hash.
#[must_use]
pub fn state_hash(state: &State) -> [u8; 32] {
    hash_of(&encode(state))
}

/// The state hash of a state's canonical bytes.
#[must_use]
pub fn hash_of(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
