//! Entries of a log as they are listed: the first that there are, or the last.

use crate::exit::{Outcome, written};
use std::collections::VecDeque;
use std::io::Write;
use std::ops::ControlFlow;

/// At most so many entries, written as they come or, where the last are wanted, at the end.
pub(super) struct Listing<'a> {
    out: &'a mut dyn Write,
    limit: u64,
    /// The last so far, where those are wanted.
    last: Option<VecDeque<String>>,
    written: u64,
    failed: Outcome,
}

impl<'a> Listing<'a> {
    pub(super) fn new(limit: u64, last: bool, out: &'a mut dyn Write) -> Self {
        Self { out, limit, last: last.then(VecDeque::new), written: 0, failed: Ok(()) }
    }

    /// Takes the next. Whether more are wanted.
    pub(super) fn take(&mut self, text: String) -> ControlFlow<()> {
        if let Some(last) = &mut self.last {
            if last.len() as u64 == self.limit {
                last.pop_front();
            }
            last.push_back(text);
            return ControlFlow::Continue(());
        }
        if self.written == self.limit {
            return ControlFlow::Break(());
        }
        self.written += 1;
        self.failed = written(self.out.write_all(text.as_bytes()));
        if self.failed.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Nothing more comes.
    pub(super) fn end(self) -> Outcome {
        self.failed?;
        self.last.iter().flatten().try_for_each(|text| written(self.out.write_all(text.as_bytes())))
    }
}
