//! Every encoding that was ever written stays readable: one file for each version and kind of event, kept for ever.
//!
//! `OMS_BLESS=1` writes the files of the newest version that are missing. It never writes over one that is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use oms_model::{Batch, Event};

use super::sample::{self, Tape};
use crate::codec::{SCHEMA_VERSION, decode_batch, encode_batch};

fn directory(version: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("test-data/events/v{version}"))
}

/// The bytes of every golden of the newest version with its name.
pub fn files() -> Vec<(String, Vec<u8>)> {
    let stems = Event::KINDS.iter().map(|(code, name)| format!("{code:02}_{name}"));
    stems.map(|stem| (stem.clone(), fs::read(directory(SCHEMA_VERSION).join(format!("{stem}.bin"))).expect(&stem))).collect()
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
        let expected = fs::read_to_string(directory(SCHEMA_VERSION).join(format!("{stem}.txt"))).expect(&stem);
        assert_eq!(format!("{batch:#?}\n"), expected, "{stem}");
        assert!(batch.events.iter().all(|event| event.code() == *code), "{stem}");

        let mut again = Vec::new();
        encode_batch(&batch, &mut again);
        assert_eq!(again, bytes, "{stem} is not what would be written today");
    }
}

/// What an older version wrote says today what it said then; fields that came later may stand between.
#[test]
fn goldens_of_older_versions_still_say_what_they_said() {
    for version in 1..SCHEMA_VERSION {
        let mut read = 0;
        for file in fs::read_dir(directory(version)).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_none_or(|end| end != "bin") {
                continue;
            }
            let batch = decode_batch(&fs::read(&path).unwrap()).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            let said = fs::read_to_string(path.with_extension("txt")).unwrap();
            let says = format!("{batch:#?}\n");
            let mut lines = says.lines();
            for line in said.lines() {
                assert!(lines.any(|found| found == line), "{}: {line:?} is missing from\n{says}", path.display());
            }
            read += 1;
        }
        assert!(read >= 36, "version {version} had 36 kinds and more");
    }
}

#[test]
fn every_kind_has_a_golden_and_no_other_file_is_there() {
    let expected: BTreeSet<_> =
        Event::KINDS.iter().flat_map(|(code, name)| ["bin", "txt"].map(|end| format!("{code:02}_{name}.{end}"))).collect();
    let found = fs::read_dir(directory(SCHEMA_VERSION)).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(found.collect::<BTreeSet<_>>(), expected);
}

fn bless() {
    fs::create_dir_all(directory(SCHEMA_VERSION)).unwrap();
    for (code, name) in Event::KINDS {
        let batch = specimen(*code);
        let mut bytes = Vec::new();
        encode_batch(&batch, &mut bytes);
        for (end, content) in [("bin", bytes), ("txt", format!("{batch:#?}\n").into_bytes())] {
            let file = directory(SCHEMA_VERSION).join(format!("{code:02}_{name}.{end}"));
            if !file.exists() {
                fs::write(file, content).unwrap();
            }
        }
    }
}
