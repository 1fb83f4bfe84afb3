//! The one registry of identifiers. Mixing two of them does not compile.

use compact_str::CompactString;
use core::fmt;
use core::str::FromStr;

/// Why an identifier was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdError {
    /// Not a UUID in its canonical 8-4-4-4-12 form.
    NotUuid,
    /// Empty, longer than [`MAX_TEXT_ID`] or holding something other than printable ASCII without spaces.
    BadText,
    /// Not four upper-case letters or digits (ISO 10383).
    NotMic,
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUuid => f.write_str("is not a UUID"),
            Self::BadText => write!(f, "must be 1 to {MAX_TEXT_ID} printable ASCII characters without spaces"),
            Self::NotMic => f.write_str("is not a market identifier code (four upper-case letters or digits)"),
        }
    }
}

/// The most characters in an identifier given as text.
pub const MAX_TEXT_ID: usize = 64;

macro_rules! uuid_ids {
    ($($name:ident = $doc:literal,)*) => {$(
        #[doc = $doc]
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        // Two halves, because a `u128` would be aligned to 16 bytes and make every order larger.
        pub struct $name([u64; 2]);
        impl $name {
            /// From the 128 bits of a UUID.
            #[must_use]
            pub const fn from_u128(bits: u128) -> Self { Self([(bits >> 64) as u64, bits as u64]) }
            /// The 128 bits of the UUID.
            #[must_use]
            pub const fn as_u128(self) -> u128 { (self.0[0] as u128) << 64 | self.0[1] as u128 }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write_uuid(f, self.as_u128()) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write_uuid(f, self.as_u128()) }
        }
        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> { parse_uuid(text).map(Self::from_u128) }
        }
    )*};
}

macro_rules! text_ids {
    ($($name:ident = $doc:literal,)*) => {$(
        #[doc = $doc]
        #[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(CompactString);
        impl $name {
            /// From text.
            ///
            /// # Errors
            /// [`IdError::BadText`] unless it is 1 to [`MAX_TEXT_ID`] printable ASCII characters without spaces.
            pub fn new(text: &str) -> Result<Self, IdError> {
                let fits = !text.is_empty() && text.len() <= MAX_TEXT_ID && text.bytes().all(|b| b.is_ascii_graphic());
                if fits { Ok(Self(CompactString::new(text))) } else { Err(IdError::BadText) }
            }
            /// As text.
            #[must_use]
            pub fn as_str(&self) -> &str { &self.0 }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> { Self::new(text) }
        }
    )*};
}

uuid_ids! {
    TenantId = "A firm or desk that shares nothing with another.",
    UserId = "A person or machine user.",
    ApiKeyId = "A machine's credential.",
    SessionId = "Where somebody is signed in.",
    InvitationId = "Asks somebody to join a tenant.",
    AccountId = "A tenant's account at a broker.",
    OrderId = "Given by us to every node of an order tree; a UUIDv7, never reused.",
    QuoteReqId = "A client's request for quotes (FIX 131).",
    QuoteId = "Given by us to a dealer's quote (FIX 117); the dealer's own id stands beside it.",
    AllocId = "Given by us to an allocation.",
    OverrideId = "Given by us to a person's leave to break a rule.",
    LimitScheduleId = "Given by us to a change of a limit that takes effect at a time.",
    CommandId = "Given by us to every input; the cause of the events it led to.",
    TraceId = "The W3C trace id that an input came with.",
}

text_ids! {
    ClOrdId = "The client's order id (FIX 11), unique per tenant for ever.",
    WireId = "The ClOrdID that a venue sees: order and revision, so that it is never used twice.",
    BrokerOrderId = "The venue's permanent order id (FIX 37).",
    ExecId = "The venue's execution id (FIX 17).",
    Symbol = "An instrument's ticker.",
    PolicyName = "The name of a routing policy.",
    RuleSetName = "The name of a set of rules that runs in shadow.",
    QuoteRef = "The dealer's own id of a quote; an order that accepts the quote carries it to the dealer.",
    SecurityId = "An instrument's identifier in somebody else's list (FIX 48).",
    Tenor = "The term of a deal in the market's words: SPOT, ON, 1W, 3M.",
}

/// An instrument's place in the tenant's list; the natural key is (symbol, listing MIC, asset class).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstrumentId(pub u32);

/// A position in a partition's log, gapless from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(pub u64);

impl Seq {
    /// The next one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// UTC nanoseconds since 1970-01-01. Comes from outside; the core never reads a clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

impl Time {
    /// This time and `ns` nanoseconds, held at the bounds.
    #[must_use]
    pub const fn plus(self, ns: i64) -> Self {
        Self(self.0.saturating_add(ns))
    }
    /// The day that it lies in, UTC, as a number: 20261121. [Civil calendar from days](
    /// https://howardhinnant.github.io/date_algorithms.html#civil_from_days) since 1970; zero before that.
    #[must_use]
    pub const fn day(self) -> u32 {
        const DAY_NS: i64 = 86_400_000_000_000;
        if self.0 < 0 {
            return 0;
        }
        // Days since 0000-03-01, so that the leap day is the last of its year.
        let days = self.0 / DAY_NS + 719_468;
        let (era, of_era) = (days / 146_097, days % 146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * of_year + 2) / 153;
        let (day, month) = (of_year - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
        let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
        // The last nanosecond of an i64 lies in the year 2262.
        (year * 10_000 + month * 100 + day) as u32
    }
    /// Nanoseconds from `earlier` to this time; negative where `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// A market identifier code (ISO 10383).
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mic([u8; 4]);

impl Mic {
    /// Of a trade that was made on no venue (ISO 10383: off-exchange transactions).
    pub const OFF_EXCHANGE: Self = Self(*b"XOFF");

    /// From four upper-case letters or digits known at compile time.
    #[must_use]
    pub const fn of(code: &[u8; 4]) -> Self {
        Self(*code)
    }
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or("????")
    }
    /// As a number, for codecs.
    #[must_use]
    pub const fn as_u32(self) -> u32 {
        u32::from_be_bytes(self.0)
    }
    /// From [`Mic::as_u32`].
    #[must_use]
    pub const fn from_u32(bits: u32) -> Self {
        Self(bits.to_be_bytes())
    }
}

impl fmt::Display for Mic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Mic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Mic {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        match <[u8; 4]>::try_from(text.as_bytes()) {
            Ok(code) if code.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) => Ok(Self(code)),
            _ => Err(IdError::NotMic),
        }
    }
}

impl OrderId {
    /// The UUIDv7 (RFC 9562) of the `nth` order that the batch starting at `seq` creates: 48 bits of
    /// milliseconds, 12 bits of `nth`, 62 bits of `seq` mixed with the log's `salt`. Unique within a log,
    /// because a sequence that was acknowledged is never used again.
    #[must_use]
    pub fn derive(time: Time, salt: u64, seq: Seq, nth: u16) -> Self {
        let ms = u128::from((time.0 / 1_000_000).max(0).unsigned_abs() & 0xFFFF_FFFF_FFFF);
        let low = u128::from((seq.0 ^ salt) & 0x3FFF_FFFF_FFFF_FFFF);
        Self::from_u128(ms << 80 | 0x7 << 76 | u128::from(nth & 0xFFF) << 64 | 0b10 << 62 | low)
    }
}

impl WireId {
    /// The id that a venue sees for revision `revision` of `order`: 32 hexadecimal digits, `-`, the revision.
    /// A new order is revision 0; every cancel or replace request takes the next.
    #[must_use]
    pub fn derive(order: OrderId, revision: u32) -> Self {
        let mut head = [b'-'; 33];
        for (at, slot) in head.iter_mut().take(32).enumerate() {
            *slot = hex_digit(order.as_u128() >> (124 - 4 * at));
        }
        let mut text = CompactString::with_capacity(head.len() + 1);
        text.push_str(core::str::from_utf8(&head).unwrap_or_default());
        // Text is never refused.
        let _written = fmt::Write::write_fmt(&mut text, format_args!("{revision}"));
        Self(text)
    }
    /// The order and revision it was derived from; `None` where it is not one of ours.
    #[must_use]
    pub fn parts(&self) -> Option<(OrderId, u32)> {
        let (order, revision) = self.0.split_once('-')?;
        if order.len() != 32 {
            return None;
        }
        // By halves: 128 bits are multiplied slowly.
        let half = |text: &str| text.bytes().try_fold(0_u64, |bits, digit| Some(bits << 4 | u64::from(char::from(digit).to_digit(16)?)));
        let (high, low) = order.split_at_checked(16)?;
        let bits = u128::from(half(high)?) << 64 | u128::from(half(low)?);
        Some((OrderId::from_u128(bits), revision.parse().ok()?))
    }
}

/// The last four bits.
fn hex_digit(bits: u128) -> u8 {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    HEX[(bits & 0xF) as usize]
}

fn write_uuid(f: &mut fmt::Formatter<'_>, bits: u128) -> fmt::Result {
    let mut text = [b'-'; 36];
    let mut shift = 128;
    for (at, slot) in text.iter_mut().enumerate() {
        if !matches!(at, 8 | 13 | 18 | 23) {
            shift -= 4;
            *slot = hex_digit(bits >> shift);
        }
    }
    f.pad(core::str::from_utf8(&text).unwrap_or_default())
}

fn parse_uuid(text: &str) -> Result<u128, IdError> {
    if text.len() != 36 {
        return Err(IdError::NotUuid);
    }
    let mut bits: u128 = 0;
    for (at, byte) in text.bytes().enumerate() {
        if matches!(at, 8 | 13 | 18 | 23) {
            if byte != b'-' {
                return Err(IdError::NotUuid);
            }
            continue;
        }
        let digit = char::from(byte).to_digit(16).ok_or(IdError::NotUuid)?;
        bits = bits << 4 | u128::from(digit);
    }
    Ok(bits)
}

#[cfg(test)]
mod tests;
