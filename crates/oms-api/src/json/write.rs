//! Writes JSON front to back into one buffer.

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use oms_model::Time;
use std::fmt::Display;
use std::io::Write as _;

/// Nine fractional digits always, so that times sort as text.
const TIMES: DateTimePrinter = DateTimePrinter::new().precision(Some(9));

/// A JSON document that is being written. Keys are written in the order of the calls.
#[derive(Default)]
pub struct Writer {
    out: Vec<u8>,
    comma: bool,
    /// Where not empty, only these fields of the objects opened by [`Writer::selected`] are written.
    only: Vec<String>,
    depth: usize,
    selected_depth: usize,
}

impl Writer {
    /// An empty document with room for `capacity` bytes.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { out: Vec::with_capacity(capacity), ..Self::default() }
    }

    /// The document.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.out
    }

    /// The document so far.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.out
    }

    /// Restricts the resource objects written from now on to these fields; none: all fields.
    pub fn select(&mut self, only: &[String]) {
        self.only = only.to_vec();
    }

    fn separate(&mut self) {
        if self.comma {
            self.out.push(b',');
        }
        self.comma = true;
    }

    fn key(&mut self, key: &str) -> bool {
        if !self.only.is_empty() && self.depth == self.selected_depth && !self.only.iter().any(|field| field == key) {
            return false;
        }
        self.separate();
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        true
    }

    fn open(&mut self, bracket: u8) {
        self.out.push(bracket);
        self.comma = false;
        self.depth += 1;
    }

    fn close(&mut self, bracket: u8) {
        self.out.push(bracket);
        self.comma = true;
        self.depth -= 1;
    }

    /// An object as a value of its own or an item of an array.
    pub fn object(&mut self, fill: impl FnOnce(&mut Self)) {
        self.separate();
        self.open(b'{');
        fill(self);
        self.close(b'}');
    }

    /// An object that `fields=` applies to.
    pub fn selected(&mut self, fill: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.selected_depth, self.depth + 1);
        self.object(fill);
        self.selected_depth = outer;
    }

    /// An object under a key.
    pub fn object_at(&mut self, key: &str, fill: impl FnOnce(&mut Self)) {
        if self.key(key) {
            self.open(b'{');
            fill(self);
            self.close(b'}');
        }
    }

    /// An array under a key.
    pub fn array_at<T>(&mut self, key: &str, items: impl IntoIterator<Item = T>, mut each: impl FnMut(&mut Self, T)) {
        if self.key(key) {
            self.open(b'[');
            for item in items {
                each(self, item);
            }
            self.close(b']');
        }
    }

    /// A string item of an array; escaped.
    pub fn item(&mut self, text: &str) {
        self.separate();
        self.quoted(text);
    }

    /// Something whose text needs no escaping (ids, terms, amounts) as a string.
    pub fn text(&mut self, key: &str, value: impl Display) {
        if self.key(key) {
            self.out.push(b'"');
            self.plain(value);
            self.out.push(b'"');
        }
    }

    /// [`Writer::text`], or null.
    pub fn text_or_null(&mut self, key: &str, value: Option<impl Display>) {
        match value {
            Some(value) => self.text(key, value),
            None => self.null(key),
        }
    }

    /// Any string; escaped.
    pub fn string(&mut self, key: &str, value: &str) {
        if self.key(key) {
            self.quoted(value);
        }
    }

    /// [`Writer::string`], or null.
    pub fn string_or_null(&mut self, key: &str, value: Option<&str>) {
        match value {
            Some(value) => self.string(key, value),
            None => self.null(key),
        }
    }

    /// A whole number.
    pub fn number(&mut self, key: &str, value: impl Into<i128>) {
        if self.key(key) {
            self.plain(value.into());
        }
    }

    /// [`Writer::number`], or null.
    pub fn number_or_null(&mut self, key: &str, value: Option<impl Into<i128>>) {
        match value {
            Some(value) => self.number(key, value),
            None => self.null(key),
        }
    }

    /// true or false.
    pub fn bool(&mut self, key: &str, value: bool) {
        if self.key(key) {
            self.plain(value);
        }
    }

    /// null.
    pub fn null(&mut self, key: &str) {
        if self.key(key) {
            self.out.extend_from_slice(b"null");
        }
    }

    /// A value that is JSON already.
    pub fn raw(&mut self, key: &str, json: &[u8]) {
        if self.key(key) {
            self.out.extend_from_slice(json);
        }
    }

    /// A time, RFC 3339 with nanoseconds.
    pub fn time(&mut self, key: &str, at: Time) {
        if self.key(key) {
            self.out.push(b'"');
            push_time(&mut self.out, at);
            self.out.push(b'"');
        }
    }

    /// [`Writer::time`], or null.
    pub fn time_or_null(&mut self, key: &str, at: Option<Time>) {
        match at {
            Some(at) => self.time(key, at),
            None => self.null(key),
        }
    }

    fn plain(&mut self, value: impl Display) {
        // Writing to memory does not fail.
        let _written = write!(self.out, "{value}");
    }

    fn quoted(&mut self, text: &str) {
        quote(&mut self.out, text);
    }
}

/// Appends `text` as a JSON string.
pub fn quote(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(text.as_bytes().get(from..at).unwrap_or_default());
        from = at + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => {
                let _written = write!(out, "\\u{byte:04x}");
            }
        }
    }
    out.extend_from_slice(text.as_bytes().get(from..).unwrap_or_default());
    out.push(b'"');
}

pub(crate) fn push_time(out: &mut Vec<u8>, at: Time) {
    if let Ok(timestamp) = Timestamp::from_nanosecond(at.0.into()) {
        // Every i64 of nanoseconds lies within the range of timestamps, and memory takes what is written.
        let _written = TIMES.print_timestamp(&timestamp, &mut *out);
    }
}

/// A time as text, RFC 3339 with nanoseconds.
#[must_use]
pub fn rfc3339(at: Time) -> String {
    let mut out = Vec::with_capacity(30);
    push_time(&mut out, at);
    String::from_utf8(out).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn objects_arrays_and_selection() {
        let mut w = Writer::default();
        w.object(|w| {
            w.select(&["b".to_owned(), "c".to_owned()]);
            w.array_at("data", [1, 2], |w, n| {
                w.selected(|w| {
                    w.number("a", n);
                    w.number("b", n);
                    w.object_at("c", |w| w.bool("a", true));
                });
            });
            w.null("next");
        });
        let text = String::from_utf8(w.finish()).unwrap();
        assert_eq!(text, r#"{"data":[{"b":1,"c":{"a":true}},{"b":2,"c":{"a":true}}],"next":null}"#);
    }

    #[test]
    fn times_have_nine_digits() {
        assert_eq!(rfc3339(Time(1_700_000_000_000_000_000)), "2023-11-14T22:13:20.000000000Z");
        assert_eq!(rfc3339(Time(-1)), "1969-12-31T23:59:59.999999999Z");
        assert!(!rfc3339(Time(i64::MAX)).is_empty() && !rfc3339(Time(i64::MIN)).is_empty());
    }

    proptest! {
        #[test]
        fn strings_are_json(text in any::<String>()) {
            let mut out = Vec::new();
            quote(&mut out, &text);
            prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }
}
