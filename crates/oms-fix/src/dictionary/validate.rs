//! Whether a message is as the dictionary says, and the first thing that is not.
//!
//! When several things are wrong, the one that is told follows the custom of the public acceptance
//! scripts: order of header, body and trailer; message type; required fields; then header, trailer
//! and body fields, each by ascending tag; the contents of groups last.

use super::bits::Bits;
use super::{Dictionary, Field, Group, Kind, Members, Place};
use crate::codec::scan::{Span, View};
use crate::codec::value;
use crate::tags::USER_DEFINED;

/// SessionRejectReason(373).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs, reason = "the names are those of the FIX dictionary")]
pub enum RejectReason {
    InvalidTagNumber,
    RequiredTagMissing,
    TagNotDefinedForMessage,
    TagWithoutValue,
    ValueIncorrect,
    IncorrectDataFormat,
    CompIdProblem,
    SendingTimeAccuracy,
    InvalidMsgType,
    TagAppearsMoreThanOnce,
    TagOutOfOrder,
    GroupOutOfOrder,
    IncorrectNumInGroup,
}

impl RejectReason {
    /// Its number.
    #[must_use]
    pub fn code(self) -> u64 {
        match self {
            Self::InvalidTagNumber => 0,
            Self::RequiredTagMissing => 1,
            Self::TagNotDefinedForMessage => 2,
            Self::TagWithoutValue => 4,
            Self::ValueIncorrect => 5,
            Self::IncorrectDataFormat => 6,
            Self::CompIdProblem => 9,
            Self::SendingTimeAccuracy => 10,
            Self::InvalidMsgType => 11,
            Self::TagAppearsMoreThanOnce => 13,
            Self::TagOutOfOrder => 14,
            Self::GroupOutOfOrder => 15,
            Self::IncorrectNumInGroup => 16,
        }
    }

    /// Its text, as counterparties know it.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::InvalidTagNumber => "Invalid tag number",
            Self::RequiredTagMissing => "Required tag missing",
            Self::TagNotDefinedForMessage => "Tag not defined for this message type",
            Self::TagWithoutValue => "Tag specified without a value",
            Self::ValueIncorrect => "Value is incorrect (out of range) for this tag",
            Self::IncorrectDataFormat => "Incorrect data format for value",
            Self::CompIdProblem => "CompID problem",
            Self::SendingTimeAccuracy => "SendingTime accuracy problem",
            Self::InvalidMsgType => "Invalid MsgType",
            Self::TagAppearsMoreThanOnce => "Tag appears more than once",
            Self::TagOutOfOrder => "Tag specified out of required order",
            Self::GroupOutOfOrder => "Out of order repeating group members",
            Self::IncorrectNumInGroup => "Incorrect NumInGroup count for repeating group",
        }
    }
}

/// What is wrong with a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invalid {
    /// Why it is refused.
    pub reason: RejectReason,
    /// The field it is refused for.
    pub tag: Option<i32>,
    /// More than the text of the reason says.
    pub text: Option<String>,
}

impl Invalid {
    /// Without a text of its own.
    #[must_use]
    pub fn new(reason: RejectReason, tag: Option<i32>) -> Self {
        Self { reason, tag, text: None }
    }
}

/// What is checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Checks {
    /// Fields of header, body and trailer in this order. Default on.
    pub order: bool,
    /// Fields have a value. Default on.
    pub values: bool,
    /// User-defined tags (5000 and above) are in the dictionary too. Default on.
    pub user_defined: bool,
    /// Members of a group in the order of the dictionary. Default on.
    pub group_order: bool,
}

impl Default for Checks {
    fn default() -> Self {
        Self { order: true, values: true, user_defined: true, group_order: true }
    }
}

/// Checks a message.
///
/// # Errors
/// The first thing that is wrong.
pub fn validate(dictionary: &Dictionary, checks: Checks, view: &View<'_>) -> Result<(), Invalid> {
    let message = dictionary.message(view.msg_type());
    let mut walk = Walk { dictionary, checks, view, worst: None, required: None };
    let (mut seen, mut section, mut unordered) = ([Bits::default(); 3], Place::Header, None);
    let mut at = 0;
    while let Some(span) = view.spans().get(at) {
        let place = dictionary.field(span.tag).map_or(Place::Body, |field| field.place);
        let out_of_order = match place {
            Place::Header => section != Place::Header,
            Place::Body => section == Place::Trailer,
            Place::Trailer => false,
        };
        if out_of_order {
            unordered = unordered.or(Some(span.tag));
        }
        if place != Place::Header {
            section = place;
        }
        let (rank, members) = match place {
            Place::Header => (Rank::Header, Some(&dictionary.header)),
            Place::Trailer => (Rank::Trailer, Some(&dictionary.trailer)),
            Place::Body => (Rank::Body, message.map(|message| &message.body)),
        };
        at = walk.field(at, rank, members, &mut seen[place as usize]);
    }
    if let Some(tag) = unordered.filter(|_| checks.order) {
        return Err(Invalid::new(RejectReason::TagOutOfOrder, Some(tag)));
    }
    let Some(message) = message else { return Err(Invalid::new(RejectReason::InvalidMsgType, None)) };
    let parts = [(&dictionary.header, Place::Header), (&dictionary.trailer, Place::Trailer), (&message.body, Place::Body)];
    let missing = parts.iter().find_map(|(members, place)| walk.missing(members, &seen[*place as usize]));
    if let Some(tag) = missing.or(walk.required) {
        return Err(Invalid::new(RejectReason::RequiredTagMissing, Some(tag)));
    }
    walk.worst.map_or(Ok(()), |(_, _, invalid)| Err(invalid))
}

/// What is told first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Header,
    Trailer,
    Body,
    Group,
}

struct Walk<'a> {
    dictionary: &'a Dictionary,
    checks: Checks,
    view: &'a View<'a>,
    worst: Option<(Rank, i32, Invalid)>,
    /// The first required field that an entry of a group lacks.
    required: Option<i32>,
}

impl Walk<'_> {
    fn report(&mut self, rank: Rank, tag: i32, invalid: Invalid) {
        if self.worst.as_ref().is_none_or(|(worst, at, _)| (rank, tag) < (*worst, *at)) {
            self.worst = Some((rank, tag, invalid));
        }
    }

    fn missing(&self, members: &Members, seen: &Bits) -> Option<i32> {
        let place = members.required.first_missing_from(seen)?;
        self.dictionary.fields.get(place).map(|field| field.tag)
    }

    /// Checks the field at `at` and, if it counts a group, the group. Returns where to go on.
    fn field(&mut self, at: usize, rank: Rank, members: Option<&Members>, seen: &mut Bits) -> usize {
        let Some(span) = self.view.spans().get(at).copied() else { return at + 1 };
        let place = self.dictionary.place_of(span.tag);
        if place.is_some_and(|place| !seen.insert(place)) {
            self.report(rank, span.tag, Invalid::new(RejectReason::TagAppearsMoreThanOnce, Some(span.tag)));
        } else if let Some(reason) = self.wrong(&span, place, members) {
            self.report(rank, span.tag, Invalid::new(reason, Some(span.tag)));
        }
        match members.and_then(|members| members.group(span.tag)) {
            Some(group) => self.group(at, rank, group),
            None => at + 1,
        }
    }

    fn wrong(&self, span: &Span, place: Option<usize>, members: Option<&Members>) -> Option<RejectReason> {
        let value = self.view.value(span);
        if value.is_empty() && self.checks.values {
            return Some(RejectReason::TagWithoutValue);
        }
        let field = place.and_then(|place| self.dictionary.fields.get(place));
        if let Some(field) = field.filter(|_| !value.is_empty()) {
            if !has_form(field.kind, value) {
                return Some(RejectReason::IncorrectDataFormat);
            }
            if !is_allowed(field, value) {
                return Some(RejectReason::ValueIncorrect);
            }
        }
        if !self.checks.user_defined && USER_DEFINED <= span.tag {
            return None;
        }
        match place {
            None => Some(RejectReason::InvalidTagNumber),
            Some(place) => members.is_some_and(|members| !members.allowed.contains(place)).then_some(RejectReason::TagNotDefinedForMessage),
        }
    }

    /// Checks the entries behind the count at `at`. Returns where the group ends.
    fn group(&mut self, count_at: usize, rank: Rank, group: &Group) -> usize {
        let declared = self.view.spans().get(count_at).and_then(|span| value::parse_int(self.view.value(span)));
        let (mut at, mut entries, mut seen, mut last) = (count_at + 1, 0, Bits::default(), 0);
        while let Some(span) = self.view.spans().get(at) {
            let Some(position) = group.order.iter().position(|tag| *tag == span.tag) else { break };
            if span.tag == group.delimiter || entries == 0 {
                if span.tag != group.delimiter {
                    let text = format!("The group {} must set the delimiter field {}", group.count, group.delimiter);
                    let invalid = Invalid { reason: RejectReason::GroupOutOfOrder, tag: Some(span.tag), text: Some(text) };
                    self.report(Rank::Group, span.tag, invalid);
                }
                self.end_entry(entries, group, &seen);
                (entries, seen) = (entries + 1, Bits::default());
            } else if position < last && self.checks.group_order {
                self.report(Rank::Group, span.tag, Invalid::new(RejectReason::GroupOutOfOrder, Some(span.tag)));
            }
            last = position;
            at = self.field(at, Rank::Group, Some(&group.members), &mut seen);
        }
        self.end_entry(entries, group, &seen);
        if declared.is_some_and(|declared| declared != entries) {
            self.report(rank, group.count, Invalid::new(RejectReason::IncorrectNumInGroup, Some(group.count)));
        }
        at
    }

    fn end_entry(&mut self, entries: i64, group: &Group, seen: &Bits) {
        if 0 < entries && self.required.is_none() {
            self.required = self.missing(&group.members, seen);
        }
    }
}

fn is_allowed(field: &Field, value: &[u8]) -> bool {
    let known = |value: &[u8]| field.values.binary_search_by(|known| known.as_ref().cmp(value)).is_ok();
    field.values.is_empty()
        || match field.kind {
            Kind::MultipleValue => value.split(|byte| *byte == b' ').all(known),
            _ => known(value),
        }
}

fn has_form(kind: Kind, bytes: &[u8]) -> bool {
    match kind {
        Kind::Text | Kind::MultipleValue | Kind::Data => true,
        Kind::Char => bytes.len() == 1,
        Kind::Boolean => value::parse_bool(bytes).is_some(),
        Kind::Int => value::parse_int(bytes).is_some(),
        Kind::Float => value::is_float(bytes),
        Kind::UtcTimestamp => value::parse_timestamp(bytes).is_some(),
        Kind::UtcTimeOnly => value::parse_time_only(bytes).is_some(),
        Kind::Date => value::parse_date(bytes).is_some(),
        Kind::MonthYear => is_month_year(bytes),
    }
}

/// `YYYYMM`, `YYYYMMDD` or `YYYYMMwN`.
fn is_month_year(bytes: &[u8]) -> bool {
    let first = |month: &[u8]| value::parse_date(&[month, b"01"].concat()).is_some();
    match bytes.split_at_checked(6) {
        Some((month, b"")) => first(month),
        Some((month, [b'w', b'1'..=b'5'])) => first(month),
        Some(_) => value::parse_date(bytes).is_some(),
        None => false,
    }
}
