//! Who somebody is: passwords, second factors, tokens, sessions and keys, over the control log.
//!
//! The rules are `oms-identity`'s, which is pure; here are the secrets, the clock and the disk.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")
)]

pub mod identity;
pub mod jwt;
pub mod key;
pub mod log;
pub mod mac;
pub mod oidc;
pub mod password;
pub mod people;
pub mod seal;
pub mod totp;

pub use identity::{Config, Identity, Presented};
pub use log::{Cadence, Clock, ControlLog, Recovery, system_clock};
pub use people::People;
pub use seal::{SealError, SecretBox, VaultBox};

/// Compares in a time that does not depend on where two texts differ.
pub(crate) fn same(one: &[u8], other: &[u8]) -> bool {
    let difference = one.iter().zip(other).fold(0_u8, |sum, (a, b)| sum | (a ^ b));
    one.len() == other.len() && std::hint::black_box(difference) == 0
}
