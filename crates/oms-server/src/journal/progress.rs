//! A progress bar on stderr for whoever waits for a long read; none where stderr is not a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use oms_store::{ChainHash, JournalError, JournalReader, StoredEntry, Tip};
use std::ops::ControlFlow;

/// Entries between two looks at the bar.
const STEP: u64 = 4_096;

/// A reader that shows how far it is.
pub struct Watched {
    reader: Box<dyn JournalReader>,
    bar: ProgressBar,
}

impl Watched {
    /// Shows `reader` on its way to sequence `last`.
    #[must_use]
    pub fn new(reader: Box<dyn JournalReader>, last: u64, doing: &'static str) -> Self {
        let bar = ProgressBar::with_draw_target(Some(last), ProgressDrawTarget::stderr_with_hz(10));
        // The template is checked by the tests; without it the bar has its own.
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style);
        }
        bar.set_message(doing);
        Self { reader, bar }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

const TEMPLATE: &str = "{msg} {bar:40} {human_pos} of {human_len} events, {per_sec}, {eta} left";

impl JournalReader for Watched {
    fn tip(&self) -> Tip {
        self.reader.tip()
    }

    fn scan(&mut self, from_seq: u64, visit: &mut dyn FnMut(StoredEntry<'_>) -> ControlFlow<()>) -> Result<(), JournalError> {
        let (bar, mut entries) = (&self.bar, 0_u64);
        self.reader.scan(from_seq, &mut |stored| {
            entries += 1;
            if entries.is_multiple_of(STEP) {
                bar.set_position(stored.entry.last_seq());
            }
            visit(stored)
        })
    }

    fn hash_at(&mut self, seq: u64) -> Result<Option<ChainHash>, JournalError> {
        self.reader.hash_at(seq)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_template_is_one() {
        indicatif::ProgressStyle::with_template(super::TEMPLATE).unwrap();
    }
}
