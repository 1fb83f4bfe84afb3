//! Values one after the other, in the order in which they are read again: what a checkpoint is written in. The version of
//! the checkpoint stands for their order.

/// Appends a number as protobuf does: seven bits in a byte, the lowest first.
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while 0x80 <= value {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

/// Takes such a number from the front.
pub(crate) fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for (place, byte) in bytes.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f).checked_shl(u32::try_from(place * 7).ok()?)?;
        if byte & 0x80 == 0 {
            *bytes = bytes.get(place + 1..)?;
            return Some(value);
        }
    }
    None
}

/// Writes values.
pub(crate) trait Pack {
    fn number(&mut self, value: u64);
    fn bytes(&mut self, value: &[u8]);

    fn text(&mut self, value: &str) {
        self.bytes(value.as_bytes());
    }

    fn signed(&mut self, value: i64) {
        self.number(u64::from_le_bytes(value.to_le_bytes()));
    }

    fn wide(&mut self, value: u128) {
        let [high, low] = [value >> 64, value & u128::from(u64::MAX)].map(|half| u64::try_from(half).unwrap_or(u64::MAX));
        self.number(high);
        self.number(low);
    }

    fn flag(&mut self, value: bool) {
        self.number(value.into());
    }

    /// One that may not be there.
    fn maybe<T>(&mut self, value: Option<T>, put: impl FnOnce(&mut Self, T)) {
        self.flag(value.is_some());
        if let Some(value) = value {
            put(self, value);
        }
    }

    /// Many, with how many they are before them.
    fn many<T>(&mut self, values: impl ExactSizeIterator<Item = T>, mut put: impl FnMut(&mut Self, T)) {
        self.number(values.len() as u64);
        values.for_each(|value| put(self, value));
    }
}

impl Pack for Vec<u8> {
    fn number(&mut self, value: u64) {
        put_varint(self, value);
    }

    fn bytes(&mut self, value: &[u8]) {
        put_varint(self, value.len() as u64);
        self.extend_from_slice(value);
    }
}

/// Reads what was written. Each gives `None` where it is not there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packed<'a>(pub(crate) &'a [u8]);

impl<'a> Packed<'a> {
    pub(crate) fn number(&mut self) -> Option<u64> {
        varint(&mut self.0)
    }

    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        str::from_utf8(self.bytes()?).ok()
    }

    pub(crate) fn signed(&mut self) -> Option<i64> {
        Some(i64::from_le_bytes(self.number()?.to_le_bytes()))
    }

    pub(crate) fn wide(&mut self) -> Option<u128> {
        Some(u128::from(self.number()?) << 64 | u128::from(self.number()?))
    }

    pub(crate) fn flag(&mut self) -> Option<bool> {
        match self.number()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    /// One that may not be there: `Some(None)`.
    #[allow(clippy::option_option, reason = "that nothing can be read is another thing than that there is nothing")]
    pub(crate) fn maybe<T>(&mut self, get: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        if self.flag()? { get(self).map(Some) } else { Some(None) }
    }

    /// Many of them. None takes less than a byte, so that no more are made than there are bytes.
    pub(crate) fn many<T, C: FromIterator<T>>(&mut self, mut get: impl FnMut(&mut Self) -> Option<T>) -> Option<C> {
        let count = usize::try_from(self.number()?).ok().filter(|count| *count <= self.0.len())?;
        (0..count).map(|_| get(self)).collect()
    }

    /// Whether everything was read.
    pub(crate) fn is_over(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_written_is_read_and_what_is_cut_off_is_not(
            number in any::<u64>(),
            signed in any::<i64>(),
            wide in any::<u128>(),
            texts in prop::collection::vec(".{0,12}", 0..5),
            maybe in any::<Option<u64>>(),
        ) {
            let mut out = Vec::new();
            out.number(number);
            out.signed(signed);
            out.wide(wide);
            out.many(texts.iter(), |out, text| out.text(text));
            out.maybe(maybe, |out, value| out.number(value));
            let read = |bytes: &[u8]| {
                let mut packed = Packed(bytes);
                let found = (packed.number()?, packed.signed()?, packed.wide()?);
                let texts: Vec<String> = packed.many(|packed| packed.text().map(str::to_owned))?;
                Some((found, texts, packed.maybe(Packed::number)?, packed.is_over()))
            };
            prop_assert_eq!(read(&out), Some(((number, signed, wide), texts, maybe, true)));
            prop_assert_eq!(read(&out[..out.len() - 1]), None);
        }
    }

    #[test]
    fn a_count_beyond_what_is_there_makes_nothing() {
        let mut out = Vec::new();
        out.number(u64::MAX);
        assert_eq!(Packed(&out).many::<u64, Vec<_>>(Packed::number), None);
        assert_eq!(Packed(&[2]).flag(), None);
    }
}
