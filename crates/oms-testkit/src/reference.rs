//! The reference model: a plain ledger of what was made durable, what was answered and what was handed over.
//!
//! - It is told facts one after the other and holds each against all that came before. It shares no rule with the
//!   engine: it adds and it remembers.
//! - What it finds wrong it names by the number of the invariant.

mod answers;
mod books;
mod controls;
mod gate;
mod groups;
mod orders;
mod quotes;
mod sagas;
mod works;

pub use answers::{Answers, Asked};
pub use books::{Booked, Books};
pub use gate::Gate;
pub use groups::Groups;
pub use orders::{Handing, Kept, Orders};
pub use quotes::Quotes;
pub use works::Works;

/// Stops the run with the number of the invariant that does not hold.
#[macro_export]
macro_rules! hold {
    ($number:literal, $holds:expr, $($text:tt)+) => {
        if !$holds {
            panic!("invariant {}: {}", $number, format!($($text)+));
        }
    };
}
