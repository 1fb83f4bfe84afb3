use super::MemoryJournal;
use crate::conformance::Fixture;
use crate::journal::Journal;

struct Memory(MemoryJournal);

impl Fixture for Memory {
    fn open(&mut self) -> Box<dyn Journal> {
        Box::new(self.0.clone())
    }
}

crate::journal_conformance!(conforms: Memory(MemoryJournal::new(7)));

/// Two handles on one log: the later claim takes it from the earlier one.
#[test]
fn handles_fence_each_other() {
    let mut first = MemoryJournal::new(7);
    let mut second = first.clone();
    let old = first.claim().unwrap();
    second.claim().unwrap();
    let entry = crate::EntryRef { first_seq: 1, count: 1, time_ns: 0, body: b"x" };
    let refused = first.append(old, &[entry]);
    assert!(matches!(refused, Err(crate::JournalError::Fenced { .. })), "{refused:?}");
}
