//! Which fields, groups and messages there are, and what of them may stand where.
//!
//! FIX 4.4 is in `schemas/fix/FIX44.dict`; its head describes the form. A counterparty's own tags and
//! values are an overlay of the same form, with `add TYPE MEMBER ...` for members of a message (or of
//! `header` and `trailer`) that exists.

mod bits;
mod compile;
mod groups;
mod source;
mod validate;

use std::sync::OnceLock;

use bits::Bits;
pub use groups::Part;
pub use source::DictionaryError;
use source::Source;
pub use validate::{Checks, Invalid, RejectReason, validate};

/// Form of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Any text.
    Text,
    /// One character.
    Char,
    /// `Y` or `N`.
    Boolean,
    /// Digits with an optional minus.
    Int,
    /// A decimal.
    Float,
    /// Values separated by spaces.
    MultipleValue,
    /// Date and time.
    UtcTimestamp,
    /// Time.
    UtcTimeOnly,
    /// Date.
    Date,
    /// `YYYYMM`, with a day or a week.
    MonthYear,
    /// Any bytes, as many as the field before says.
    Data,
}

/// Where a field stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// In the header.
    Header,
    /// In the body.
    Body,
    /// In the trailer.
    Trailer,
}

/// A field of the dictionary.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Field {
    /// Its tag.
    pub tag: i32,
    /// FIX's name of it.
    pub name: String,
    /// The form of its values.
    pub kind: Kind,
    /// The only values allowed, in order; empty: any.
    pub values: Vec<Box<[u8]>>,
    /// Where it stands.
    pub place: Place,
    /// The data field whose length it is.
    data: Option<i32>,
}

/// Fields that stand together: in a message, the header, or one entry of a group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Members {
    allowed: Bits,
    required: Bits,
    groups: Vec<Group>,
}

/// A repeating group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group {
    /// The field that counts its entries.
    pub count: i32,
    /// The field that starts every entry.
    pub delimiter: i32,
    /// What an entry consists of.
    pub members: Members,
    /// Tags in the order in which they stand in an entry.
    order: Vec<i32>,
}

/// A message type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// MsgType(35).
    pub msg_type: Box<[u8]>,
    /// FIX's name of it.
    pub name: String,
    /// Whether it belongs to the session.
    pub admin: bool,
    /// Its body.
    pub body: Members,
}

/// A version of FIX, or a counterparty's dialect of it.
#[derive(Clone, Debug)]
pub struct Dictionary {
    begin_string: String,
    /// One more than the place in `fields`, by tag.
    index: Vec<u16>,
    fields: Vec<Field>,
    messages: Vec<Message>,
    header: Members,
    trailer: Members,
    source: Source,
}

impl Dictionary {
    /// Reads a dictionary.
    ///
    /// # Errors
    /// The line that is wrong, and why.
    pub fn parse(text: &str) -> Result<Self, DictionaryError> {
        let mut source = Source::default();
        source.read(text)?;
        compile::compile(source)
    }

    /// This dictionary with a counterparty's own fields, values and members.
    ///
    /// # Errors
    /// The line of the overlay that is wrong, and why.
    pub fn with_overlay(&self, text: &str) -> Result<Self, DictionaryError> {
        let mut source = self.source.clone();
        source.read(text)?;
        compile::compile(source)
    }

    /// The version, as BeginString(8) has it.
    #[must_use]
    pub fn begin_string(&self) -> &str {
        &self.begin_string
    }

    /// A field, if there is one with that tag.
    #[must_use]
    pub fn field(&self, tag: i32) -> Option<&Field> {
        self.place_of(tag).and_then(|place| self.fields.get(place))
    }

    /// A message, if there is one of that type.
    #[must_use]
    pub fn message(&self, msg_type: &[u8]) -> Option<&Message> {
        let found = self.messages.binary_search_by(|message| message.msg_type.as_ref().cmp(msg_type)).ok()?;
        self.messages.get(found)
    }

    /// All messages, by type.
    pub fn messages(&self) -> impl Iterator<Item = &Message> {
        self.messages.iter()
    }

    /// The data field whose length the field with this tag is.
    #[must_use]
    pub fn data_of(&self, tag: i32) -> Option<i32> {
        self.field(tag).and_then(|field| field.data)
    }

    fn place_of(&self, tag: i32) -> Option<usize> {
        let place = usize::try_from(tag).ok().and_then(|tag| self.index.get(tag))?;
        usize::from(*place).checked_sub(1)
    }
}

impl Members {
    /// The group that a field counts.
    #[must_use]
    pub fn group(&self, count: i32) -> Option<&Group> {
        self.groups.iter().find(|group| group.count == count)
    }
}

/// FIX 4.4.
///
/// # Panics
/// If the dictionary that is built in is wrong, which a test would have told.
#[must_use]
#[allow(clippy::expect_used, reason = "the text is a part of the program and read by its tests")]
pub fn fix44() -> &'static Dictionary {
    static FIX44: OnceLock<Dictionary> = OnceLock::new();
    FIX44.get_or_init(|| Dictionary::parse(include_str!("../../../schemas/fix/FIX44.dict")).expect("FIX44.dict is read by the tests"))
}

#[cfg(test)]
mod tests;
