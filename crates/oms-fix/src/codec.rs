//! Tag-value encoding: framing, scanning, values, writing. Every step is bounded and none panics.
//!
//! - [`frame`] cuts a stream into messages by their declared length, checked before it is buffered.
//! - [`scan`] splits one message into fields without copying; data fields may contain the separator.
//! - [`value`] reads and writes the data types; decimals are exact.
//! - [`encode`] writes messages, body length and checksum included.

pub mod encode;
pub mod frame;
pub mod scan;
pub mod value;

/// The field separator.
pub const SOH: u8 = 1;

/// The sum of all bytes modulo 256, as CheckSum(10) has it.
#[must_use]
pub fn checksum(bytes: &[u8]) -> u8 {
    // Summed in chunks that cannot overflow, so that the compiler can use wide registers.
    bytes.chunks(1 << 16).fold(0, |sum: u8, chunk| {
        let part: u32 = chunk.iter().map(|byte| u32::from(*byte)).sum();
        sum.wrapping_add(part.to_le_bytes()[0])
    })
}
