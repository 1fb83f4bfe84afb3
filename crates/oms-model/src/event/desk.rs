//! The desk itself: its switches and states, sessions with brokers, keys, answers that can be repeated.

use crate::amount::Price;
use crate::command::Placed;
use crate::ids::{ApiKeyId, InstrumentId, Mic, OrderId, QuoteId, QuoteReqId, TenantId, Time, UserId};
use crate::limit::{LimitKey, LimitType, Period, Scope};
use crate::refusal::Refusal;
use crate::terms::TradingState;

/// A venue's session came up or went down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrokerSession {
    /// The venue.
    pub venue: Mic,
    /// Why.
    pub reason: String,
}

/// A kill switch was engaged or released.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KillSwitchChanged {
    /// For what.
    pub scope: Scope,
    /// Why.
    pub reason: String,
}

/// A trading state was set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TradingStateSet {
    /// For what.
    pub scope: Scope,
    /// To what.
    pub state: TradingState,
    /// Why.
    pub reason: String,
    /// Whether a breaker did it, and not a person.
    pub by_breaker: bool,
}

/// A limit was taken away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RiskLimitRemoved {
    /// Which.
    pub limit_type: LimitType,
    /// Whose.
    pub scope: Scope,
    /// Its period, where it is not the usual one.
    pub period: Option<Period>,
    /// Whether it was a soft one.
    pub soft: bool,
}

impl RiskLimitRemoved {
    /// Of this limit.
    #[must_use]
    pub const fn of(key: LimitKey) -> Self {
        let LimitKey { limit_type, scope, period, soft } = key;
        Self { limit_type, scope, period, soft }
    }

    /// Which limit it was.
    #[must_use]
    pub const fn key(&self) -> LimitKey {
        LimitKey { limit_type: self.limit_type, scope: self.scope, period: self.period, soft: self.soft }
    }
}

/// The tenant of this partition was named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantCreated {
    /// Its id.
    pub tenant_id: TenantId,
    /// Its short name.
    pub slug: String,
    /// Mixed into the order ids of this log.
    pub id_salt: u64,
}

/// A machine's credential was recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiKeyCreated {
    /// Its id.
    pub api_key_id: ApiKeyId,
    /// The user that it acts for.
    pub user_id: UserId,
    /// The first characters.
    pub prefix: String,
    /// SHA-256 of the whole key.
    pub sha256: [u8; 32],
}

/// A fund was valued.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NavSet {
    /// Which fund.
    pub instrument_id: InstrumentId,
    /// Net asset value per unit.
    pub nav: Price,
    /// The valuation point.
    pub as_of: Time,
    /// Orders that were taken up to then are priced at it; later ones wait for the next.
    pub cut_off: Time,
}

/// An idempotency key was used; the same key and payload within the window get the same answer.
/// Always the last event of its batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdempotencyRecorded {
    /// SHA-256 of (endpoint, key), its first 16 bytes.
    pub key: u128,
    /// SHA-256 of the canonical payload.
    pub fingerprint: [u8; 32],
    /// What the command came to.
    pub result: IdempotentResult,
}

/// The stored form of a command's outcome. What an order placement came to is read from its own
/// events; everything else stands here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdempotentResult {
    /// Orders placed, in order; an order that was recorded is named, one that was not has its refusal.
    pub placed: Vec<Placed>,
    /// Orders concerned by a cancel or replace, with their new versions.
    pub pending: Vec<(OrderId, u32)>,
    /// The refusal of the whole command.
    pub refused: Option<Refusal>,
    /// The request for quotes that was made.
    pub quote_req_id: Option<QuoteReqId>,
    /// The quote that was taken.
    pub quote_id: Option<QuoteId>,
}
