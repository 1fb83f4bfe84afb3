//! The body of a message that is put together field by field, and written with its tags ascending.

use std::fmt::Display;

use oms_model::Time;

use super::report::PRECISION;
use crate::codec::encode::Fields;
use crate::codec::value::put_timestamp;
use crate::session::outbox::Outgoing;

/// Most bytes of a text: the longest refusal is shorter, and no report is too large to be sent.
const MAX_TEXT: usize = 1024;

/// Fields in any order.
pub struct Body {
    msg_type: Vec<u8>,
    fields: Vec<(i32, Vec<u8>)>,
}

impl Body {
    /// The body of a message of this type.
    #[must_use]
    pub fn new(msg_type: &[u8]) -> Self {
        Self { msg_type: msg_type.to_vec(), fields: Vec::with_capacity(24) }
    }

    /// Adds a field, unless it is empty.
    pub fn put(&mut self, tag: i32, value: &[u8]) -> &mut Self {
        if !value.is_empty() {
            self.fields.push((tag, value.to_vec()));
        }
        self
    }

    /// Adds a text, cut off where it is too long.
    pub fn text(&mut self, tag: i32, value: &str) -> &mut Self {
        let mut end = value.len().min(MAX_TEXT);
        while !value.is_char_boundary(end) {
            end -= 1;
        }
        self.put(tag, value.get(..end).unwrap_or_default().as_bytes())
    }

    /// Adds a number.
    pub fn uint(&mut self, tag: i32, value: u64) -> &mut Self {
        self.text(tag, &value.to_string())
    }

    /// Adds an exact amount.
    pub fn amount(&mut self, tag: i32, value: impl Display) -> &mut Self {
        self.text(tag, &value.to_string())
    }

    /// Adds a time.
    pub fn time(&mut self, tag: i32, time: Time) -> &mut Self {
        let mut value = Vec::with_capacity(32);
        put_timestamp(&mut value, time.0, PRECISION);
        self.put(tag, &value)
    }

    /// Sets a field that may be there already.
    pub fn replace(&mut self, tag: i32, value: &[u8]) {
        self.fields.retain(|(known, _)| *known != tag);
        self.put(tag, value);
    }

    /// Sets a time that may be there already.
    pub fn replace_time(&mut self, tag: i32, time: Time) {
        self.fields.retain(|(known, _)| *known != tag);
        self.time(tag, time);
    }

    /// What it is the body of.
    #[must_use]
    pub fn msg_type(&self) -> &[u8] {
        &self.msg_type
    }

    /// Its fields, in the order in which they were added.
    pub fn fields_mut(&mut self) -> &mut Vec<(i32, Vec<u8>)> {
        &mut self.fields
    }

    /// The message; nothing is left of the fields.
    pub fn finish_mut(&mut self) -> Outgoing {
        Self { msg_type: std::mem::take(&mut self.msg_type), fields: std::mem::take(&mut self.fields) }.finish()
    }

    /// The message.
    #[must_use]
    pub fn finish(mut self) -> Outgoing {
        self.fields.sort_by_key(|(tag, _)| *tag);
        let mut body = Fields::new();
        for (tag, value) in &self.fields {
            body.put(*tag, value);
        }
        Outgoing { msg_type: self.msg_type, body, ..Outgoing::default() }
    }
}
