//! The stored encoding of the control log: tenants, users and whatever else `oms-identity` knows. The rules are those of the
//! desk's log; `schemas/proto/oms/control/v1` describes the bytes.

mod state;

pub use state::{CONTROL_STATE_SCHEMA, decode_control_state, encode_control_state};

use core::net::IpAddr;

use oms_identity::event::{
    AllowListSet, ApiKeyCreated, ApiKeyRevoked, ApiKeyRotated, ApiKeyUsed, BootstrapIssued, BootstrapUsed, BreakGlassUsed, By,
    InvitationAccepted, InvitationRevoked, Invited, KeyDestroyed, MacKeySet, MemberRemoved, MemberSet, PasswordChanged, ProfileChanged,
    RecoveryCodeUsed, SessionOpened, SessionRefreshed, SessionRevoked, SessionSteppedUp, SignInCleared, SignInFailed, SigningKeyAdded,
    SigningKeyRetired, TenantChanged, TenantCreated, TenantFounding, TotpConfirmed, TotpDisabled, TotpEnrolled, TotpUsed, UserCreated,
    UserErased,
};
use oms_identity::{Batch, Event, Net, Personal, Role, Scopes, Subject};
use oms_model::{Time, TraceId};
use prost::encoding::{WireType, encode_key};

use super::bytes::{delimited, put_bytes, put_delimited, put_varint, varint};
use super::error::{DecodeError, Fault};
use super::wire::{Field, Fields, Message, Value};

/// The version that is written.
pub const CONTROL_SCHEMA_VERSION: u32 = 2;
/// Names of the messages in the schema.
const BATCH: &str = "ControlBatch";
const EVENT: &str = "ControlEvent";
/// The first byte of what is sealed.
const SEALED: u8 = 1;
/// Tag of the events of a batch; all others are below.
const EVENTS: u32 = 5;

/// Four bytes or sixteen, the highest first.
impl Value for IpAddr {
    const WIRE: WireType = WireType::LengthDelimited;
    const ALWAYS: bool = true;
    fn zero() -> Self {
        Self::from([0; 4])
    }
    fn is_zero(&self) -> bool {
        false
    }
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::V4(v4) => put_bytes(&v4.octets(), out),
            Self::V6(v6) => put_bytes(&v6.octets(), out),
        }
    }
    fn read(input: &mut &[u8]) -> Result<Self, DecodeError> {
        let bytes = delimited(input)?;
        let v4 = <[u8; 4]>::try_from(bytes).map(Self::from);
        let v6 = <[u8; 16]>::try_from(bytes).map(Self::from);
        v4.or(v6).map_err(|_| Fault::Length { expected: 16, found: bytes.len() }.into())
    }
}

/// Bytes that mean nothing here: what was sealed.
impl Value for Box<[u8]> {
    const WIRE: WireType = WireType::LengthDelimited;
    fn zero() -> Self {
        Self::default()
    }
    fn is_zero(&self) -> bool {
        self.is_empty()
    }
    fn write(&self, out: &mut Vec<u8>) {
        put_bytes(self, out);
    }
    fn read(input: &mut &[u8]) -> Result<Self, DecodeError> {
        delimited(input).map(Self::from)
    }
}

/// What was sealed, where it was: it begins with the number of the sealed form, which no text does. The text otherwise.
impl Value for Personal {
    const WIRE: WireType = WireType::LengthDelimited;
    fn zero() -> Self {
        Self::default()
    }
    fn is_zero(&self) -> bool {
        self.sealed().is_empty() && self.text().is_empty()
    }
    fn write(&self, out: &mut Vec<u8>) {
        let sealed = self.sealed();
        put_bytes(if sealed.is_empty() { self.text().as_bytes() } else { sealed }, out);
    }
    fn read(input: &mut &[u8]) -> Result<Self, DecodeError> {
        match delimited(input)? {
            sealed @ [SEALED, ..] => Ok(Self::of_sealed(sealed.into())),
            text => str::from_utf8(text).map(Self::from).map_err(|_| Fault::Text.into()),
        }
    }
}

/// A number of sixteen bytes, always written.
impl Value for Subject {
    const WIRE: WireType = u128::WIRE;
    const ALWAYS: bool = true;
    fn zero() -> Self {
        Self(0)
    }
    fn is_zero(&self) -> bool {
        false
    }
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }
    fn read(input: &mut &[u8]) -> Result<Self, DecodeError> {
        u128::read(input).map(Self)
    }
}

/// Its number, always written.
impl Value for Role {
    const WIRE: WireType = WireType::Varint;
    const ALWAYS: bool = true;
    fn zero() -> Self {
        Self::Viewer
    }
    fn is_zero(&self) -> bool {
        false
    }
    fn write(&self, out: &mut Vec<u8>) {
        put_varint(self.number().into(), out);
    }
    fn read(input: &mut &[u8]) -> Result<Self, DecodeError> {
        let code = varint(input)?;
        u32::try_from(code).ok().and_then(Self::from_number).ok_or_else(|| Fault::UnknownCode { code }.into())
    }
}

/// A bit for each scope.
impl Value for Scopes {
    const WIRE: WireType = WireType::Varint;
    fn zero() -> Self {
        Self::NONE
    }
    fn is_zero(&self) -> bool {
        self.is_empty()
    }
    fn write(&self, out: &mut Vec<u8>) {
        self.bits().write(out);
    }
    fn read(input: &mut &[u8]) -> Result<Self, DecodeError> {
        let bits = u32::read(input)?;
        let scopes = Self::from_bits(bits);
        if scopes.bits() == bits { Ok(scopes) } else { Err(Fault::UnknownCode { code: bits.into() }.into()) }
    }
}

/// Hands every message of the control log to the macro `then`.
macro_rules! control_messages {
    ($then:path) => {
        $then! {
            Net { 1 address, 2 prefix }
            By { 1 tenant_id, 2 user_id, 3 api_key_id, 4 session_id, 5 source, 6 ip, 7 user_agent }
            TenantCreated { 1 tenant_id, 2 name }
            TenantChanged { 1 tenant_id, 2 name, 3 time_zone, 4 enabled }
            AllowListSet { 1 tenant_id, 2 nets }
            UserCreated { 1 user_id, 2 email, 3 name, 4 password, 5 break_glass }
            ProfileChanged { 1 user_id, 2 name, 3 time_zone }
            PasswordChanged { 1 user_id, 2 password, 3 rehashed }
            TotpEnrolled { 1 user_id, 2 secret }
            TotpConfirmed { 1 user_id, 2 step, 3 recovery }
            TotpUsed { 1 user_id, 2 step }
            RecoveryCodeUsed { 1 user_id, 2 sha256 }
            TotpDisabled { 1 user_id }
            MemberSet { 1 tenant_id, 2 user_id, 3 role, 4 extra }
            MemberRemoved { 1 tenant_id, 2 user_id }
            Invited { 1 invitation_id, 2 tenant_id, 3 email, 4 role, 5 extra, 6 sha256, 7 expires_at }
            InvitationAccepted { 1 invitation_id, 2 user_id }
            InvitationRevoked { 1 invitation_id }
            BootstrapIssued { 1 sha256, 2 expires_at }
            BootstrapUsed { 1 user_id }
            SessionOpened { 1 session_id, 2 user_id, 3 tenant_id, 4 cookie, 5 mfa, 6 expires_at }
            SessionRefreshed { 1 session_id, 2 generation, 3 expires_at }
            SessionRevoked { 1 session_id, 2 reason }
            SessionSteppedUp { 1 session_id }
            SignInFailed { 1 account, 2 ip }
            SignInCleared { 1 account, 2 ip }
            ApiKeyCreated {
                1 api_key_id, 2 tenant_id, 3 user_id, 4 name, 5 prefix, 6 sha256, 7 scopes, 8 expires_at, 9 nets,
            }
            ApiKeyRotated { 1 api_key_id, 2 prefix, 3 sha256, 4 old_until }
            ApiKeyRevoked { 1 api_key_id }
            ApiKeyUsed { 1 api_key_id }
            SigningKeyAdded { 1 kid, 2 public, 3 secret, 4 sign_from, 5 good_until }
            SigningKeyRetired { 1 kid }
            MacKeySet { 1 secret }
            BreakGlassUsed { 1 user_id, 2 session_id }
            UserErased { 1 user_id }
            KeyDestroyed { 1 subject }
            TenantFounding { 1 tenant_id, 2 name, 3 slug, 4 request, 5 fingerprint }
        }
    };
}
control_messages!(crate::message);

macro_rules! bodies {
    ($($code:literal $name:ident,)*) => {
        fn encode_body(event: &Event, out: &mut Vec<u8>) {
            match event { $(Event::$name(body) => body.encode(out),)* }
        }

        fn decode_body(kind: u32, bytes: &[u8]) -> Result<Event, DecodeError> {
            match kind {
                $($code => Message::decode(bytes).map(Event::$name),)*
                _ => Err(DecodeError::from(Fault::UnknownCode { code: u64::from(kind) }).within(EVENT, 1)),
            }
        }
    };
}
bodies! {
    1 TenantCreated, 2 TenantChanged, 3 AllowListSet, 4 UserCreated, 5 ProfileChanged, 6 PasswordChanged, 7 TotpEnrolled,
    8 TotpConfirmed, 9 TotpUsed, 10 RecoveryCodeUsed, 11 TotpDisabled, 12 MemberSet, 13 MemberRemoved, 14 Invited,
    15 InvitationAccepted, 16 InvitationRevoked, 17 BootstrapIssued, 18 BootstrapUsed, 19 SessionOpened, 20 SessionRefreshed,
    21 SessionRevoked, 22 SessionSteppedUp, 23 SignInFailed, 24 SignInCleared, 25 ApiKeyCreated, 26 ApiKeyRotated,
    27 ApiKeyRevoked, 28 ApiKeyUsed, 29 SigningKeyAdded, 30 SigningKeyRetired, 31 MacKeySet, 32 BreakGlassUsed, 33 UserErased, 34 KeyDestroyed, 35 TenantFounding,
}

/// Appends a batch of the control log. Equal batches have equal bytes.
pub fn encode_control(batch: &Batch, out: &mut Vec<u8>) {
    let Batch { time, by, trace_id, events } = batch;
    CONTROL_SCHEMA_VERSION.put(1, out);
    time.put(2, out);
    by.put(3, out);
    trace_id.put(4, out);
    for event in events {
        encode_key(EVENTS, WireType::LengthDelimited, out);
        put_delimited(out, |out| {
            event.code().put(1, out);
            encode_key(2, WireType::LengthDelimited, out);
            put_delimited(out, |out| encode_body(event, out));
        });
    }
}

/// Reads a batch of the control log from exactly these bytes.
///
/// # Errors
/// Where they are not what [`encode_control`] writes.
pub fn decode_control(bytes: &[u8]) -> Result<Batch, DecodeError> {
    let mut fields = Fields::new(BATCH, bytes);
    let mut version: u32 = 0;
    if fields.next_tag()? == Some(1) {
        fields.merge(&mut version)?;
    }
    // Version 2 only adds: kinds of facts, and that names and addresses may be sealed.
    if !(1..=CONTROL_SCHEMA_VERSION).contains(&version) {
        return Err(DecodeError::Version { found: version, newest: CONTROL_SCHEMA_VERSION });
    }
    let (mut time, mut by, mut trace_id, mut events) = (Time::absent(), None, TraceId::absent(), Vec::new());
    while let Some(tag) = fields.next_tag()? {
        match tag {
            2 => fields.merge(&mut time)?,
            3 => fields.merge(&mut by)?,
            4 => fields.merge(&mut trace_id)?,
            EVENTS => events.push(event(fields.take_delimited()?)?),
            1 => return Err(fields.refuse(Fault::OutOfOrder)),
            _ => return Err(fields.refuse(Fault::UnknownField)),
        }
    }
    let by = by.ok_or_else(|| DecodeError::from(Fault::Missing).within(BATCH, 3))?;
    Ok(Batch { time, by, trace_id, events })
}

fn event(bytes: &[u8]) -> Result<Event, DecodeError> {
    let mut fields = Fields::new(EVENT, bytes);
    let (mut kind, mut body): (u32, Option<&[u8]>) = (0, None);
    while let Some(tag) = fields.next_tag()? {
        match tag {
            1 => fields.merge(&mut kind)?,
            2 if body.is_none() => body = Some(fields.take_delimited()?),
            2 => return Err(fields.refuse(Fault::OutOfOrder)),
            _ => return Err(fields.refuse(Fault::UnknownField)),
        }
    }
    decode_body(kind, body.ok_or_else(|| DecodeError::from(Fault::Missing).within(EVENT, 2))?)
}

#[cfg(test)]
mod tests;
