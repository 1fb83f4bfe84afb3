//! Every script under `tests/scenarios` of the workspace, each a test of its own file name in the failure message.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::path::Path;

#[test]
fn scenarios() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios");
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "oms"));
    files.sort();
    assert!(files.len() >= 5, "the scenarios are where they belong");
    let mut failed = Vec::new();
    for file in files {
        let script = std::fs::read_to_string(&file).unwrap();
        let name = file.file_name().unwrap().display();
        for (number, case) in script.split("\n---\n").enumerate() {
            // All of them are run, so that one look shows everything that is wrong.
            if std::panic::catch_unwind(|| oms_testkit::check(case)).is_err() {
                failed.push(format!("{name}, case {}: {}", number + 1, case.lines().next().unwrap_or_default()));
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}
