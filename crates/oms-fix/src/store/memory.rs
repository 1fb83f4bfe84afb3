//! A store that is gone with the process.

use std::collections::BTreeMap;

use super::{MessageStore, Pending, StoreError, advance};
use crate::session::Stored;
use crate::session::outbox::{Fetch, Outbox, Page};

/// Most bytes of messages kept; the oldest go first and are gap-filled when asked for.
const DEFAULT_BYTES: usize = 64 << 20;

/// A store in memory, for tests and for sessions that start anew anyway.
#[derive(Debug)]
pub struct MemoryStore {
    stored: Stored,
    messages: BTreeMap<u64, Vec<u8>>,
    bytes: usize,
    max_bytes: usize,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::with_room(DEFAULT_BYTES)
    }
}

impl MemoryStore {
    /// A store that keeps at most so many bytes of messages.
    #[must_use]
    pub fn with_room(max_bytes: usize) -> Self {
        Self { stored: Stored::default(), messages: BTreeMap::new(), bytes: 0, max_bytes }
    }

    fn drop_message(&mut self, seq: u64) {
        if let Some(message) = self.messages.remove(&seq) {
            self.bytes -= message.len();
        }
    }
}

impl MessageStore for MemoryStore {
    fn stored(&self) -> Stored {
        self.stored
    }

    fn commit(&mut self, outbox: &Outbox) -> Result<Pending<()>, StoreError> {
        let batch = &outbox.batch;
        if batch.reset.is_some() {
            self.messages.clear();
            self.bytes = 0;
        }
        advance(&mut self.stored, batch.reset, batch.next_in, batch.next_out);
        for (seq, message) in outbox.stored() {
            self.drop_message(seq);
            self.bytes += message.len();
            self.messages.insert(seq, message.to_vec());
        }
        while self.max_bytes < self.bytes {
            let Some((&oldest, _)) = self.messages.first_key_value() else { break };
            self.drop_message(oldest);
        }
        Ok(Pending::Ready(()))
    }

    fn fetch(&mut self, fetch: Fetch, max_bytes: usize) -> Result<Pending<Page>, StoreError> {
        let mut page = Page { messages: Vec::new(), to: fetch.to };
        let mut bytes = 0;
        if fetch.from <= fetch.to {
            for (seq, message) in self.messages.range(fetch.from..=fetch.to) {
                if max_bytes <= bytes {
                    page.to = seq - 1;
                    break;
                }
                bytes += message.len();
                page.messages.push((*seq, message.clone()));
            }
        }
        Ok(Pending::Ready(page))
    }
}
