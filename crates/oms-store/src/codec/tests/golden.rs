//! Every encoding that was ever released stays readable: one file for each kind of event, kept for ever.
//!
//! `OMS_BLESS=1` writes the files that are missing. It never writes over one that is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use oms_model::{Batch, Event};

use super::sample::{self, Tape};
use crate::codec::{decode_batch, encode_batch};

pub fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("test-data/events/v1")
}

/// The bytes of every golden with its name.
pub fn files() -> Vec<(String, Vec<u8>)> {
    let stems = Event::KINDS.iter().map(|(code, name)| format!("{code:02}_{name}"));
    stems.map(|stem| (stem.clone(), fs::read(directory().join(format!("{stem}.bin"))).expect(&stem))).collect()
}

/// A batch of two events of the kind: one with everything in it, one with nothing.
fn specimen(code: u16) -> Batch {
    let mut tape = Tape::full();
    let events = vec![sample::event(code, &mut tape), sample::plain_event(code)];
    sample::batch(events, &mut tape)
}

#[test]
fn every_golden_still_reads() {
    if std::env::var_os("OMS_BLESS").is_some_and(|value| value == "1") {
        bless();
    }
    for ((stem, bytes), (code, _)) in files().into_iter().zip(Event::KINDS) {
        let batch = decode_batch(&bytes).unwrap_or_else(|e| panic!("{stem}: {e}"));
        let expected = fs::read_to_string(directory().join(format!("{stem}.txt"))).expect(&stem);
        assert_eq!(format!("{batch:#?}\n"), expected, "{stem}");
        assert!(batch.events.iter().all(|event| event.code() == *code), "{stem}");

        let mut again = Vec::new();
        encode_batch(&batch, &mut again);
        assert_eq!(again, bytes, "{stem} is not what would be written today");
    }
}

#[test]
fn every_kind_has_a_golden_and_no_other_file_is_there() {
    let expected: BTreeSet<_> =
        Event::KINDS.iter().flat_map(|(code, name)| ["bin", "txt"].map(|end| format!("{code:02}_{name}.{end}"))).collect();
    let found = fs::read_dir(directory()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(found.collect::<BTreeSet<_>>(), expected);
}

fn bless() {
    for (code, name) in Event::KINDS {
        let batch = specimen(*code);
        let mut bytes = Vec::new();
        encode_batch(&batch, &mut bytes);
        for (end, content) in [("bin", bytes), ("txt", format!("{batch:#?}\n").into_bytes())] {
            let file = directory().join(format!("{code:02}_{name}.{end}"));
            if !file.exists() {
                fs::write(file, content).unwrap();
            }
        }
    }
}
