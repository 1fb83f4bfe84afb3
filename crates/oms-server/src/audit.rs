//! `oms audit`: verifies, exports and proves a log without changing it, also while a desk runs on it.

use crate::cli::{Audit as Command, AuditKnown as Known, Stored};
use crate::config::Settings;
use crate::exit::{Failure, Outcome, written};
use crate::journal;
use oms_audit::{Checkpoint, Report, Trusted, VerifierKey};
use oms_model::OrderId;
use oms_publish::audit::{AuditError, Checkpoints, Tree, consistency, export, proof, public, speaking_of, verify};
use oms_store::{EmbeddedJournal, Journal as _, OpenCheck};
use serde_json::json;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Does one command.
///
/// # Errors
/// [`Failure::Refused`] where something is not what was signed.
pub fn run(command: Command, settings: &Settings) -> Outcome {
    match command {
        Command::Verify { file: Some(file), known, stored } => verify_file(&file, &trusted(&known)?, stored.json),
        Command::Verify { file: None, known, stored } => verify_log(&stored, &trusted(&known)?, settings),
        Command::Proof { order, out, stored } => prove(order, &out, &stored, settings),
        Command::Consistency { earlier, out, stored } => grew(&earlier, &out, &stored, settings),
        Command::Export { out, stored } => export_log(&out, &stored, settings),
    }
}

fn trusted(known: &Known) -> Result<Trusted, Failure> {
    let read = |path: &Path| std::fs::read_to_string(path).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())));
    let key = match known.key.as_deref() {
        None => None,
        Some(text) => Some(match VerifierKey::parse(text) {
            Ok(key) => key,
            Err(_) => VerifierKey::parse(read(Path::new(text))?.trim()).map_err(|error| Failure::Usage(format!("{text}: {error}")))?,
        }),
    };
    Ok(Trusted { key, checkpoint: known.checkpoint.as_deref().map(read).transpose()? })
}

/// The audit of a desk and its log, as they are at this moment.
struct Kept {
    journal: EmbeddedJournal,
    dir: PathBuf,
    key: VerifierKey,
    checkpoints: Checkpoints,
}

fn failed(error: AuditError) -> Failure {
    match error {
        AuditError::File { .. } | AuditError::NoCheckpoint => Failure::Usage(error.to_string()),
        other => Failure::Refused(other.to_string()),
    }
}

impl Kept {
    fn open(stored: &Stored, settings: &Settings) -> Result<Self, Failure> {
        let data = stored.data.as_ref().unwrap_or(&settings.server.data);
        let dir = data.join("audit");
        let key = public(&dir).map_err(failed)?;
        // The checkpoints first: a log that is read later holds at least what they were signed for.
        let checkpoints = Checkpoints::read(&dir, &key).map_err(failed)?;
        let journal = journal::open(&data.join("log"), OpenCheck::Tail)?;
        Ok(Self { journal, dir, key, checkpoints })
    }
}

fn verify_log(stored: &Stored, trusted: &Trusted, settings: &Settings) -> Outcome {
    let kept = Kept::open(stored, settings)?;
    let trusted = Trusted { key: Some(trusted.key.clone().unwrap_or_else(|| kept.key.clone())), ..trusted.clone() };
    let report = verify(kept.journal.partition(), kept.journal.reader().as_mut(), &kept.checkpoints, &kept.key, &trusted);
    let behind = kept.journal.tip().last_seq.saturating_sub(kept.checkpoints.last().map_or(0, |last| last.sequence));
    tell(&report.map_err(failed)?, stored.json, Some(behind))
}

fn verify_file(path: &Path, trusted: &Trusted, json: bool) -> Outcome {
    let unreadable = |error: std::io::Error| Failure::Usage(format!("{}: {error}", path.display()));
    let input = BufReader::with_capacity(1 << 20, File::open(path).map_err(unreadable)?);
    let report = oms_audit::verify(input, trusted, |_, _| ()).map_err(unreadable)?;
    tell(&report, json, None)
}

/// Says what was found. `behind` is how many events of a log are not signed yet.
fn tell(report: &Report, json: bool, behind: Option<u64>) -> Outcome {
    let last = report.checkpoints.last();
    let text = if json {
        let findings: Vec<_> = report
            .findings
            .iter()
            .map(|finding| json!({"place": finding.place.to_string(), "offset": finding.offset, "what": finding.what}))
            .collect();
        json!({
            "intact": report.is_intact(), "records": report.records, "events": report.events, "checkpoints": report.checkpoints.len(),
            "sequence": last.map(|last| last.sequence), "key": report.head.as_ref().map(|head| head.key.to_string()),
            "unsigned_events": behind, "findings": findings,
        })
        .to_string()
    } else {
        text(report, last, behind)
    };
    written(writeln!(std::io::stdout(), "{text}"))?;
    match report.findings.first() {
        None => Ok(()),
        Some(finding) => Err(Failure::Refused(format!("not what was signed: {finding}"))),
    }
}

fn text(report: &Report, last: Option<&Checkpoint>, behind: Option<u64>) -> String {
    let mut text = format!("{} events in {} records, {} checkpoints", report.events, report.records, report.checkpoints.len());
    if let Some(last) = last {
        text.push_str(&format!("\nsigned up to sequence {}, root {}", last.sequence, oms_audit::record::hex(&last.root)));
    }
    if let Some(head) = &report.head {
        text.push_str(&format!("\nkey {}", head.key));
    }
    if let Some(behind) = behind.filter(|behind| *behind > 0) {
        text.push_str(&format!("\n{behind} events behind it are not signed yet"));
    }
    for finding in &report.findings {
        text.push_str(&format!("\nNOT INTACT: {finding}"));
    }
    if report.is_intact() {
        text.push_str("\nintact: every record is what was signed");
    }
    text
}

/// Writes a whole file or none.
fn leaving(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> Result<(), Failure>) -> Outcome {
    let cannot = |error: std::io::Error| Failure::Usage(format!("{}: {error}", path.display()));
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    let unfinished = PathBuf::from(name);
    let mut out = BufWriter::with_capacity(1 << 20, File::create(&unfinished).map_err(cannot)?);
    let done = write(&mut out).and_then(|()| out.flush().and_then(|()| out.get_ref().sync_all()).map_err(cannot));
    match done.and_then(|()| std::fs::rename(&unfinished, path).map_err(cannot)) {
        Ok(()) => Ok(()),
        Err(failure) => {
            // The failure says more than that its remains could not be removed.
            let _removed = std::fs::remove_file(&unfinished);
            Err(failure)
        }
    }
}

fn export_log(out: &Path, stored: &Stored, settings: &Settings) -> Outcome {
    let kept = Kept::open(stored, settings)?;
    let mut last = None;
    leaving(out, |file| {
        let done = export(file, kept.journal.partition(), kept.journal.reader().as_mut(), &kept.checkpoints, &kept.key);
        last = Some(done.map_err(failed)?);
        Ok(())
    })?;
    let Some(Checkpoint { size, sequence, .. }) = last else { return Ok(()) };
    let text = if stored.json {
        json!({"records": size, "sequence": sequence, "checkpoints": kept.checkpoints.places().len(), "key": kept.key.to_string()})
            .to_string()
    } else {
        format!("{size} records, to sequence {sequence}, with {} checkpoints\nkey {}", kept.checkpoints.places().len(), kept.key)
    };
    written(writeln!(std::io::stdout(), "{text}"))
}

fn prove(order: OrderId, out: &Path, stored: &Stored, settings: &Settings) -> Outcome {
    let kept = Kept::open(stored, settings)?;
    let last = kept.checkpoints.last().ok_or_else(|| failed(AuditError::NoCheckpoint))?;
    let tree = Tree::read(&kept.dir).map_err(failed)?;
    let mut reader = kept.journal.reader();
    let order = order.as_u128().to_be_bytes();
    let sequences = speaking_of(order, reader.as_mut(), last.sequence).map_err(failed)?;
    if sequences.is_empty() {
        return Err(Failure::Refused("no record that is signed speaks of this order".to_owned()));
    }
    leaving(out, |file| {
        let partition = kept.journal.partition();
        proof(file, (order, &sequences), partition, reader.as_mut(), (&kept.checkpoints, &tree), &kept.key).map(drop).map_err(failed)
    })?;
    let text = if stored.json {
        json!({"records": sequences.len(), "checkpoint_size": last.size, "key": kept.key.to_string()}).to_string()
    } else {
        format!("{} records, against the checkpoint of {} records\nkey {}", sequences.len(), last.size, kept.key)
    };
    written(writeln!(std::io::stdout(), "{text}"))
}

fn grew(earlier: &Path, out: &Path, stored: &Stored, settings: &Settings) -> Outcome {
    let note = std::fs::read_to_string(earlier).map_err(|error| Failure::Usage(format!("{}: {error}", earlier.display())))?;
    let kept = Kept::open(stored, settings)?;
    let tree = Tree::read(&kept.dir).map_err(failed)?;
    let mut sizes = (0, 0);
    leaving(out, |file| {
        let (old, new) = consistency(file, &note, (&kept.checkpoints, &tree), &kept.key).map_err(failed)?;
        sizes = (old.size, new.size);
        Ok(())
    })?;
    let (old, new) = sizes;
    let text = if stored.json {
        json!({"earlier_size": old, "checkpoint_size": new, "key": kept.key.to_string()}).to_string()
    } else {
        format!("from the checkpoint of {old} records to that of {new}\nkey {}", kept.key)
    };
    written(writeln!(std::io::stdout(), "{text}"))
}
