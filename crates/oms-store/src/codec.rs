//! The stored encoding of events and of the state in snapshots: the protobuf wire format, written
//! straight from the model's types and read straight into them.
//!
//! - Bytes are canonical: equal values have equal bytes, and bytes that decode encode to themselves.
//!   So fields stand in the order of their tags, varints are minimal and a field that holds the
//!   proto3 default is left out, unless its presence is itself information (`Option`).
//! - The terms of a vocabulary are stored by their number, always: none of them is zero, so a change
//!   of a Rust default never changes what stored bytes mean. The same holds for every other `Default`
//!   of the model: what is not on the wire is zero, not `Default::default()`.
//! - Decoding is strict. A field that the schema version does not have, a tag out of order, an unknown
//!   number or a byte too many is an error that names its message and tag. The log is written by us
//!   alone, so what we do not understand is damage or a newer program, and neither may be guessed at.
//!   A new field or event kind therefore raises [`SCHEMA_VERSION`].
//! - Decoding never panics and holds memory in proportion to its input; nothing is reserved on the
//!   word of a stored number.
//! - `schemas/proto/oms/log/v1` describes the same bytes for other readers; a test holds both together.

mod error;
#[macro_use]
mod wire;
#[macro_use]
mod messages;
#[macro_use]
mod terms;
#[macro_use]
mod event;
mod amounts;
mod batch;
mod bytes;
mod control;
mod ids;
mod scalars;

pub use batch::{BatchHeader, SCHEMA_VERSION, batch_header, decode_batch, decode_batch_for_replay, encode_batch};
pub use control::{
    CONTROL_SCHEMA_VERSION, CONTROL_STATE_SCHEMA, decode_control, decode_control_state, encode_control, encode_control_state,
};
pub use error::{DecodeError, Fault};
pub use prost::encoding::WireType;
pub use wire::{Field, Fields, MAX_TAG, Message, Value, are_tags, required};

#[cfg(test)]
mod tests;
