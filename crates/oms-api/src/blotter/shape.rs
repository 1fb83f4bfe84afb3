//! Which orders a view has and in which order: what views that ask for the same share.

use super::column::{Row, Symbols, field_mentions, mentions, scalar, shown};
use oms_model::{Code, Refusal};
use oms_rank::Entry;
use oms_store::views::query::{Condition, Kind, Owned, Scalar, SortKey, sort_key};
use oms_store::views::{Filter, Resource, Sort};
use std::cmp::Ordering;

/// Words that a view looks for at most.
const MAX_WORDS: usize = 8;
/// Bytes of such a word at most.
const MAX_WORD: usize = 64;

/// A word that rows hold, or do not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Word {
    /// Where; anywhere where nothing is said.
    field: Option<&'static str>,
    word: String,
    not: bool,
}

/// A filter with an order.
#[derive(Debug)]
pub(super) struct Shape {
    /// The same for every view that asks for the same.
    pub(super) name: String,
    conditions: Vec<Condition>,
    words: Vec<Word>,
    keys: Vec<SortKey>,
    /// The field that rows are grouped by.
    pub(super) group: Option<&'static str>,
}

impl Shape {
    /// What these filters, words, order and group mean.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` in the words of lists.
    pub(super) fn of(filters: &[Filter], search: &[String], sort: &str, group: Option<&str>) -> Result<Self, Refusal> {
        let bad = |field: &str, text: String| Refusal::new(Code::ValidationError, format!("{field}: {text}")).with("field", field);
        let conditions = Condition::all(Resource::Orders, filters).map_err(|error| bad("filter", error.to_string()))?;
        if search.len() > MAX_WORDS {
            return Err(bad("search", format!("has more than {MAX_WORDS} words")));
        }
        let mut words = search.iter().map(|text| word(text)).collect::<Result<Vec<_>, _>>().map_err(|text| bad("search", text))?;
        words.sort();
        words.dedup();
        let mut sort = Sort::parse(sort);
        if let Some(group) = group {
            sort.retain(|one| one.field != group);
            sort.insert(0, Sort { field: group.to_owned(), descending: false });
        }
        let keys = sort_key(Resource::Orders, sort).map_err(|error| bad("sort", error.to_string()))?;
        let group = group.and_then(|_| keys.first());
        if let Some(key) = group.filter(|key| !matches!(key.kind, Kind::Text | Kind::Mic | Kind::Term { .. } | Kind::Uuid)) {
            return Err(bad("group_by", format!("rows are not grouped by {}, which would be a group for each", key.field)));
        }
        let group = group.map(|key| key.field);
        let name = name(&conditions, &words, &keys, group);
        Ok(Self { name, conditions, words, keys, group })
    }

    /// Whether a row is meant.
    pub(super) fn takes(&self, row: &Row, symbols: &Symbols) -> bool {
        let meets = |one: &Condition| one.holds(scalar(row, one.field, symbols));
        let says = |one: &Word| {
            let found = match one.field {
                None => mentions(row, &one.word, symbols),
                Some(field) => field_mentions(row, field, &one.word, symbols),
            };
            found != one.not
        };
        self.conditions.iter().all(meets) && self.words.iter().all(says)
    }

    /// How two rows stand to each other.
    pub(super) fn compare(&self, a: &Row, b: &Row, symbols: &Symbols) -> Ordering {
        for key in &self.keys {
            let (of_a, of_b) = (scalar(a, key.field, symbols), scalar(b, key.field, symbols));
            let found = if key.descending { of_b.cmp(&of_a) } else { of_a.cmp(&of_b) };
            if found != Ordering::Equal {
                return found;
            }
        }
        Ordering::Equal
    }

    /// A row as the index holds it.
    pub(super) fn entry(&self, number: u32, row: &Row, symbols: &Symbols) -> Entry {
        let mut packed = Packed { key: 0, left: 128 };
        for key in &self.keys {
            if !packed.push(key, scalar(row, key.field, symbols)) {
                break;
            }
        }
        Entry { key: packed.key, row: number }
    }

    /// The group that a row belongs to.
    pub(super) fn group_of(&self, row: &Row, symbols: &Symbols) -> Option<Owned> {
        self.group.map(|field| scalar(row, field, symbols).into())
    }
}

fn name(conditions: &[Condition], words: &[Word], keys: &[SortKey], group: Option<&str>) -> String {
    let conditions: Vec<String> = conditions.iter().map(Condition::text).collect();
    let keys: Vec<(&str, bool)> = keys.iter().map(|key| (key.field, key.descending)).collect();
    format!("{conditions:?} {words:?} {keys:?} {group:?}")
}

/// `word`, `field:word`, and either with a minus before it.
fn word(text: &str) -> Result<Word, String> {
    let (text, not) = text.strip_prefix('-').map_or((text, false), |rest| (rest, true));
    let (field, word) = match text.split_once(':') {
        None => (None, text),
        Some((field, word)) => (Some(shown(field).ok_or_else(|| format!("there is no field {field:?}"))?), word),
    };
    if word.is_empty() || word.len() > MAX_WORD {
        return Err(format!("a word has 1 to {MAX_WORD} bytes"));
    }
    Ok(Word { field, word: word.to_ascii_lowercase(), not })
}

/// Parts of a sort key, the first in the highest bits, as far as there is room.
struct Packed {
    key: u128,
    left: u32,
}

impl Packed {
    /// False where nothing may stand behind it: rows that are the same so far may differ in what was left out.
    fn push(&mut self, key: &SortKey, value: Scalar<'_>) -> bool {
        if key.nullable {
            self.bits(u128::from(value != Scalar::Missing), 1, key.descending);
        }
        let (bits, width, whole) = bits(key, value);
        self.bits(bits, width, key.descending) && whole
    }

    fn bits(&mut self, bits: u128, width: u32, descending: bool) -> bool {
        let mask = u128::MAX.checked_shr(128 - width).unwrap_or(0);
        let bits = if descending { !bits & mask } else { bits & mask };
        let fits = width <= self.left;
        if fits {
            self.left -= width;
            self.key |= bits.checked_shl(self.left).unwrap_or(0);
        } else {
            self.key |= bits.checked_shr(width - self.left).unwrap_or(0);
            self.left = 0;
        }
        fits
    }
}

/// A value in so many bits that sort as it does; and whether they say all of it.
fn bits(key: &SortKey, value: Scalar<'_>) -> (u128, u32, bool) {
    let signed = |number: i64| u128::from(number.cast_unsigned() ^ (1 << 63));
    match (key.kind, value) {
        (Kind::Text | Kind::Mic, value) => {
            let text = if let Scalar::Text(text) = value { text.as_bytes() } else { &[] };
            let mut first = [0_u8; 8];
            first.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
            (u128::from(u64::from_be_bytes(first)), 64, text.len() < 8)
        }
        (Kind::Term { .. }, Scalar::Int(code)) if (0..=255).contains(&code) => (code.cast_unsigned().into(), 8, true),
        (Kind::Term { .. }, _) => (0, 8, value == Scalar::Missing),
        // Sequences are what keys end in: forty-eight bits leave room for what stands before.
        (Kind::Int, Scalar::Int(number)) if key.field.ends_with("_seq") => {
            let most = (1 << 48) - 1;
            (number.clamp(0, most).cast_unsigned().into(), 48, (0..most).contains(&number))
        }
        // Eighty bits hold six hundred millions of millions of whole units.
        (Kind::Qty | Kind::Notional, Scalar::Wide(wide)) => {
            let value = (wide ^ (1 << 127)).cast_signed();
            let most = (1_i128 << 79) - 1;
            ((value.clamp(-most, most) + most).cast_unsigned(), 80, (-most + 1..most).contains(&value))
        }
        (Kind::Qty | Kind::Notional, _) => (0, 80, true),
        (_, Scalar::Int(number)) => (signed(number), 64, true),
        (_, Scalar::Wide(wide)) => (wide, 128, true),
        (Kind::Uuid, _) => (0, 128, true),
        (_, _) => (0, 64, true),
    }
}

#[cfg(test)]
mod tests;
