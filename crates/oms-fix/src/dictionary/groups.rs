//! Repeating groups of a message that was checked, for those who read them.

use std::ops::Range;

use super::{Dictionary, Group, Members};
use crate::codec::scan::View;

/// A field with whatever belongs to it: the entries, if it counts a group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part<'a> {
    /// Its place among the fields of the message, and one past the last of its group.
    pub fields: Range<usize>,
    /// The group it counts.
    pub group: Option<&'a Group>,
}

impl Members {
    /// The fields in `range`, each group in one part.
    #[must_use]
    pub fn parts(&self, view: &View<'_>, range: Range<usize>) -> Vec<Part<'_>> {
        let mut parts = Vec::new();
        let mut at = range.start;
        while at < range.end {
            let Some(span) = view.spans().get(at) else { break };
            let group = self.group(span.tag);
            let end = group.map_or(at + 1, |group| group.entries(view, at).last().map_or(at + 1, |entry| entry.end));
            parts.push(Part { fields: at..end, group });
            at = end;
        }
        parts
    }
}

impl Group {
    /// The fields of each entry behind the count at `count_at`; groups in an entry are a part of it.
    #[must_use]
    pub fn entries(&self, view: &View<'_>, count_at: usize) -> Vec<Range<usize>> {
        let mut entries: Vec<Range<usize>> = Vec::new();
        let mut at = count_at + 1;
        while let Some(span) = view.spans().get(at).filter(|span| self.order.contains(&span.tag)) {
            let end = match self.members.group(span.tag) {
                Some(nested) => nested.entries(view, at).last().map_or(at + 1, |entry| entry.end),
                None => at + 1,
            };
            match entries.last_mut() {
                Some(entry) if span.tag != self.delimiter => entry.end = end,
                _ => entries.push(at..end),
            }
            at = end;
        }
        entries
    }
}

impl Dictionary {
    /// The body of a message, each group in one part; empty for a type that is not known.
    #[must_use]
    pub fn body(&self, view: &View<'_>) -> Vec<Part<'_>> {
        let is_body = |tag: i32| self.field(tag).is_none_or(|field| field.place == super::Place::Body);
        let Some(message) = self.message(view.msg_type()) else { return Vec::new() };
        let start = view.spans().iter().position(|span| is_body(span.tag)).unwrap_or(view.spans().len());
        let end = view.spans().iter().rposition(|span| is_body(span.tag)).map_or(start, |last| last + 1);
        message.body.parts(view, start..end)
    }
}
