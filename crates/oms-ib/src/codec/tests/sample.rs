//! Messages made from a seed: every field of every message, with odd values.

use crate::codec::{Condition, Dialect, Number, Size};

/// A small generator; the same seed gives the same messages.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }
    /// Steele, Lea, Flood 2014: `SplitMix64`.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    pub fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound.max(1)
    }
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }
}

/// A value of a field.
pub trait Sample: Sized {
    fn sample(dice: &mut Dice, dialect: Dialect) -> Self;
}

const WORDS: [&str; 12] = [
    "",
    "LMT",
    "PEG BENCH",
    "PEG MID",
    "TRAIL LIMIT",
    "BAG",
    "IBKRATS",
    "Zürich",
    "a=b;c",
    "20261121 09:30:00 US/Eastern",
    "{\"a\":[1]}",
    "-1",
];

impl Sample for String {
    fn sample(dice: &mut Dice, _: Dialect) -> Self {
        (*dice.pick(&WORDS)).to_owned()
    }
}
impl Sample for bool {
    fn sample(dice: &mut Dice, _: Dialect) -> Self {
        dice.below(2) == 1
    }
}
impl Sample for i32 {
    fn sample(dice: &mut Dice, _: Dialect) -> Self {
        *dice.pick(&[0, 1, -1, 7, 2_147_483_646, i32::MIN])
    }
}
impl Sample for i64 {
    fn sample(dice: &mut Dice, _: Dialect) -> Self {
        *dice.pick(&[0, 1, -1, 1_763_717_400_000, i64::MAX, i64::MIN])
    }
}
impl Sample for Number {
    /// As many digits as a double holds for certain.
    fn sample(dice: &mut Dice, _: Dialect) -> Self {
        let digits = i128::from(dice.below(10_u64.pow(15)));
        let sign = if dice.below(2) == 0 { 1 } else { -1 };
        Self::scaled(sign * digits, u8::try_from(dice.below(10)).unwrap()).unwrap()
    }
}
impl Sample for Size {
    fn sample(dice: &mut Dice, dialect: Dialect) -> Self {
        Self(Number::sample(dice, dialect))
    }
}
impl<T: Sample> Sample for Option<T> {
    fn sample(dice: &mut Dice, dialect: Dialect) -> Self {
        (dice.below(3) > 0).then(|| T::sample(dice, dialect))
    }
}
impl<T: Sample> Sample for Vec<T> {
    fn sample(dice: &mut Dice, dialect: Dialect) -> Self {
        (0..dice.below(4)).map(|_| T::sample(dice, dialect)).collect()
    }
}
impl Sample for (String, String) {
    fn sample(dice: &mut Dice, dialect: Dialect) -> Self {
        (String::sample(dice, dialect), String::sample(dice, dialect))
    }
}
impl Sample for Condition {
    fn sample(dice: &mut Dice, dialect: Dialect) -> Self {
        let kind = *dice.pick(&[1, 3, 4, 5, 6, 7]);
        Self { kind, fields: (0..Self::fields(kind).unwrap()).map(|_| String::sample(dice, dialect)).collect() }
    }
}
