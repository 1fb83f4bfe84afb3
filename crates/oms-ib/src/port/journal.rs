//! The connector's log: its records in a journal, as many in one write as have gathered.

use std::ops::ControlFlow;

use oms_model::Time;
use oms_store::{EntryRef, Epoch, Journal, JournalError};

use super::OpenError;
use crate::connector::record::{Damaged, Record};

/// Reads every record.
pub(super) fn read(journal: &dyn Journal) -> Result<Vec<Record>, OpenError> {
    let (mut records, mut damage) = (Vec::new(), None::<Damaged>);
    journal.reader().scan(1, &mut |stored| match Record::read(stored.entry.body) {
        Ok(record) => {
            records.push(record);
            ControlFlow::Continue(())
        }
        Err(error) => {
            damage = Some(error);
            ControlFlow::Break(())
        }
    })?;
    damage.map_or(Ok(records), |error| Err(error.into()))
}

/// The log, with what has gathered for it.
pub(super) struct Log {
    journal: Box<dyn Journal>,
    epoch: Epoch,
    gathered: Vec<Vec<u8>>,
}

impl Log {
    pub(super) fn new(journal: Box<dyn Journal>, epoch: Epoch) -> Self {
        Self { journal, epoch, gathered: Vec::new() }
    }

    pub(super) fn gather(&mut self, record: &Record) {
        self.gathered.push(record.bytes());
    }

    /// Makes durable what has gathered.
    pub(super) fn settle(&mut self, now: Time) -> Result<(), JournalError> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        let first = self.journal.tip().last_seq + 1;
        let entries: Vec<EntryRef<'_>> =
            (first..).zip(&self.gathered).map(|(first_seq, body)| EntryRef { first_seq, count: 1, time_ns: now.0, body }).collect();
        self.journal.append(self.epoch, &entries)?;
        self.gathered.clear();
        Ok(())
    }
}
