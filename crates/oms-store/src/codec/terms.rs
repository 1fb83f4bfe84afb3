//! Vocabularies: the stored number of a term.

use oms_model::algo::{Algo, Leftover, PegPrice};
use oms_model::breaker::{BreakerAction, BreakerKind, BreakerState};
use oms_model::compliance::{HoldReason, ListKind, SelfMatchPolicy};
use oms_model::event::Exclusion;
use oms_model::limit::{Check, KillState, LimitType, Period, Verdict};
use oms_model::overrides::OverrideState;
use oms_model::policy::{Exhausted, LatencyStat};
use oms_model::schedule::ScheduleState;
use oms_model::work::{AlgoAction, ArmRule, ContingencyType, TriggerSource};
use oms_model::{
    AllocMode, Anomaly, AssetClass, Code, CostMethod, EndedBy, IntentKind, Liquidity, OptionRight, OrdState, OrdType, OrderKind, Outcome,
    Pending, QuoteReqState, QuoteState, SagaPhase, SecurityIdSource, SettlMethod, Side, SorMode, Source, TimeInForce, TradingState,
};
use prost::encoding::WireType;

use super::bytes::{put_varint, varint};
use super::error::{DecodeError, Fault};
use super::wire::Value;

/// Hands every stored vocabulary to the macro `then`.
macro_rules! stored_terms {
    ($then:ident) => {
        $then!(
            AllocMode,
            Algo,
            AlgoAction,
            Anomaly,
            ArmRule,
            AssetClass,
            BreakerAction,
            BreakerKind,
            BreakerState,
            Check,
            Code,
            CostMethod,
            ContingencyType,
            EndedBy,
            Exclusion,
            Exhausted,
            HoldReason,
            IntentKind,
            KillState,
            LatencyStat,
            Leftover,
            LimitType,
            Liquidity,
            ListKind,
            OptionRight,
            OrdState,
            OrdType,
            OrderKind,
            Outcome,
            OverrideState,
            PegPrice,
            Pending,
            Period,
            QuoteReqState,
            QuoteState,
            SagaPhase,
            ScheduleState,
            SecurityIdSource,
            SelfMatchPolicy,
            SettlMethod,
            Side,
            SorMode,
            Source,
            TimeInForce,
            TradingState,
            TriggerSource,
            Verdict
        );
    };
}

macro_rules! terms {
    ($($name:ident),*) => {$(
        const _: () = assert!(is_stored($name::ALL.len(), $name::from_code(0).is_some()));

        impl Value for $name {
            const WIRE: WireType = WireType::Varint;
            const ALWAYS: bool = true;
            #[inline]
            fn zero() -> Self {
                const FIRST: $name = match $name::ALL {
                    [first, ..] => *first,
                    [] => unreachable!(),
                };
                FIRST
            }
            #[inline]
            fn is_zero(&self) -> bool {
                false
            }
            #[inline]
            fn write(&self, out: &mut Vec<u8>) {
                put_varint(u64::from(self.code()), out);
            }
            #[inline]
            fn read(input: &mut &[u8]) -> Result<Self, DecodeError> {
                let code = varint(input)?;
                u8::try_from(code).ok().and_then(Self::from_code).ok_or_else(|| Fault::UnknownCode { code }.into())
            }
        }
    )*};
}
stored_terms!(terms);

/// Zero is proto3's "not given", so no term may have it.
const fn is_stored(terms: usize, zero_is_a_term: bool) -> bool {
    terms > 0 && !zero_is_a_term
}
