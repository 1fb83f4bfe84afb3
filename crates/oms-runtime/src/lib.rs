//! The loop around the engine: partition, commit, recovery, followers, timers, market data, and the ports.
//!
//! - Only the partition's loop decides, and only its commit thread writes the log.
//! - Nothing leaves before the log is durable: no answer, no intent, no view.
//! - A log that cannot be written stops the process. An fsync is never tried again.
//! - Every queue has a bound; a full one refuses at once and says so.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking"))]

pub mod clock;
mod commit;
pub mod feed;
pub mod gateway;
pub mod handle;
pub mod history;
pub mod market;
pub mod partition;
pub mod port;
pub mod recovery;
pub mod snapshot;
pub mod telemetry;
pub mod view_follower;

pub use clock::{Clock, SystemClock};
pub use feed::{Feed, Follower};
pub use handle::{Answer, Handle, Request};
pub use history::History;
pub use market::MarketBook;
pub use partition::{Config, Partition, start};
