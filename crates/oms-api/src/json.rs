//! JSON in and out.
//!
//! - In: a strict reader ([`read`]) that keeps the text of every number, so that an amount never passes
//!   through a float; refuses a key that occurs twice, at any depth; bounds the depth; and decoders
//!   ([`decode`]) that refuse unknown fields by name and say where in the document something is wrong.
//! - Out: one buffer, written front to back ([`Writer`]); the same facts give the same bytes.

pub mod booking;
pub mod command;
pub mod decode;
pub mod events;
pub mod imports;
pub mod input;
pub mod instructions;
pub mod leaves;
pub mod orders;
pub mod quotes;
pub mod read;
pub mod risk;
pub mod setup;
pub mod shadow;
pub mod write;

pub use decode::Fields;
pub use read::{Value, parse};
pub use write::Writer;
