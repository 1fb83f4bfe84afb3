//! Passwords: what they must be, and how they are kept.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use oms_model::{Code, Refusal};
use std::collections::HashSet;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::sync::Semaphore;

/// The shortest password, characters.
pub const MIN: usize = 12;
/// The longest, bytes: hashing takes time in proportion.
pub const MAX: usize = 256;
/// How long a request waits for its turn to hash.
const PATIENCE: Duration = Duration::from_secs(5);

/// The most frequent passwords of breaches that were made public, in lower case.
static BREACHED: LazyLock<HashSet<&'static str>> = LazyLock::new(|| include_str!("../data/common-passwords.txt").lines().collect());

/// Whether a password may be chosen by whoever has this e-mail address.
///
/// # Errors
/// `VALIDATION_ERROR` saying why not.
pub fn check(password: &str, email: &str) -> Result<(), Refusal> {
    let bad = |why: &str| Err(Refusal::new(Code::ValidationError, format!("password {why}")).with("field", "password"));
    if password.chars().count() < MIN || password.len() > MAX {
        return bad(&format!("must have {MIN} characters at least and {MAX} bytes at most"));
    }
    let lower = password.to_lowercase();
    // Digits and signs around a listed word, or the word twice, are the first things that are tried.
    let core = lower.trim_matches(|c: char| !c.is_alphabetic());
    let half = lower.split_at_checked(lower.len() / 2).filter(|(one, two)| one == two).map_or("", |(one, _)| one);
    if [lower.as_str(), core, half].iter().any(|word| BREACHED.contains(word)) {
        return bad("is one of those that were found in breaches, or such a one with digits around it");
    }
    let mut chars: Vec<char> = lower.chars().collect();
    chars.sort_unstable();
    chars.dedup();
    if chars.len() < 5 {
        return bad("must have five different characters at least");
    }
    let local = email.split('@').next().unwrap_or_default();
    if local.len() >= 4 && lower.contains(&local.to_lowercase()) {
        return bad("must not contain the e-mail address");
    }
    Ok(())
}

/// How much work a hash is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// KiB of memory.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Cost {
    /// 64 MiB, three passes, one lane: above the minimum of OWASP.
    pub const DEFAULT: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 1 };
}

/// Hashes and compares, so many at once: each takes the memory of [`Cost`].
#[derive(Clone)]
pub struct Hasher {
    cost: Cost,
    places: Arc<Semaphore>,
    /// What is compared with where there is no such account, so that the answer takes as long.
    decoy: Arc<str>,
}

/// What came of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// It is another password.
    Wrong,
    /// It is the password.
    Right,
    /// It is, and should be hashed anew: the cost has changed.
    Stale,
}

fn argon(cost: Cost) -> Result<Argon2<'static>, Refusal> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, None).map_err(|_| internal())?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn internal() -> Refusal {
    Refusal::new(Code::Internal, "the password could not be hashed")
}

fn hash_now(cost: Cost, password: &str) -> Result<String, Refusal> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|_| internal())?;
    let hash: PasswordHash = argon(cost)?.hash_password_with_salt(password.as_bytes(), &salt).map_err(|_| internal())?;
    Ok(hash.to_string())
}

fn compare_now(cost: Cost, password: &str, hash: &str) -> Result<Compared, Refusal> {
    let parsed = PasswordHash::new(hash).map_err(|_| internal())?;
    let argon = argon(cost)?;
    if argon.verify_password(password.as_bytes(), &parsed).is_err() {
        return Ok(Compared::Wrong);
    }
    let cost_of = |params: &Params| Cost { memory_kib: params.m_cost(), passes: params.t_cost(), lanes: params.p_cost() };
    let current = Params::try_from(&parsed).is_ok_and(|params| cost_of(&params) == cost);
    Ok(if current && parsed.algorithm.as_str() == "argon2id" { Compared::Right } else { Compared::Stale })
}

impl Hasher {
    /// With this cost and so many at once.
    ///
    /// # Errors
    /// `INTERNAL`: the cost is not one, or the system has no randomness.
    pub fn new(cost: Cost, at_once: usize) -> Result<Self, Refusal> {
        let decoy = hash_now(cost, "nobody has this password")?.into();
        Ok(Self { cost, places: Arc::new(Semaphore::new(at_once)), decoy })
    }

    /// The hash of a password, with a salt of its own (PHC string).
    ///
    /// # Errors
    /// `OVERLOADED`, `INTERNAL`.
    pub async fn hash(&self, password: String) -> Result<String, Refusal> {
        let cost = self.cost;
        self.work(move || hash_now(cost, &password)).await
    }

    /// Compares a password with a hash; with a decoy where there is none.
    ///
    /// # Errors
    /// `OVERLOADED`, `INTERNAL`.
    pub async fn compare(&self, password: String, hash: Option<String>) -> Result<Compared, Refusal> {
        let (cost, decoy) = (self.cost, Arc::clone(&self.decoy));
        self.work(move || match hash {
            Some(hash) => compare_now(cost, &password, &hash),
            None => compare_now(cost, &password, &decoy).map(|_| Compared::Wrong),
        })
        .await
    }

    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T, Refusal> + Send + 'static) -> Result<T, Refusal> {
        let busy = || Refusal::new(Code::Overloaded, "too many passwords are being checked");
        let place = tokio::time::timeout(PATIENCE, Arc::clone(&self.places).acquire_owned()).await.map_err(|_| busy())?;
        let place = place.map_err(|_| busy())?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(place);
            done
        });
        done.await.map_err(|_| internal())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };

    #[test]
    fn what_is_easily_guessed_is_refused() {
        let refused = |password: &str| check(password, "trader.joe@example.com").unwrap_err().message;
        assert!(refused("short").contains("12 characters"));
        assert!(refused(&"x".repeat(300)).contains("256 bytes"));
        for listed in ["qwertyuiop12", "Password2024!!", "123monkey12345", "trustno1trustno1", "1234567890987654321"] {
            assert!(refused(listed).contains("breaches") || refused(listed).contains("different"), "{listed}");
        }
        assert!(refused("abababababababab").contains("different"));
        assert!(refused("my-trader.joe-secret").contains("e-mail"));
        assert!(check("correct horse battery staple", "a@b.c").is_ok());
        assert!(BREACHED.len() > 20_000);
    }

    #[tokio::test]
    async fn a_hash_is_of_its_password_and_goes_stale_with_the_cost() {
        let cheap = Hasher::new(CHEAP, 1).unwrap();
        let hash = cheap.hash("correct horse".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{hash}");
        assert_eq!(cheap.compare("correct horse".to_owned(), Some(hash.clone())).await, Ok(Compared::Right));
        assert_eq!(cheap.compare("correct house".to_owned(), Some(hash.clone())).await, Ok(Compared::Wrong));
        assert_eq!(cheap.compare("nobody has this password".to_owned(), None).await, Ok(Compared::Wrong));
        let dearer = Hasher::new(Cost { passes: 2, ..CHEAP }, 1).unwrap();
        assert_eq!(dearer.compare("correct horse".to_owned(), Some(hash.clone())).await, Ok(Compared::Stale));
        assert_ne!(hash, cheap.hash("correct horse".to_owned()).await.unwrap(), "each has a salt of its own");
    }
}
