//! How often somebody may ask: by credential and by tenant, for each class of operations a budget of its own. So reads never
//! starve orders, and nothing starves cancels.

use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use http::{HeaderMap, HeaderName, HeaderValue};
use oms_identity::{Credential, Principal};
use oms_model::{Code, Refusal};
use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Budgets of forgotten callers are dropped after so many requests.
const TIDY_EVERY: u32 = 100_000;

/// A class of operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Signing in and whatever else is open to anybody who guesses: by address.
    Entrance,
    /// What reads.
    Read,
    /// What changes something.
    Write,
    /// What cancels or stops trading.
    Cancel,
}

/// Requests in a second, and so many at once; zero does not limit. A tenant has [`Rates::tenant`] times as much as one of its
/// credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Reads of a credential in a second.
    pub read: u32,
    /// Changes of a credential in a second.
    pub write: u32,
    /// Cancels of a credential in a second.
    pub cancel: u32,
    /// Attempts to get in from an address in a minute.
    pub entrance: u32,
    /// How many times as much a tenant has.
    pub tenant: u32,
}

impl Default for Rates {
    fn default() -> Self {
        Self { read: 5_000, write: 20_000, cancel: 20_000, entrance: 120, tenant: 8 }
    }
}

type Limiter<K> = RateLimiter<K, governor::state::keyed::DashMapStateStore<K>, DefaultClock, StateInformationMiddleware>;

/// Who has a budget: a credential in its tenant.
type Caller = (u128, u128);

struct Budget {
    credential: Limiter<Caller>,
    tenant: Limiter<u128>,
}

/// The budgets of an interface.
pub struct Limits {
    read: Option<Budget>,
    write: Option<Budget>,
    cancel: Option<Budget>,
    entrance: Option<Limiter<IpAddr>>,
    asked: AtomicU32,
}

/// What is left of the budget that a request was taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// The whole of it.
    pub limit: u32,
    /// What is left.
    pub remaining: u32,
    /// Seconds until it is whole again.
    pub reset_s: u64,
}

fn limiter<K: Hash + Eq + Clone>(quota: Quota) -> Limiter<K> {
    DefaultKeyedRateLimiter::<K>::dashmap(quota).with_middleware::<StateInformationMiddleware>()
}

/// So many in a second, and two seconds' worth at once.
fn per_second(rate: u32) -> Option<Quota> {
    let burst = NonZeroU32::new(rate.saturating_mul(2))?;
    Some(Quota::per_second(NonZeroU32::new(rate)?).allow_burst(burst))
}

fn budget(rate: u32, tenant: u32) -> Option<Budget> {
    let (credential, whole) = (per_second(rate)?, per_second(rate.saturating_mul(tenant.max(1)))?);
    Some(Budget { credential: limiter(credential), tenant: limiter(whole) })
}

fn take<K: Hash + Eq + Clone>(limiter: &Limiter<K>, key: &K) -> Result<Left, Refusal> {
    let whole = |quota: Quota| quota.burst_size().get();
    match limiter.check_key(key) {
        Ok(state) => {
            let quota = state.quota();
            let (limit, remaining) = (whole(quota), state.remaining_burst_capacity());
            let reset = quota.replenish_interval().saturating_mul(limit.saturating_sub(remaining));
            Ok(Left { limit, remaining, reset_s: seconds(reset) })
        }
        Err(wait) => {
            let after = seconds(wait.wait_time_from(DefaultClock::default().now()));
            let refusal = Refusal::new(Code::RateLimited, "too many requests of this kind");
            Err(refusal.with("retry_after_s", after.max(1)).with("limit", whole(wait.quota())))
        }
    }
}

fn seconds(time: Duration) -> u64 {
    time.as_millis().div_ceil(1_000).try_into().unwrap_or(u64::MAX)
}

impl Limits {
    /// With these budgets.
    #[must_use]
    pub fn new(rates: Rates) -> Self {
        let per_minute = |rate| NonZeroU32::new(rate).map(|rate| limiter(Quota::per_minute(rate)));
        Self {
            read: budget(rates.read, rates.tenant),
            write: budget(rates.write, rates.tenant),
            cancel: budget(rates.cancel, rates.tenant),
            entrance: per_minute(rates.entrance),
            asked: AtomicU32::new(0),
        }
    }

    /// Takes a request from the budgets of whoever asks; `None` where nothing limits it.
    ///
    /// # Errors
    /// `RATE_LIMITED` with the seconds after which there is room.
    pub fn take(&self, class: Class, principal: &Principal) -> Result<Option<Left>, Refusal> {
        if self.asked.fetch_add(1, Ordering::Relaxed) % TIDY_EVERY == TIDY_EVERY - 1 {
            self.tidy();
        }
        let budget = match class {
            Class::Entrance => {
                // Where no address is known there is no network in between.
                let (Some(limiter), Some(ip)) = (&self.entrance, principal.ip) else { return Ok(None) };
                return take(limiter, &oms_identity::net::place(ip)).map(Some);
            }
            Class::Read => &self.read,
            Class::Write => &self.write,
            Class::Cancel => &self.cancel,
        };
        let Some(budget) = budget else { return Ok(None) };
        let tenant = principal.tenant_id.as_u128();
        let left = take(&budget.credential, &(tenant, credential(principal)))?;
        take(&budget.tenant, &tenant)?;
        Ok(Some(left))
    }

    fn tidy(&self) {
        for budget in [&self.read, &self.write, &self.cancel].into_iter().flatten() {
            budget.credential.retain_recent();
            budget.tenant.retain_recent();
        }
        if let Some(entrance) = &self.entrance {
            entrance.retain_recent();
        }
    }
}

fn credential(principal: &Principal) -> u128 {
    match principal.credential {
        Credential::ApiKey(id) | Credential::DeskKey(id) => id.as_u128(),
        Credential::Token(id) | Credential::Cookie(id) => id.as_u128(),
        Credential::External | Credential::Nothing => principal.user_id.as_u128(),
    }
}

/// Says what is left (draft-ietf-httpapi-ratelimit-headers, in the form that clients read today).
pub fn headers(headers: &mut HeaderMap, left: Left) {
    let mut put = |name: &'static str, value: u64| headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
    put("ratelimit-limit", left.limit.into());
    put("ratelimit-remaining", left.remaining.into());
    put("ratelimit-reset", left.reset_s);
}

#[cfg(test)]
mod tests {
    use super::*;
    use oms_model::{ApiKeyId, TenantId};

    fn principal(tenant: u128, key: u128) -> Principal {
        let credential = Credential::ApiKey(ApiKeyId::from_u128(key));
        Principal { tenant_id: TenantId::from_u128(tenant), credential, ip: "192.0.2.1".parse().ok(), ..Principal::NOBODY }
    }

    #[test]
    fn each_credential_class_and_tenant_has_its_own_budget() {
        let limits = Limits::new(Rates { read: 1, write: 1, cancel: 1, entrance: 2, tenant: 2 });
        let taken = |class, tenant, key| limits.take(class, &principal(tenant, key)).map(Option::unwrap);
        assert_eq!(taken(Class::Read, 1, 1), Ok(Left { limit: 2, remaining: 1, reset_s: 1 }));
        assert_eq!(taken(Class::Read, 1, 1).unwrap().remaining, 0);
        let refused = taken(Class::Read, 1, 1).unwrap_err();
        assert_eq!((refused.code, refused.details[0].1.as_str()), (Code::RateLimited, "1"));
        assert!(taken(Class::Cancel, 1, 1).is_ok(), "cancels have a budget of their own");
        assert!(taken(Class::Write, 1, 1).is_ok());
        assert!(taken(Class::Read, 1, 2).is_ok() && taken(Class::Read, 1, 2).is_ok(), "another key has its own");
        assert!(taken(Class::Read, 1, 3).is_err(), "up to what the tenant has");
        assert!(taken(Class::Read, 2, 3).is_ok(), "which is no other tenant's");
        assert!(taken(Class::Entrance, 1, 1).is_ok() && taken(Class::Entrance, 2, 2).is_ok());
        assert!(taken(Class::Entrance, 3, 3).is_err(), "the entrance is by address");
        let free = Limits::new(Rates { read: 0, write: 0, cancel: 0, entrance: 0, tenant: 0 });
        assert_eq!(free.take(Class::Read, &principal(1, 1)), Ok(None));
    }
}
