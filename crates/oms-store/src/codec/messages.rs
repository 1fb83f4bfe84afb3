//! The fields of everything that is stored, with their tags. A tag is never used for something else.

use oms_model::Order;
use oms_model::algo::{AlgoParams, CurvePart, Peg};
use oms_model::allocate::Share;
use oms_model::breaker::Breaker;
use oms_model::command::Placed;
use oms_model::compliance::{Compliance, Hold, Locate, PriceBand, Restriction};
use oms_model::dead_man::DeadMan;
use oms_model::event::{
    AlgoStepped, Allocation, AllocationApproved, AllocationProposed, AllocationRejected, ApiKeyCreated, BreakerMoved, BreakerRemoved,
    BrokerSession, Candidate, CareAccepted, CarePassed, CommissionRecorded, CostMethodSet, DayClosed, DeadManArmed, DeadManBeat,
    DeadManDisarmed, DeadManFired, ExecutionCorrected, ExecutionRecorded, ExecutionReversed, ExecutionUnmatched, Filled, FxRateSet,
    IdempotencyRecorded, IdempotentResult, InFlightRuleSet, KillSwitchChanged, KillSwitchConfirmed, Leg, LimitRequired, LimitScheduleMoved,
    Mark, Member, NavSet, OrderAccepted, OrderAnomaly, OrderArmed, OrderCancelRequested, OrderClosed, OrderCreated, OrderEnded,
    OrderFillAdjusted, OrderHeld, OrderInDoubt, OrderOutcomeResolved, OrderRejected, OrderReleased, OrderReplaceRequested, OrderReplaced,
    OrderSent, OrderSized, OrderStateSynced, OrderTriggered, OrdersGrouped, OrdersUngrouped, OverrideConsented, OverrideExpired,
    OverrideRevoked, PeerFilled, PositionFrozen, PositionsMarked, PriceBandRemoved, PriorCloseSet, QuoteAccepted, QuoteEnded,
    QuoteReceived, QuoteReplaced, QuoteRequestEnded, QuoteRequested, RequestNamed, RequestRejected, RestrictionRemoved, RiskBreached,
    RiskChecked, RiskCurrencySet, RiskImported, RiskLimitRemoved, RiskOverridden, RouteDecided, SagaStepped, SelfMatchPrevented,
    SelfMatchRuleSet, ShadowRulesPromoted, ShadowRulesRemoved, ShadowRulesSet, ShortSaleStateSet, ShortSaleTriggered, SliceReleased,
    StageEnded, StageStarted, StopMoved, SuspenseResolved, TenantCreated, ThrottleReset, ThrottleTripped, TradingStateSet,
};
use oms_model::instrument::{Account, ExternalId, Instrument, TickStep, Venue};
use oms_model::limit::{CheckResult, RiskLimit, Scope, ScopedState};
use oms_model::market::{Seen, SeenPrice};
use oms_model::order::{Basis, Booked, Care, Doubt, Extras, Names, Routing, Saga, SagaPart, Stage, Terms};
use oms_model::overrides::{Override, OverrideRule};
use oms_model::policy::{SorPolicy, Weights};
use oms_model::position::{Booking, Lot, Position};
use oms_model::quote::{Quote, QuoteRequest};
use oms_model::refusal::{Code, Refusal};
use oms_model::schedule::LimitSchedule;
use oms_model::shadow::Rule;
use oms_model::strategy::{StrategyEnvelope, Tradable};
use oms_model::work::{Instructions, Link, Trail, Work};
use oms_model::{AccountId, AssetClass, InstrumentId, Mic, OrderId, StrategyId, UserId};
use prost::encoding::{WireType, encode_key};

use super::bytes::{delimited, put_delimited};
use super::error::{DecodeError, Fault};
use super::wire::{Field, Fields, Message, Value};

/// Tag of [`RiskChecked::results`], which recovery does not need.
pub(super) const RISK_CHECKED_RESULTS: u32 = 3;
/// Tag of [`RouteDecided::candidates`], which recovery does not need.
pub(super) const ROUTE_DECIDED_CANDIDATES: u32 = 8;

/// Hands every stored struct to the macro `then`.
macro_rules! stored_messages {
    ($then:ident) => {
        $then! {
            OrderCreated {
                1 order_id, 2 parent_order_id, 3 root_order_id, 4 cl_ord_id, 5 account_id, 6 user_id,
                7 instrument_id, 8 side, 9 ord_type, 10 time_in_force, 11 source, 12 order_qty, 13 price,
                14 stop_px, 15 expire_at, 16 routing, 17 venue, 18 metadata, 19 kind, 23 number, 26 work, 34 basis, 40 compliance,
            }
            SeenPrice { 1 price, 2 at }
            Seen { 1 bid, 2 ask, 3 last }
            RiskChecked { 1 order_id, 2 worst_price, 3 results, 4 seen }
            OrderRejected { 1 order_id, 2 by, 3 code, 4 text }
            Candidate {
                1 venue, 2 excluded, 3 bid, 4 bid_size, 5 ask, 6 ask_size, 7 quote_age_ns, 8 latency_ns,
                9 fill_ppm, 10 fee, 11 price_score, 12 latency_score, 13 fill_score, 14 fee_score, 15 score,
            }
            Leg { 1 order_id, 2 venue, 3 qty, 4 price, 5 time_in_force, 6 aggressive }
            RouteDecided {
                1 order_id, 2 attempt, 3 policy, 4 policy_version, 5 mode, 6 bid, 7 ask, 8 candidates, 9 legs,
                10 place_qty, 11 replan_reason,
            }
            OrderSent { 1 order_id, 2 intent, 3 revision, 4 venue, 5 deadline, 6 terms }
            OrderStateSynced { 1 order_id, 2 state, 3 place_qty }
            OrderAccepted { 1 order_id, 2 broker_order_id }
            Filled { 1 order_id, 2 exec_id, 3 last_qty, 4 last_px, 5 last_notional }
            OrderCancelRequested { 1 order_id, 2 by }
            OrderEnded { 1 order_id, 2 by, 3 text }
            RequestRejected { 1 order_id, 2 by, 3 text }
            OrderReplaceRequested { 1 order_id, 2 terms }
            RequestNamed { 1 order_id, 2 intent, 3 cl_ord_id }
            OrderReplaced { 1 order_id, 2 terms, 3 revision }
            OrderInDoubt { 1 order_id, 2 intent, 3 revision, 4 reason }
            OrderOutcomeResolved { 1 order_id, 2 intent, 3 revision, 4 outcome, 5 evidence }
            OrderClosed { 1 order_id }
            OrderAnomaly { 1 order_id, 2 anomaly, 3 detail }
            ExecutionRecorded {
                1 exec_id, 2 order_id, 3 root_order_id, 4 account_id, 5 instrument_id, 6 side, 7 venue, 8 last_qty,
                9 last_px, 10 liquidity, 11 fee, 12 transact_time, 13 manual,
            }
            ExecutionUnmatched {
                1 exec_id, 2 venue, 3 wire_id, 4 last_qty, 5 last_px, 6 transact_time, 7 exec_ref,
                8 commission, 9 commission_currency,
            }
            ExecutionReversed {
                1 exec_id, 2 venue, 3 order_id, 4 root_order_id, 5 account_id, 6 instrument_id, 7 side, 8 last_qty,
                9 last_px, 10 fee, 11 transact_time, 12 reference, 13 reason,
            }
            ExecutionCorrected {
                1 exec_id, 2 venue, 3 order_id, 4 root_order_id, 5 account_id, 6 instrument_id, 7 side, 8 last_qty,
                9 last_px, 10 fee, 11 transact_time, 12 old_qty, 13 old_px, 14 reference, 15 reason,
            }
            CommissionRecorded { 1 exec_id, 2 venue, 3 order_id, 4 account_id, 5 instrument_id, 6 fee, 7 commission, 8 currency, 9 rate }
            OrderFillAdjusted { 1 order_id, 2 exec_id, 3 state, 4 qty, 5 notional, 6 direct }
            SuspenseResolved { 1 venue, 2 exec_id, 3 order_id, 4 account_id, 5 reason }
            FxRateSet { 1 from, 2 to, 3 rate }
            PositionFrozen {
                1 day, 2 account_id, 3 instrument_id, 4 qty, 5 cost, 6 realized, 7 fees, 8 day_realized, 9 day_fees,
                10 mark, 11 unrealized, 12 currency, 13 base_currency, 14 fx_rate,
            }
            DayClosed { 1 day, 2 positions }
            CostMethodSet { 1 method }
            Member { 1 order_id, 2 account_id, 3 created_at, 4 remaining }
            OrdersGrouped { 1 group_order_id, 2 mode, 3 members }
            OrdersUngrouped { 1 group_order_id, 2 members, 3 reason }
            Allocation {
                1 alloc_id, 2 group_order_id, 3 account_id, 4 instrument_id, 5 side, 6 rule, 7 qty, 8 notional,
                9 lot, 10 transact_time, 11 members, 12 shares,
            }
            AllocationProposed { 1 allocation, 2 user_id }
            AllocationApproved { 1 alloc_id, 2 group_order_id, 3 user_id }
            AllocationRejected { 1 alloc_id, 2 group_order_id, 3 user_id, 4 reason }
            Share { 1 order_id, 2 qty, 3 notional }
            OrderTriggered { 1 order_id, 2 source, 3 stop_px, 4 seen_px }
            StopMoved { 1 order_id, 2 stop_px, 3 seen_px }
            SliceReleased { 1 order_id, 2 slice_id, 3 qty, 4 price, 5 leftover, 6 reason }
            AlgoStepped {
                1 order_id, 2 action, 3 price, 4 wake, 5 on_market, 6 volume, 7 volume_mark, 8 reason,
            }
            OrderArmed { 1 order_id, 2 by, 3 armed_qty }
            PeerFilled { 1 order_id, 2 by, 3 taken_qty }
            BrokerSession { 1 venue, 2 reason }
            KillSwitchChanged { 1 scope, 2 reason }
            TradingStateSet { 1 scope, 2 state, 3 reason, 4 by_breaker }
            RiskLimitRemoved { 1 limit_type, 2 scope, 3 period, 4 soft }
            TenantCreated { 1 tenant_id, 2 slug, 3 id_salt }
            ApiKeyCreated { 1 api_key_id, 2 user_id, 3 prefix, 4 sha256 }
            QuoteRequested {
                1 quote_req_id, 2 account_id, 3 user_id, 4 instrument_id, 5 side, 6 order_qty, 7 dealers, 8 expire_at,
            }
            QuoteReceived {
                1 quote_id, 2 quote_req_id, 3 dealer, 4 quote_ref, 5 bid_px, 6 bid_size, 7 offer_px, 8 offer_size,
                9 valid_until,
            }
            QuoteAccepted { 1 quote_id, 2 quote_req_id, 3 order_id }
            QuoteEnded { 1 quote_id, 2 text }
            QuoteReplaced { 1 quote_id, 2 by }
            QuoteRequestEnded { 1 quote_req_id }
            QuoteRequest {
                1 quote_req_id, 2 account_id, 3 user_id, 4 instrument_id, 5 side, 6 order_qty, 7 dealers, 8 expire_at,
                9 state, 10 quotes, 11 order_id, 12 version, 13 created_seq, 14 created_at, 15 updated_at, 16 done_seq,
            }
            Quote {
                1 quote_id, 2 quote_req_id, 3 dealer, 4 quote_ref, 5 bid_px, 6 bid_size, 7 offer_px, 8 offer_size,
                9 valid_until, 10 state, 11 replaced_by, 12 order_id, 13 text, 14 created_seq, 15 created_at,
                16 updated_at,
            }
            NavSet { 1 instrument_id, 2 nav, 3 as_of, 4 cut_off }
            OrderSized { 1 order_id, 2 order_qty }
            IdempotencyRecorded { 1 key, 2 fingerprint, 3 result }
            IdempotentResult { 1 placed, 2 pending, 3 refused, 8 quote_req_id, 9 quote_id }
            Refusal { 1 code, 2 message, 3 details }
            CheckResult { 1 check, 2 verdict, 3 code, 4 scope, 5 value, 6 limit, 7 limit_version, 8 soft, 9 period, 10 until }
            RiskLimit { 1 limit_type, 2 scope, 3 value, 4 version, 5 period, 6 soft }
            ScopedState { 1 scope, 2 state, 3 person }
            CareAccepted { 1 order_id, 2 user_id }
            CarePassed { 1 order_id, 2 from, 3 to, 4 text }
            SagaStepped { 1 order_id, 2 phase, 3 step, 4 part, 5 before, 6 text }
            StageStarted { 1 order_id, 2 leg, 3 until }
            StageEnded { 1 order_id, 2 leg, 3 text }
            SagaPart { 1 order_id, 2 before }
            Saga { 1 phase, 2 step, 3 part, 4 text, 5 done }
            Stage { 1 leg, 2 until }
            Care { 1 accepted_by, 2 holder, 3 since }
            Routing { 1 mode, 2 venue, 3 policy, 4 care }
            Basis { 1 cash_order_qty, 2 quote_id, 3 quote_ref }
            Terms { 1 order_qty, 2 price, 3 stop_px }
            Weights { 1 price, 2 latency, 3 fill, 4 fee }
            SorPolicy {
                1 name, 2 version, 3 mode, 4 weights, 5 price_range_bps, 6 max_quote_age_ns, 7 fee_adjusted,
                8 latency_stat, 9 cap_to_displayed, 10 min_leg_qty, 11 max_replans, 12 exhausted, 13 allow, 14 deny, 15 stage_timeout_ns,
            }
            TickStep { 1 from, 2 tick }
            Instrument {
                1 instrument_id, 2 symbol, 3 listing, 4 asset_class, 5 currency, 6 ticks, 7 lot, 8 min_qty,
                9 max_qty, 10 active, 11 multiplier, 12 underlying, 13 expiry, 14 strike, 15 right, 16 settl_method,
                17 settl_days, 18 base_currency, 19 tenor, 20 value_date, 21 rate_quoted, 22 cut_off_utc_s, 23 nav,
                24 nav_at, 25 external_ids, 26 adv_qty,
            }
            ExternalId { 1 source, 2 security_id }
            Account { 1 account_id, 2 name, 3 currency, 4 active, 5 currencies, 6 converts, 7 capital }
            Venue {
                1 venue, 2 name, 3 maker_fee, 4 taker_fee, 5 latency_prior_ns, 6 fill_prior_ppm,
                7 fill_prior_weight, 8 enabled, 9 lacks_stops, 10 lacks_gtd,
            }
            Trail { 1 amount, 2 ppm, 3 limit_offset }
            Peg { 1 reference, 2 offset, 3 cap }
            CurvePart { 1 weight }
            AlgoParams {
                1 algo, 2 start, 3 end, 4 slices, 5 interval_ns, 6 variance_ppm, 7 max_participation_ppm,
                8 min_participation_ppm, 9 urgency_ppm, 10 slice_qty, 11 curve, 12 expected_volume, 13 peg,
                14 leftover, 15 seed,
            }
            Instructions {
                1 trigger_source, 2 trail, 3 peg, 4 max_floor, 5 good_after, 6 emulate, 7 algo,
            }
            Link { 1 list_id, 2 contingency, 3 armed_by, 4 arm, 5 list_qty }
            Work {
                1 instructions, 2 emulated, 3 release_at, 4 link, 5 armed_qty, 6 taken_qty, 7 triggered, 8 stop_px,
                9 slices, 10 released_qty, 11 acted_at, 12 left, 13 wake, 14 on_market, 15 volume, 16 volume_mark,
                17 stepped_at, 18 suspended,
            }
            Doubt { 1 intent, 2 revision, 3 since, 4 reason }
            Extras { 1 doubt, 2 stop_px, 3 replacing, 4 routing, 5 text, 6 metadata, 39 care, 40 saga, 41 stage, 42 booked, 46 work, 52 basis, 53 unanswered, 54 compliance, 55 hold, 60 names, 62 asked_qty, 63 breached }
            Names { 1 current, 2 asked }
            Order {
                1 order_id, 2 parent_order_id, 3 root_order_id, 4 cl_ord_id, 5 account_id, 6 user_id,
                7 instrument_id, 8 side, 9 ord_type, 10 time_in_force, 11 source, 12 state, 13 pending, 15 order_qty,
                16 cum_qty, 17 place_qty, 18 cum_notional, 19 price, 21 expire_at, 24 venue, 25 broker_order_id,
                26 revision, 27 venue_revision, 28 attempts, 29 ended_by, 30 reject_code, 33 version, 34 created_seq,
                35 created_at, 36 updated_at, 37 children, 38 extras, 39 own_kind, 42 number,
            }
            Booked { 1 direct_qty, 2 group_order_id, 3 member_count, 4 alloc_qty }
            Compliance { 1 strategy, 2 acknowledged, 3 override_ids }
            Override {
                1 override_id, 2 refused, 3 check, 4 account_id, 5 instrument_id, 6 side, 7 ord_type, 8 max_qty, 9 price,
                10 stop_px, 11 reason, 12 granted_by, 13 granted_at, 14 expires_at, 15 second_person, 16 consented_by,
                17 state, 18 used_by,
            }
            OverrideRule { 1 second_person, 2 lists }
            OverrideConsented { 1 override_id, 2 user_id }
            OverrideRevoked { 1 override_id, 2 user_id, 3 reason }
            OverrideExpired { 1 override_id }
            RiskOverridden {
                1 order_id, 2 override_id, 3 check, 4 scope, 5 value, 6 limit, 7 limit_version, 8 granted_by,
                9 consented_by, 10 reason,
            }
            LimitSchedule {
                1 schedule_id, 2 limit_type, 3 scope, 4 period, 5 soft, 6 value, 7 from, 8 until, 9 state, 10 version,
                11 before, 12 user_id, 13 created_at,
            }
            LimitScheduleMoved { 1 schedule_id, 2 state, 3 version, 4 before, 5 user_id, 6 text, 7 scheduled_by }
            RiskImported { 1 lists, 2 replace_all, 3 added, 4 changed, 5 removed }
            Hold { 1 reason, 2 since, 3 waits_for }
            Restriction { 1 list, 2 scope, 3 subject, 4 reason }
            RestrictionRemoved { 1 list, 2 scope, 3 subject, 4 reason }
            Locate { 1 account_id, 2 instrument_id, 3 qty, 4 until, 5 source }
            ShortSaleStateSet { 1 instrument_id, 2 restricted, 3 reason }
            SelfMatchRuleSet { 1 scope, 2 policy }
            SelfMatchPrevented { 1 order_id, 2 resting, 3 policy, 4 qty }
            Tradable { 1 instrument_id }
            StrategyEnvelope {
                1 strategy, 2 enabled, 3 instruments, 4 max_notional, 5 max_order_rate, 6 from_s, 7 until_s, 8 version,
            }
            ThrottleTripped { 1 scope, 2 value, 3 limit }
            ThrottleReset { 1 scope, 2 user_id, 3 reason }
            OrderHeld { 1 order_id, 2 reason, 3 waits_for }
            OrderReleased { 1 order_id, 2 reason, 3 by, 4 text }
            Mark { 1 instrument_id, 2 price }
            PositionsMarked { 1 marks }
            RiskCurrencySet { 1 currency }
            LimitRequired { 1 limit_type, 2 required }
            Breaker { 1 kind, 2 scope, 3 threshold, 4 window_s, 5 action, 6 probe_after_s, 7 version }
            BreakerRemoved { 1 kind, 2 scope }
            BreakerMoved { 1 kind, 2 scope, 3 state, 4 value, 5 text }
            KillSwitchConfirmed { 1 scope, 2 engaged_at, 3 last_asked_at }
            ShadowRulesSet { 1 name, 2 user_id, 3 rules }
            ShadowRulesRemoved { 1 name }
            ShadowRulesPromoted { 1 name, 2 set_by, 3 user_id, 4 reason }
            PriceBand { 1 instrument_id, 2 lower, 3 upper, 4 until }
            PriceBandRemoved { 1 instrument_id }
            ShortSaleTriggered { 1 instrument_id, 2 prior_close, 3 price, 4 until }
            PriorCloseSet { 1 instrument_id, 2 price }
            RiskBreached { 1 order_id, 2 check, 3 scope, 4 value, 5 limit, 6 limit_version, 7 soft, 8 cancels }
            InFlightRuleSet { 1 rule }
            DeadMan { 1 scope, 2 timeout_s, 3 action, 4 user_id, 5 beat_at, 6 state, 7 fired_at, 8 fired_seq }
            DeadManArmed { 1 scope, 2 timeout_s, 3 action, 4 user_id }
            DeadManBeat { 1 scope, 2 at, 3 by }
            DeadManDisarmed { 1 scope, 2 user_id }
            DeadManFired { 1 scope, 2 action, 3 user_id, 4 timeout_s, 5 beat_at }
            Lot { 1 qty, 2 price }
            Position {
                1 account_id, 2 instrument_id, 3 qty, 4 bought_qty, 5 sold_qty, 6 bought_notional, 7 sold_notional,
                8 realized, 9 fees, 10 lots, 11 carried,
            }
            Booking {
                1 transact_time, 2 exec_id, 3 venue, 4 order_id, 5 is_buy, 6 qty, 7 price, 8 fee, 9 manual, 10 against,
                11 commission, 12 commission_currency, 13 corrections, 14 strategy,
            }
        }
    };
}
stored_messages!(message);

/// An order that was recorded and then refused; part of [`Placed`].
pub(super) struct RefusedOrder {
    pub(super) order_id: OrderId,
    pub(super) code: Code,
}

message! { RefusedOrder { 1 order_id, 2 code } }

/// Writes a value of a `oneof`: always, because its key says which of them it is.
#[inline]
fn put_case<T: Value>(value: &T, tag: u32, out: &mut Vec<u8>) {
    encode_key(tag, T::WIRE, out);
    value.write(out);
}

/// Reads the only value of a `oneof`.
#[inline]
fn case<T: Value>(fields: &mut Fields<'_>) -> Result<T, DecodeError> {
    let mut value: Option<T> = None;
    fields.merge(&mut value)?;
    match fields.next_tag()? {
        None => value.ok_or_else(|| fields.refuse(Fault::Missing)),
        Some(_) => Err(fields.refuse(Fault::OutOfOrder)),
    }
}

/// A `oneof`; the tenant is none of its cases, so that the widest scope takes no space.
impl Value for Scope {
    const WIRE: WireType = WireType::LengthDelimited;

    #[inline]
    fn zero() -> Self {
        Self::Tenant
    }

    #[inline]
    fn is_zero(&self) -> bool {
        matches!(self, Self::Tenant)
    }

    fn write(&self, out: &mut Vec<u8>) {
        put_delimited(out, |out| match self {
            Self::Tenant => (),
            Self::Account(id) => put_case(id, 1, out),
            Self::User(id) => put_case(id, 2, out),
            Self::Instrument(id) => put_case(id, 3, out),
            Self::Venue(mic) => put_case(mic, 4, out),
            Self::Strategy(id) => put_case(id, 5, out),
            Self::AssetClass(class) => put_case(class, 6, out),
        });
    }

    fn read(input: &mut &[u8]) -> Result<Self, DecodeError> {
        let mut fields = Fields::new("Scope", delimited(input)?);
        match fields.next_tag()? {
            None => Ok(Self::Tenant),
            Some(1) => case::<AccountId>(&mut fields).map(Self::Account),
            Some(2) => case::<UserId>(&mut fields).map(Self::User),
            Some(3) => case::<InstrumentId>(&mut fields).map(Self::Instrument),
            Some(4) => case::<Mic>(&mut fields).map(Self::Venue),
            Some(5) => case::<StrategyId>(&mut fields).map(Self::Strategy),
            Some(6) => case::<AssetClass>(&mut fields).map(Self::AssetClass),
            Some(_) => Err(fields.refuse(Fault::UnknownField)),
        }
    }
}

/// A `oneof` of which one case always stands.
impl Message for Placed {
    const NAME: &'static str = "Placed";
    const FIELDS: &'static [(u32, &'static str)] = &[(1, "accepted"), (2, "refused"), (3, "invalid")];

    fn blank() -> Self {
        Self::Accepted { order_id: OrderId::absent() }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Accepted { order_id } => put_case(order_id, 1, out),
            Self::Refused { order_id, code } => {
                put_case(&RefusedOrder { order_id: *order_id, code: *code }, 2, out);
            }
            Self::Invalid(refusal) => put_case(refusal, 3, out),
        }
    }

    fn decode_without<const SKIP: u32>(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut fields = Fields::new(Self::NAME, bytes);
        match fields.next_tag()? {
            Some(1) => case(&mut fields).map(|order_id| Self::Accepted { order_id }),
            Some(2) => {
                let RefusedOrder { order_id, code } = case(&mut fields)?;
                Ok(Self::Refused { order_id, code })
            }
            Some(3) => case(&mut fields).map(Self::Invalid),
            Some(_) => Err(fields.refuse(Fault::UnknownField)),
            None => Err(fields.refuse(Fault::Missing)),
        }
    }
}

/// A `oneof` of which one case always stands.
impl Message for Rule {
    const NAME: &'static str = "Rule";
    const FIELDS: &'static [(u32, &'static str)] = &[
        (1, "limit"),
        (2, "no_limit"),
        (3, "restriction"),
        (4, "no_restriction"),
        (5, "self_match"),
        (6, "envelope"),
        (7, "required"),
        (8, "policy"),
    ];

    fn blank() -> Self {
        Self::NoLimit(RiskLimitRemoved::blank())
    }

    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Limit(rule) => put_case(rule, 1, out),
            Self::NoLimit(rule) => put_case(rule, 2, out),
            Self::Restriction(rule) => put_case(rule, 3, out),
            Self::NoRestriction(rule) => put_case(rule, 4, out),
            Self::SelfMatch(rule) => put_case(rule, 5, out),
            Self::Envelope(rule) => put_case(rule, 6, out),
            Self::Required(rule) => put_case(rule, 7, out),
            Self::Policy(rule) => put_case(rule, 8, out),
        }
    }

    fn decode_without<const SKIP: u32>(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut fields = Fields::new(Self::NAME, bytes);
        match fields.next_tag()? {
            Some(1) => case(&mut fields).map(Self::Limit),
            Some(2) => case(&mut fields).map(Self::NoLimit),
            Some(3) => case(&mut fields).map(Self::Restriction),
            Some(4) => case(&mut fields).map(Self::NoRestriction),
            Some(5) => case(&mut fields).map(Self::SelfMatch),
            Some(6) => case(&mut fields).map(Self::Envelope),
            Some(7) => case(&mut fields).map(Self::Required),
            Some(8) => case(&mut fields).map(Self::Policy),
            Some(_) => Err(fields.refuse(Fault::UnknownField)),
            None => Err(fields.refuse(Fault::Missing)),
        }
    }
}
