//! Variable-length numbers, and bytes that stand behind their length.

use prost::encoding::decode_varint;

use super::error::{DecodeError, Fault};

/// Appends a variable-length number.
#[inline]
pub(super) fn put_varint(value: u64, out: &mut Vec<u8>) {
    if value < 0x80 {
        out.push(value as u8);
    } else {
        put_long_varint(value, out);
    }
}

/// Prices and times have five bytes and more: they are put together first and appended at once.
fn put_long_varint(mut value: u64, out: &mut Vec<u8>) {
    let mut bytes = [0; 10];
    let mut len = 0;
    for byte in &mut bytes {
        len += 1;
        *byte = value as u8 & 0x7F;
        value >>= 7;
        if value == 0 {
            break;
        }
        *byte |= 0x80;
    }
    out.extend_from_slice(bytes.split_at(len).0);
}

/// Takes a variable-length number in its shortest form off the front of `input`.
#[inline]
pub(super) fn varint(input: &mut &[u8]) -> Result<u64, DecodeError> {
    if let [byte @ 0..0x80, rest @ ..] = *input {
        *input = rest;
        return Ok(u64::from(*byte));
    }
    long_varint(input)
}

fn long_varint(input: &mut &[u8]) -> Result<u64, DecodeError> {
    let before = *input;
    let value = decode_varint(input).map_err(|_| Fault::Varint)?;
    let used = before.len() - input.len();
    // A last byte of zero adds nothing: the number has a shorter form.
    if used > 1 && before.get(used - 1) == Some(&0) {
        return Err(Fault::NotCanonical.into());
    }
    Ok(value)
}

/// Takes `len` bytes off the front of `input`.
#[inline]
pub(super) fn take<'a>(input: &mut &'a [u8], len: u64) -> Result<&'a [u8], DecodeError> {
    let split = usize::try_from(len).ok().and_then(|len| input.split_at_checked(len));
    let Some((taken, rest)) = split else {
        return Err(Fault::Truncated { needed: len, left: input.len() }.into());
    };
    *input = rest;
    Ok(taken)
}

/// Takes a length and as many bytes off the front of `input`.
#[inline]
pub(super) fn delimited<'a>(input: &mut &'a [u8]) -> Result<&'a [u8], DecodeError> {
    let len = varint(input)?;
    take(input, len)
}

/// Appends a length and these bytes.
#[inline]
pub(super) fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    put_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// Appends the length of what `body` appends, and that.
#[inline]
pub(super) fn put_delimited(out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.push(0);
    body(out);
    let len = out.len() - at - 1;
    match out.get_mut(at) {
        Some(slot) if len < 0x80 => *slot = len as u8,
        _ => widen(out, at, len),
    }
}

/// Makes room for a length of more than one byte at `at`; most messages are shorter.
fn widen(out: &mut Vec<u8>, at: usize, len: usize) {
    let end = out.len();
    put_varint(len as u64, out);
    let width = out.len() - end;
    let mut prefix = [0; 10];
    for (slot, byte) in prefix.iter_mut().zip(out.iter().skip(end)) {
        *slot = *byte;
    }
    // One byte was there already, so the body moves by one less than the width.
    out.truncate(end + width - 1);
    out.copy_within(at + 1..end, at + width);
    for (slot, byte) in out.iter_mut().skip(at).zip(prefix.iter().take(width)) {
        *slot = *byte;
    }
}
