//! The state of the control log, as a snapshot stores it. Equal states have equal bytes.

use oms_identity::State;
use oms_identity::state::{ApiKey, Failures, Founding, Invitation, Member, Session, SigningKey, StateParts, Tenant, Totp, User};

use super::super::error::DecodeError;
use super::super::wire::Message;

/// "CTL", and the version: a higher one wherever what is stored, or what a fold makes of an event, is another. A snapshot of
/// another version is not read but made again from the log.
pub const CONTROL_STATE_SCHEMA: u32 = 0x4354_4c01;

crate::message! {
    Tenant { 1 name, 2 time_zone, 3 enabled, 4 nets, 5 created_at, 6 version }
    Founding { 1 name, 2 slug, 3 request, 4 fingerprint, 5 asked_at, 6 founded_at }
    Totp { 1 secret, 2 confirmed, 3 last_step, 4 recovery }
    User { 1 email, 2 name, 3 time_zone, 4 password, 5 totp, 6 break_glass, 7 created_at, 8 password_at, 9 erased_at, 10 invitations }
    Member { 1 role, 2 extra, 3 since }
    Invitation { 1 tenant_id, 2 email, 3 role, 4 extra, 5 sha256, 6 expires_at }
    Session {
        1 user_id, 2 tenant_id, 3 cookie, 4 mfa_at, 5 opened_at, 6 refreshed_at, 7 generation, 8 expires_at, 9 ip, 10 user_agent,
    }
    ApiKey {
        1 tenant_id, 2 user_id, 3 name, 4 prefix, 5 sha256, 6 old, 7 scopes, 8 expires_at, 9 nets, 10 created_at, 11 used_at,
    }
    SigningKey { 1 public, 2 secret, 3 sign_from, 4 good_until }
    Failures { 1 count, 2 last }
    StateParts {
        1 batches, 2 tenants, 3 users, 4 members, 5 invitations, 6 bootstrap, 7 sessions, 8 keys, 9 failures, 10 signing, 11 mac_key, 12 doomed, 13 foundings,
    }
}

/// The bytes of a state of the control log.
#[must_use]
pub fn encode_control_state(state: State) -> Vec<u8> {
    let mut out = Vec::new();
    StateParts::from(state).encode(&mut out);
    out
}

/// Reads a state of the control log from exactly these bytes.
///
/// # Errors
/// Where they are not what [`encode_control_state`] writes.
pub fn decode_control_state(bytes: &[u8]) -> Result<State, DecodeError> {
    StateParts::decode(bytes).map(State::from)
}

#[cfg(test)]
mod tests;
