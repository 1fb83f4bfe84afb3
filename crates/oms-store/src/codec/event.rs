//! An event: the number of its kind, and its body as bytes.

use oms_model::Event;
use prost::encoding::{WireType, encode_key};

use super::bytes::put_delimited;
use super::error::{DecodeError, Fault};
use super::messages::{RISK_CHECKED_RESULTS, ROUTE_DECIDED_CANDIDATES};
use super::wire::{Field, Fields, Message};

/// Name of the message in the schema.
const NAME: &str = "Event";
/// Tag of the number of the kind.
const KIND: u32 = 1;
/// Tag of the body.
const PAYLOAD: u32 = 2;

/// Hands the number and name of every event to the macro `then`.
macro_rules! stored_events {
    ($then:ident) => {
        $then! {
            1 OrderCreated, 2 RiskChecked, 3 OrderRejected, 4 RouteDecided, 5 OrderSent, 6 OrderStateSynced,
            7 OrderAccepted, 8 OrderPartiallyFilled, 9 OrderFilled, 10 OrderCancelRequested, 11 OrderCanceled,
            12 CancelRejected, 13 OrderReplaceRequested, 14 OrderReplaced, 15 ReplaceRejected, 16 OrderExpired,
            17 OrderInDoubt, 18 OrderOutcomeResolved, 19 OrderClosed, 20 OrderAnomaly, 21 ExecutionRecorded,
            22 ExecutionUnmatched, 23 BrokerConnected, 24 BrokerDisconnected, 25 KillSwitchEngaged,
            26 KillSwitchReleased, 27 TradingStateSet, 28 RiskLimitSet, 29 RiskLimitRemoved, 30 SorPolicySet,
            31 VenueConfigured, 32 InstrumentListed, 33 AccountOpened, 34 TenantCreated, 35 ApiKeyCreated,
            36 IdempotencyRecorded, 37 CareAccepted, 38 CarePassed, 39 SagaStepped, 40 StageStarted, 41 StageEnded,
            50 ExecutionBusted, 51 ExecutionWhacked, 52 ExecutionCorrected, 53 CommissionRecorded, 54 OrderFillAdjusted,
            55 SuspenseResolved, 56 FxRateSet, 57 PositionFrozen, 58 DayClosed, 59 CostMethodSet,
            60 OrdersGrouped, 61 OrdersUngrouped, 62 AllocationProposed, 63 AllocationApproved, 64 AllocationRejected, 65 AllocationBooked,
            66 PositionChanged,
            70 OrderTriggered, 71 StopMoved, 72 SliceReleased, 73 AlgoStepped, 74 OrderArmed, 75 PeerFilled,
            76 RestrictionSet, 77 RestrictionRemoved, 78 LocateSet, 79 ShortSaleStateSet, 80 SelfMatchRuleSet, 81 SelfMatchPrevented,
            82 StrategyEnvelopeSet, 83 ThrottleTripped, 84 ThrottleReset,
            85 QuoteRequested, 86 QuoteReceived, 87 QuoteAccepted, 88 QuoteExpired, 89 QuoteWithdrawn, 90 QuoteReplaced,
            91 QuoteRequestExpired, 92 QuoteRequestCanceled, 93 NavSet, 94 OrderSized, 95 OrderHeld, 96 OrderReleased, 97 PositionsMarked,
            98 RiskCurrencySet, 99 LimitRequired, 100 KillSwitchConfirmed, 101 BreakerSet, 102 BreakerRemoved,
            103 BreakerMoved, 104 ShadowRulesSet, 105 ShadowRulesRemoved, 106 ShadowRulesPromoted,
            110 OverrideGranted, 111 OverrideConsented, 112 OverrideRevoked, 113 OverrideExpired, 114 RiskOverridden, 115 OverrideRuleSet,
            116 LimitScheduled, 117 LimitScheduleMoved, 118 RiskImported,
            120 RiskBreached, 121 InFlightRuleSet, 122 DeadManArmed, 123 DeadManBeat, 124 DeadManDisarmed, 125 DeadManFired,
            126 PriceBandSet, 127 PriceBandRemoved, 128 ShortSaleTriggered, 129 PriorCloseSet,
            140 RequestNamed,
        }
    };
}

macro_rules! bodies {
    ($($code:literal $name:ident,)*) => {
        /// Appends the fields of the body.
        fn encode_body(event: &Event, out: &mut Vec<u8>) {
            match event { $(Event::$name(body) => body.encode(out),)* }
        }

        /// Reads the body of an event of this kind.
        fn decode_body(kind: u32, bytes: &[u8]) -> Result<Event, DecodeError> {
            match kind {
                $($code => Message::decode(bytes).map(Event::$name),)*
                _ => Err(unknown_kind(kind)),
            }
        }
    };
}
stored_events!(bodies);

#[cold]
fn unknown_kind(kind: u32) -> DecodeError {
    DecodeError::from(Fault::UnknownCode { code: u64::from(kind) }).within(NAME, KIND)
}

/// Appends an event with its length, under `tag` of the batch.
pub(super) fn put_event(event: &Event, tag: u32, out: &mut Vec<u8>) {
    encode_key(tag, WireType::LengthDelimited, out);
    put_delimited(out, |out| {
        u32::from(event.code()).put(KIND, out);
        encode_key(PAYLOAD, WireType::LengthDelimited, out);
        put_delimited(out, |out| encode_body(event, out));
    });
}

/// Reads an event from exactly these bytes; for a `REPLAY` without what no state depends on.
pub(super) fn read_event<const REPLAY: bool>(bytes: &[u8]) -> Result<Event, DecodeError> {
    let mut fields = Fields::new(NAME, bytes);
    let mut kind: u32 = 0;
    let mut payload: Option<&[u8]> = None;
    while let Some(tag) = fields.next_tag()? {
        match tag {
            KIND => fields.merge(&mut kind)?,
            PAYLOAD if payload.is_none() => payload = Some(fields.take_delimited()?),
            PAYLOAD => return Err(fields.refuse(Fault::OutOfOrder)),
            _ => return Err(fields.refuse(Fault::UnknownField)),
        }
    }
    let Some(payload) = payload else {
        return Err(DecodeError::from(Fault::Missing).within(NAME, PAYLOAD));
    };
    match kind {
        // The kinds of `stored_events`; a test holds that nothing else is left out.
        2 if REPLAY => Message::decode_without::<RISK_CHECKED_RESULTS>(payload).map(Event::RiskChecked),
        4 if REPLAY => Message::decode_without::<ROUTE_DECIDED_CANDIDATES>(payload).map(Event::RouteDecided),
        _ => decode_body(kind, payload),
    }
}
