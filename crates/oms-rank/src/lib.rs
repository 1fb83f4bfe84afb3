//! Rows in order, and windows of them that are kept current.
//!
//! - [`RankIndex`] keeps rows sorted while they change: putting one in, taking one out and finding the n-th cost about the
//!   same whatever its size.
//! - [`changes`] says what a window shows otherwise than before.
//! - Neither knows what a row is: rows are numbers, their order is given by [`Ordered`].

mod index;
mod window;

pub use index::{Entry, Ordered, RankIndex};
pub use window::{Changes, Line, changes};
