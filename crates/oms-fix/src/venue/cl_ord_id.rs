//! Our ids at a venue, as ClOrdID(11): in full, or shorter for a venue that takes no 36 characters.
//!
//! In full an id is 32 hexadecimal digits, a hyphen and the number of the request. Shorter it is the same 128 bits in 22 digits
//! and letters (base 62), a hyphen and the number: nothing has to be kept to read it back.

use oms_model::{OrderId, WireId};

/// Digits of an order's id in the short form: 62^22 is above 2^128.
const DIGITS: usize = 22;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// What the full form takes, with requests up to 999.
pub(super) const FULL: usize = 36;
/// What the short form takes, likewise.
pub(super) const SHORTEST: usize = DIGITS + 4;

/// How a venue is told our ids.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Names {
    /// The longest ClOrdID(11) that the venue takes.
    most: usize,
}

impl Default for Names {
    fn default() -> Self {
        // As long as an id of ours may be.
        Self { most: usize::MAX }
    }
}

impl Names {
    /// Those of a venue that takes so many characters; `None`: ours are longer, however short they are made.
    pub(super) fn within(most: usize) -> Option<Self> {
        (SHORTEST <= most).then_some(Self { most })
    }

    fn is_short(self) -> bool {
        self.most < FULL
    }

    /// What the venue is told; `None` where it takes nothing that long.
    pub(super) fn tell(self, wire_id: &WireId) -> Option<String> {
        let name = match wire_id.parts() {
            Some((order_id, revision)) if self.is_short() => format!("{}-{revision}", short(order_id.as_u128())),
            _ => wire_id.as_str().to_owned(),
        };
        (name.len() <= self.most).then_some(name)
    }

    /// Which id of ours it is; one that is none of ours is left as it is.
    pub(super) fn read(self, name: &str) -> Option<WireId> {
        let own = if self.is_short() { long(name) } else { None };
        own.or_else(|| WireId::new(name).ok())
    }
}

fn short(mut id: u128) -> String {
    let mut digits = [b'0'; DIGITS];
    for digit in digits.iter_mut().rev() {
        // Below 62, whatever the id is.
        *digit = ALPHABET[(id % 62) as usize];
        id /= 62;
    }
    digits.into_iter().map(char::from).collect()
}

fn long(name: &str) -> Option<WireId> {
    let (digits, revision) = name.split_once('-').filter(|(digits, _)| digits.len() == DIGITS)?;
    let id = digits.bytes().try_fold(0_u128, |id, digit| {
        let value = ALPHABET.iter().position(|known| *known == digit)?;
        id.checked_mul(62)?.checked_add(value as u128)
    });
    let wire_id = WireId::derive(OrderId::from_u128(id?), revision.parse().ok()?);
    // Only what we would have written: no other text is the same id.
    (Names { most: SHORTEST }.tell(&wire_id)? == name).then_some(wire_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_venue_that_takes_too_little_is_none() {
        assert_eq!(Names::within(SHORTEST - 1), None);
        let full = WireId::derive(OrderId::from_u128(1), 7);
        assert_eq!(Names::default().tell(&full).as_deref(), Some(full.as_str()));
        assert_eq!(Names::within(FULL).unwrap().tell(&full).as_deref(), Some(full.as_str()));
        let names = Names::within(SHORTEST).unwrap();
        assert_eq!(names.tell(&WireId::derive(OrderId::from_u128(61), 999)).as_deref(), Some("000000000000000000000z-999"));
        assert_eq!(names.tell(&WireId::derive(OrderId::from_u128(61), 1_000)), None, "one more character than it takes");
        for other in ["000000000000000000000z-01", "zzzzzzzzzzzzzzzzzzzzzz-1", "000000000000000000000!-1", "X1"] {
            assert_eq!(names.read(other), WireId::new(other).ok(), "{other} is left as it is");
        }
    }

    proptest! {
        #[test]
        fn ids_come_back_as_they_were_told(id: u128, revision in 0..1_000_u32, most in SHORTEST..64_usize) {
            let (names, wire_id) = (Names::within(most).unwrap(), WireId::derive(OrderId::from_u128(id), revision));
            let told = names.tell(&wire_id).unwrap();
            prop_assert!(told.len() <= most);
            prop_assert_eq!(names.read(&told), Some(wire_id));
        }
    }
}
