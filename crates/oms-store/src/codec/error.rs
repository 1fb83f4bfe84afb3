//! Why stored bytes were refused.

use prost::encoding::WireType;

/// Why bytes could not be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Written by a newer program, or not a batch at all (version 0).
    #[error("schema version {found} cannot be read; this program reads 1 to {newest}")]
    Version {
        /// The stored version.
        found: u32,
        /// The newest version that this program reads.
        newest: u32,
    },
    /// A field is not what the schema says.
    #[error("{message}, field {tag}: {fault}")]
    Field {
        /// The innermost message.
        message: &'static str,
        /// Its field; 0 where the key itself could not be read.
        tag: u32,
        /// What is wrong with it.
        fault: Fault,
    },
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The input ends before the value does.
    #[error("needs {needed} bytes, {left} are left")]
    Truncated {
        /// Bytes of the value.
        needed: u64,
        /// Bytes of the message that are left.
        left: usize,
    },
    /// A variable-length number that does not end, or is longer than 64 bits.
    #[error("not a variable-length number")]
    Varint,
    /// The value is of another wire type.
    #[error("wire type {found}, expected {}", *expected as u8)]
    WireType {
        /// By the schema.
        expected: WireType,
        /// As stored.
        found: u8,
    },
    /// Not a wire type of proto3.
    #[error("{found} is not a wire type")]
    UnknownWireType {
        /// As stored.
        found: u8,
    },
    /// This version of the schema has no such field.
    #[error("no such field")]
    UnknownField,
    /// The tag stands after a higher one, or twice.
    #[error("out of order")]
    OutOfOrder,
    /// A field that is always written is not there.
    #[error("missing")]
    Missing,
    /// The vocabulary has no term with this number.
    #[error("no term has the number {code}")]
    UnknownCode {
        /// The stored number.
        code: u64,
    },
    /// Not UTF-8, or not what this kind of identifier allows.
    #[error("not valid text")]
    Text,
    /// A value of fixed size has another size.
    #[error("{found} bytes, expected {expected}")]
    Length {
        /// By the schema.
        expected: usize,
        /// As stored.
        found: usize,
    },
    /// A number outside the range of its type.
    #[error("out of range")]
    Range,
    /// Right in meaning, but this writer would have written other bytes.
    #[error("not in canonical form")]
    NotCanonical,
}

impl From<Fault> for DecodeError {
    fn from(fault: Fault) -> Self {
        Self::Field { message: "", tag: 0, fault }
    }
}

impl DecodeError {
    /// Names the place, unless an inner message did already.
    #[must_use]
    pub fn within(self, place: &'static str, at: u32) -> Self {
        match self {
            Self::Field { message: "", fault, .. } => Self::Field { message: place, tag: at, fault },
            Self::Field { .. } | Self::Version { .. } => self,
        }
    }
}
