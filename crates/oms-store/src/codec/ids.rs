//! Identifiers, times and codes.

use oms_model::instrument::{Currency, Valuation};
use oms_model::{
    AccountId, AllocId, ApiKeyId, BrokerOrderId, ClOrdId, CommandId, ExecId, InstrumentId, InvitationId, LimitScheduleId, Mic, OrderId,
    OverrideId, PolicyName, QuoteId, QuoteRef, QuoteReqId, RuleSetName, SecurityId, Seq, SessionId, StrategyId, Symbol, TenantId, Tenor,
    Time, TraceId, UserId, WireId,
};
use prost::encoding::WireType;

use super::bytes::{put_bytes, take};
use super::error::{DecodeError, Fault};
use super::scalars::text;
use super::wire::Value;

/// Sixteen bytes, the highest first.
macro_rules! uuid_ids {
    ($($id:ident),*) => {$(
        impl Value for $id {
            const WIRE: WireType = WireType::LengthDelimited;
            #[inline]
            fn zero() -> Self {
                Self::default()
            }
            #[inline]
            fn is_zero(&self) -> bool {
                self.as_u128() == 0
            }
            #[inline]
            fn write(&self, out: &mut Vec<u8>) {
                self.as_u128().write(out);
            }
            #[inline]
            fn read(input: &mut &[u8]) -> Result<Self, DecodeError> {
                u128::read(input).map(Self::from_u128)
            }
        }
    )*};
}
uuid_ids!(
    InvitationId,
    SessionId,
    AllocId,
    TenantId,
    UserId,
    ApiKeyId,
    AccountId,
    OrderId,
    QuoteReqId,
    QuoteId,
    OverrideId,
    LimitScheduleId,
    CommandId,
    TraceId
);

/// Text; empty only where no id was given.
macro_rules! text_ids {
    ($($id:ident),*) => {$(
        impl Value for $id {
            const WIRE: WireType = WireType::LengthDelimited;
            #[inline]
            fn zero() -> Self {
                Self::default()
            }
            #[inline]
            fn is_zero(&self) -> bool {
                self.as_str().is_empty()
            }
            #[inline]
            fn write(&self, out: &mut Vec<u8>) {
                put_bytes(self.as_str().as_bytes(), out);
            }
            #[inline]
            fn read(input: &mut &[u8]) -> Result<Self, DecodeError> {
                match text(input)? {
                    "" => Ok(Self::default()),
                    text => Self::new(text).map_err(|_| Fault::Text.into()),
                }
            }
        }
    )*};
}
text_ids!(ClOrdId, WireId, BrokerOrderId, ExecId, Symbol, PolicyName, RuleSetName, QuoteRef, SecurityId, Tenor);

/// Text; empty only where no strategy was named.
impl Value for StrategyId {
    const WIRE: WireType = WireType::LengthDelimited;
    #[inline]
    fn zero() -> Self {
        Self::default()
    }
    #[inline]
    fn is_zero(&self) -> bool {
        self.as_str().is_empty()
    }
    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        put_bytes(self.as_str().as_bytes(), out);
    }
    #[inline]
    fn read(input: &mut &[u8]) -> Result<Self, DecodeError> {
        match text(input)? {
            "" => Ok(Self::default()),
            text => Self::new(text).map_err(|_| Fault::Text.into()),
        }
    }
}

impl Value for InstrumentId {
    const WIRE: WireType = WireType::Varint;
    #[inline]
    fn zero() -> Self {
        Self(0)
    }
    #[inline]
    fn is_zero(&self) -> bool {
        self.0 == 0
    }
    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }
    #[inline]
    fn read(input: &mut &[u8]) -> Result<Self, DecodeError> {
        u32::read(input).map(Self)
    }
}

/// `sint64`.
impl Value for Valuation {
    const WIRE: WireType = WireType::Varint;
    #[inline]
    fn zero() -> Self {
        Self::default()
    }
    #[inline]
    fn is_zero(&self) -> bool {
        self.raw() == 0
    }
    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        self.raw().write(out);
    }
    #[inline]
    fn read(input: &mut &[u8]) -> Result<Self, DecodeError> {
        i64::read(input).map(Self::from_raw)
    }
}

impl Value for Seq {
    const WIRE: WireType = WireType::Varint;
    #[inline]
    fn zero() -> Self {
        Self(0)
    }
    #[inline]
    fn is_zero(&self) -> bool {
        self.0 == 0
    }
    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }
    #[inline]
    fn read(input: &mut &[u8]) -> Result<Self, DecodeError> {
        u64::read(input).map(Self)
    }
}

/// `sfixed64`: times of this century need nine bytes as a varint.
impl Value for Time {
    const WIRE: WireType = WireType::SixtyFourBit;
    #[inline]
    fn zero() -> Self {
        Self(0)
    }
    #[inline]
    fn is_zero(&self) -> bool {
        self.0 == 0
    }
    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.to_le_bytes());
    }
    #[inline]
    fn read(input: &mut &[u8]) -> Result<Self, DecodeError> {
        let bytes = take(input, 8)?;
        let bytes = bytes.try_into().map_err(|_| Fault::Length { expected: 8, found: bytes.len() })?;
        Ok(Self(i64::from_le_bytes(bytes)))
    }
}

/// Four letters or digits; empty only where no venue was given.
impl Value for Mic {
    const WIRE: WireType = WireType::LengthDelimited;
    #[inline]
    fn zero() -> Self {
        Self::default()
    }
    #[inline]
    fn is_zero(&self) -> bool {
        self.as_u32() == 0
    }
    /// # Panics
    /// On a code that could not be read again: the log must not be written with it.
    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        let code = self.as_u32().to_be_bytes();
        if self.is_zero() {
            return put_bytes(&[], out);
        }
        assert!(is_mic(code), "{code:?} is not a market identifier code");
        put_bytes(&code, out);
    }
    #[inline]
    fn read(input: &mut &[u8]) -> Result<Self, DecodeError> {
        let text = text(input)?;
        if text.is_empty() {
            return Ok(Self::default());
        }
        match <[u8; 4]>::try_from(text.as_bytes()) {
            Ok(code) if is_mic(code) => Ok(Self::of(&code)),
            _ => Err(Fault::Text.into()),
        }
    }
}

#[inline]
fn is_mic(code: [u8; 4]) -> bool {
    code.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Three bytes of text, always written.
impl Value for Currency {
    const WIRE: WireType = WireType::LengthDelimited;
    const ALWAYS: bool = true;
    fn zero() -> Self {
        Self([0; 3])
    }
    fn is_zero(&self) -> bool {
        false
    }
    /// # Panics
    /// On a code that is not text and so could not be read again: the log must not be written with it.
    fn write(&self, out: &mut Vec<u8>) {
        assert!(str::from_utf8(&self.0).is_ok(), "{:?} is not a currency code", self.0);
        put_bytes(&self.0, out);
    }
    fn read(input: &mut &[u8]) -> Result<Self, DecodeError> {
        let text = text(input)?;
        <[u8; 3]>::try_from(text.as_bytes()).map(Self).map_err(|_| Fault::Length { expected: 3, found: text.len() }.into())
    }
}
