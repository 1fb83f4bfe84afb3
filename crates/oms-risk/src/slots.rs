//! The limits of one scope. A scope has few of the many kinds there are, so only those take room; whether it has one is
//! one look at a mask.

use oms_model::Decimal;
use oms_model::limit::{LimitKey, LimitType, Period, Scope};

/// A limit's place in a scope. The version outlives the value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) value: Option<Decimal>,
    pub(crate) version: u32,
}

/// A limit that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InForce {
    pub(crate) value: Decimal,
    pub(crate) version: u32,
    pub(crate) soft: bool,
    pub(crate) period: Option<Period>,
}

/// The limits that were ever set for a scope, by their place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slots {
    known: u128,
    slots: Vec<Slot>,
}

/// From here on the places of periods other than the usual one.
const LONGER: u32 = 64;
const _: () = assert!(LimitType::ALL.len() <= 32);

/// The types that take other periods.
const PERIODIC: [LimitType; 2] = [LimitType::OrderRate, LimitType::RepeatedExecution];

fn place(limit_type: LimitType, period: Option<Period>, soft: bool) -> Option<u32> {
    let soft = u32::from(soft);
    let usual = limit_type.usual_period();
    let Some(period) = period.filter(|period| Some(*period) != usual) else {
        return Some((u32::from(limit_type.code()) - 1) * 2 + soft);
    };
    let row = PERIODIC.iter().position(|known| *known == limit_type)?;
    let column = u32::from(period.code()) - 1;
    u32::try_from(row).ok().map(|row| LONGER + (row * 3 + column) * 2 + soft)
}

/// The places of every limit of a type.
const fn places(limit_type: LimitType) -> u128 {
    let usual = 0b11_u128 << ((limit_type.code() as u32 - 1) * 2);
    match limit_type {
        LimitType::OrderRate => usual | 0b11_1111 << LONGER,
        LimitType::RepeatedExecution => usual | 0b11_1111 << (LONGER + 6),
        _ => usual,
    }
}

fn kind(place: u32) -> Option<(LimitType, Option<Period>, bool)> {
    let soft = place % 2 == 1;
    if place < LONGER {
        let code = u8::try_from(place / 2 + 1).ok()?;
        return LimitType::from_code(code).map(|limit_type| (limit_type, None, soft));
    }
    let at = (place - LONGER) / 2;
    let limit_type = *PERIODIC.get(usize::try_from(at / 3).ok()?)?;
    Some((limit_type, Period::from_code(u8::try_from(at % 3 + 1).ok()?), soft))
}

impl Slots {
    fn at(&self, place: u32) -> Option<&Slot> {
        let bit = 1_u128 << place;
        if self.known & bit == 0 {
            return None;
        }
        self.slots.get((self.known & (bit - 1)).count_ones() as usize)
    }

    /// The slot of a limit, made where it was never set; `None` for a period that its type does not have.
    pub(crate) fn slot_mut(&mut self, key: LimitKey) -> Option<&mut Slot> {
        let bit = 1_u128 << place(key.limit_type, key.period, key.soft)?;
        let rank = (self.known & (bit - 1)).count_ones() as usize;
        if self.known & bit == 0 {
            self.known |= bit;
            self.slots.insert(rank, Slot::default());
        }
        self.slots.get_mut(rank)
    }

    pub(crate) fn slot(&self, key: LimitKey) -> Option<Slot> {
        self.at(place(key.limit_type, key.period, key.soft)?).copied()
    }

    /// Whether a limit of a type was ever set.
    pub(crate) fn has(&self, limit_type: LimitType) -> bool {
        self.known & places(limit_type) != 0
    }

    fn in_force(&self, limit_type: LimitType, period: Option<Period>, soft: bool) -> Option<InForce> {
        let slot = self.at(place(limit_type, period, soft)?)?;
        slot.value.map(|value| InForce { value, version: slot.version, soft, period })
    }

    /// The hard limit of a type with its usual period.
    pub(crate) fn hard(&self, limit_type: LimitType) -> Option<InForce> {
        self.in_force(limit_type, None, false)
    }

    /// Every limit of a type that holds, the hard ones first.
    pub(crate) fn each(&self, limit_type: LimitType) -> impl Iterator<Item = InForce> + '_ {
        /// The places of hard limits.
        const HARD: u128 = u128::MAX / 3;
        let mine = self.known & places(limit_type);
        let (mut hard, mut soft) = (mine & HARD, mine & !HARD);
        core::iter::from_fn(move || {
            // Each turn takes a bit away.
            loop {
                let left = if hard == 0 { &mut soft } else { &mut hard };
                if *left == 0 {
                    return None;
                }
                let place = left.trailing_zeros();
                *left &= *left - 1;
                if let Some(limit) = self.stands(place) {
                    return Some(limit);
                }
            }
        })
    }

    /// The limit at a place, where it holds.
    fn stands(&self, place: u32) -> Option<InForce> {
        let slot = self.at(place)?;
        let period = if place < LONGER { None } else { Period::from_code(u8::try_from((place - LONGER) / 2 % 3 + 1).ok()?) };
        slot.value.map(|value| InForce { value, version: slot.version, soft: place % 2 == 1, period })
    }

    /// The longest period that a limit of a type counts.
    pub(crate) fn longest_period(&self, limit_type: LimitType) -> Option<i64> {
        self.each(limit_type).filter_map(|limit| limit.period.or(limit_type.usual_period())).map(Period::ns).max()
    }

    /// Every slot with its key in a scope, in order of their places.
    pub(crate) fn all(&self, scope: Scope) -> impl Iterator<Item = (LimitKey, Slot)> + '_ {
        let places = (0..u128::BITS).filter(|place| self.known & (1_u128 << place) != 0);
        places.zip(&self.slots).filter_map(move |(place, slot)| {
            let (limit_type, period, soft) = kind(place)?;
            Some((LimitKey { limit_type, scope, period, soft }, *slot))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_limit_has_a_place_of_its_own() {
        let mut slots = Slots::default();
        let mut keys = Vec::new();
        for &limit_type in LimitType::ALL {
            for soft in [false, true] {
                for period in [None, Some(Period::Second), Some(Period::Minute), Some(Period::Day)] {
                    let key = LimitKey { limit_type, scope: Scope::Tenant, period, soft }.normal();
                    match slots.slot_mut(key) {
                        Some(slot) if !keys.contains(&key) => {
                            *slot = Slot { value: Some(Decimal::from_count(keys.len() as u64)), version: 1 };
                            keys.push(key);
                        }
                        Some(_) => assert_eq!(period, Some(Period::Second), "{key:?} shares a place"),
                        None => assert!(limit_type.usual_period().is_none() && period.is_some(), "{key:?}"),
                    }
                }
            }
        }
        for (at, key) in keys.iter().enumerate() {
            assert_eq!(slots.slot(*key).unwrap().value, Some(Decimal::from_count(at as u64)), "{key:?}");
        }
        let mut read: Vec<LimitKey> = slots.all(Scope::Tenant).map(|(key, _)| key).collect();
        read.sort_unstable();
        keys.sort_unstable();
        assert_eq!(read, keys);
    }

    #[test]
    fn hard_limits_come_first_and_the_longest_period_is_known() {
        let mut slots = Slots::default();
        let key = LimitKey::hard(LimitType::OrderRate, Scope::Tenant);
        for (key, value) in [(LimitKey { soft: true, ..key }, 1), (LimitKey { period: Some(Period::Minute), ..key }, 2), (key, 3)] {
            slots.slot_mut(key).unwrap().value = Some(Decimal::from_count(value));
        }
        let values: Vec<Decimal> = slots.each(LimitType::OrderRate).map(|limit| limit.value).collect();
        assert_eq!(values, [3, 2, 1].map(Decimal::from_count));
        assert_eq!(slots.longest_period(LimitType::OrderRate), Some(Period::Minute.ns()));
        assert_eq!(slots.each(LimitType::MaxOrderQty).count(), 0);
    }
}
