//! The one door: everything that can change something enters as an [`Input`].

use oms_model::command::{Actor, Command};
use oms_model::event::RouteDecided;
use oms_model::limit::CheckResult;
use oms_model::report::Report;
use oms_model::{CommandId, InstrumentId, Refusal, TraceId};

/// An idempotency key as the engine keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The first 16 bytes of the SHA-256 of (endpoint, key).
    pub key: u128,
    /// SHA-256 of the canonical payload.
    pub fingerprint: [u8; 32],
}

/// What happened outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InputBody {
    /// Somebody asks.
    Command {
        /// What.
        command: Command,
        /// Makes the answer repeatable.
        idempotency: Option<IdempotencyKey>,
    },
    /// A venue claims.
    Report(Report),
    /// A deadline has come.
    Timer,
    /// The market in an instrument that an order watches has moved.
    Market(InstrumentId),
    /// The process has just recovered its state: whatever was handed to a venue and not answered is in doubt.
    Recovered,
}

/// One thing that enters, with everything that the engine may not find out for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Its id, the cause of the events it leads to.
    pub command_id: CommandId,
    /// Who.
    pub actor: Actor,
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// What.
    pub body: InputBody,
}

/// What would happen to an order, without placing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// Every check.
    pub checks: Vec<CheckResult>,
    /// Why it would be refused; `None` where it would be accepted.
    pub refusal: Option<Refusal>,
    /// The plan, where the gate lets it pass.
    pub route: Option<RouteDecided>,
}

impl IdempotencyKey {
    /// The first eight bytes of the fingerprint: what the hot state keeps. The whole of it is in the log.
    #[must_use]
    pub fn fingerprint_head(&self) -> u64 {
        fingerprint_head(&self.fingerprint)
    }
}

pub(crate) fn fingerprint_head(fingerprint: &[u8; 32]) -> u64 {
    fingerprint.iter().take(8).fold(0, |bits, &byte| bits << 8 | u64::from(byte))
}
