//! `oms journal`: reads a log without changing it, also while a desk runs on it.

pub mod allocations;
pub mod brokers;
mod frozen;
mod listing;
pub mod messages;
mod past;
mod progress;

use crate::cli::{Journal as Command, Stored};
use crate::client::row;
use crate::config::Settings;
use crate::exit::{Failure, Outcome, written};
use frozen::FrozenDisk;
use oms_api::catalog::Catalog;
use oms_api::json::Writer;
use oms_api::json::events::write_event;
use oms_engine::State;
use oms_runtime::recovery::{self, RecoveryError};
use oms_runtime::snapshot;
use oms_store::{Config, EmbeddedJournal, Journal, JournalError, OpenCheck, VerifyReport, codec, hex};
use progress::Watched;
use serde_json::{Value, json};
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// How often a log that is being written is looked at again before it counts as damaged.
const LOOKS: usize = 4;

/// Does one command.
///
/// # Errors
/// [`Failure::Refused`] where the log is damaged or does not agree with itself.
pub fn run(command: Command, settings: &Settings) -> Outcome {
    match command {
        Command::Show { from, limit, stored } => show(&dir(&stored, settings), from, limit, stored.json),
        Command::Verify { stored } => verify(&dir(&stored, settings), stored.json),
        Command::Replay { as_of: None, stored } => replay(&dir(&stored, settings), stored.json),
        Command::Replay { as_of: Some(as_of), stored } => past::replay(&dir(&stored, settings), as_of, stored.json),
        Command::Hash { at, stored } => hash(&dir(&stored, settings), at, stored.json),
    }
}

fn dir(stored: &Stored, settings: &Settings) -> PathBuf {
    stored.data.as_ref().unwrap_or(&settings.server.data).join("log")
}

/// The log as it is at this moment.
pub(crate) fn open(dir: &Path, check: OpenCheck) -> Result<EmbeddedJournal, Failure> {
    let mut looked = 0;
    loop {
        looked += 1;
        let disk = FrozenDisk::of(dir).map_err(|error| Failure::Usage(format!("there is no log in {}: {error}", dir.display())))?;
        let config = Config { prepare_ahead: false, check, ..Config::default() };
        match EmbeddedJournal::open(Arc::new(disk), config) {
            // A writer may have been in the middle of something.
            Err(JournalError::Damaged(_)) if looked < LOOKS => (),
            other => return other.map_err(|error| damaged(&error)),
        }
    }
}

fn damaged(error: &dyn std::fmt::Display) -> Failure {
    Failure::Refused(error.to_string())
}

fn unfoldable(error: RecoveryError) -> Failure {
    match error {
        RecoveryError::NotABoundary { .. } => Failure::Usage(error.to_string()),
        other => damaged(&other),
    }
}

fn show(dir: &Path, from: u64, limit: u64, json: bool) -> Outcome {
    let journal = open(dir, OpenCheck::Tail)?;
    let catalog = match recovery::recover(&journal) {
        Ok((state, _)) => Catalog::of(&state),
        Err(error) => {
            eprintln!("oms: the names of instruments are not known: {error}");
            Catalog::default()
        }
    };
    let mut out = BufWriter::new(std::io::stdout().lock());
    let (mut left, mut failed) = (limit, None);
    let mut visit = |body: &[u8], seq: u64| -> ControlFlow<()> {
        let batch = match codec::decode_batch(body) {
            Ok(batch) => batch,
            Err(error) => {
                failed = Some(Failure::Refused(format!("the entry at sequence {seq} cannot be decoded: {error}")));
                return ControlFlow::Break(());
            }
        };
        for (seq, event) in batch.numbered().filter(|(seq, _)| seq.0 >= from) {
            let mut w = Writer::with_capacity(512);
            write_event(&mut w, seq, &batch, event, &catalog);
            if left == 0 {
                return ControlFlow::Break(());
            }
            left -= 1;
            if let Err(error) = line(&mut out, &w.finish(), event.name(), json) {
                failed = written(Err(error)).err();
                left = 0;
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    };
    let scanned = journal.reader().scan(from, &mut |stored| visit(stored.entry.body, stored.entry.first_seq));
    written(out.flush())?;
    match (scanned, failed) {
        (_, Some(failure)) => Err(failure),
        (Err(JournalError::BeyondTip { .. } | JournalError::BeforeFirst { .. }), None) => {
            Err(Failure::Usage(format!("the log holds the sequences 1 to {}", journal.tip().last_seq)))
        }
        (other, None) => other.map_err(|error| damaged(&error)),
    }
}

fn line(out: &mut impl Write, event: &[u8], kind: &str, json: bool) -> std::io::Result<()> {
    if json {
        out.write_all(event)?;
        return out.write_all(b"\n");
    }
    let event: Value = serde_json::from_slice(event).unwrap_or_default();
    writeln!(out, "{}", row(kind, &event))
}

fn verify(dir: &Path, json: bool) -> Outcome {
    let report = oms_store::verify(dir).map_err(|error| Failure::Usage(format!("there is no log in {}: {error}", dir.display())))?;
    let text = if json { verify_json(&report) } else { verify_text(&report) };
    written(writeln!(std::io::stdout(), "{text}"))?;
    match report.damage {
        None => Ok(()),
        Some(damage) => Err(Failure::Refused(format!("the log is damaged: {damage}"))),
    }
}

fn verify_text(report: &VerifyReport) -> String {
    let mut text = format!(
        "{} events in {} entries and {} segments, sequences {} to {}\nepoch {}, chain {}",
        report.events, report.entries, report.segments, report.first_seq, report.last_seq, report.epoch.0, report.chain_head
    );
    if report.incomplete_bytes > 0 {
        text.push_str(&format!("\n{} bytes behind the last complete group were never acknowledged", report.incomplete_bytes));
    }
    if report.damage.is_none() {
        text.push_str("\nintact: every checksum and the whole hash chain");
    }
    text
}

fn verify_json(report: &VerifyReport) -> String {
    let damage = report.damage.as_ref().map(|damage| {
        json!({
            "file": damage.file, "offset": damage.offset, "last_good_sequence": damage.last_good_seq, "defect": damage.defect.to_string(),
        })
    });
    json!({
        "partition": report.partition, "segments": report.segments, "entries": report.entries, "events": report.events,
        "first_sequence": report.first_seq, "last_sequence": report.last_seq, "epoch": report.epoch.0,
        "chain_hash": report.chain_head.to_string(), "incomplete_bytes": report.incomplete_bytes, "damage": damage,
    })
    .to_string()
}

fn replay(dir: &Path, json: bool) -> Outcome {
    let journal = open(dir, OpenCheck::Tail)?;
    let tip = journal.tip();
    let stored = journal.latest_snapshot(snapshot::SCHEMA).map_err(|error| damaged(&error))?;
    let began = Instant::now();
    let mut reader = Watched::new(journal.reader(), tip.last_seq, "replaying");
    let mut state = State::default();
    let mut compared = None;
    if let Some(stored) = &stored {
        state = recovery::fold(&mut reader, state, Some(stored.seq)).map_err(unfoldable)?.0;
        compared = Some(snapshot::state_hash(&state) == stored.state_hash);
    }
    let (state, _) = recovery::fold(&mut reader, state, None).map_err(unfoldable)?;
    let seconds = began.elapsed().as_secs_f64();
    reader.finish();
    let (events, state_hash) = (tip.last_seq, hex(&snapshot::state_hash(&state)));
    let rate = if seconds > 0.0 { events as f64 / seconds } else { 0.0 };
    let snapshot_seq = stored.as_ref().map(|stored| stored.seq);
    let text = if json {
        json!({
            "events": events, "seconds": seconds, "events_per_second": rate.round(), "sequence": state.last_seq().0, "state_hash": state_hash,
            "snapshot_sequence": snapshot_seq, "snapshot_agrees": compared,
        })
        .to_string()
    } else {
        let agreement = match (snapshot_seq, compared) {
            (Some(seq), Some(true)) => format!("the snapshot at sequence {seq} has the same state hash"),
            (Some(seq), _) => format!("the snapshot at sequence {seq} has ANOTHER state hash"),
            (None, _) => "there is no snapshot to compare with".to_owned(),
        };
        format!(
            "{events} events in {seconds:.3} s, {rate:.0} events/s\nstate hash {state_hash} at sequence {}\n{agreement}",
            state.last_seq()
        )
    };
    written(writeln!(std::io::stdout(), "{text}"))?;
    if compared == Some(false) { Err(Failure::Refused("replay and snapshot differ".to_owned())) } else { Ok(()) }
}

fn hash(dir: &Path, at: Option<u64>, json: bool) -> Outcome {
    let journal = open(dir, OpenCheck::Tail)?;
    let last = journal.tip().last_seq;
    let seq = at.unwrap_or(last);
    if seq > last {
        return Err(Failure::Usage(format!("the log holds the sequences 1 to {last}")));
    }
    let mut reader = Watched::new(journal.reader(), seq, "folding");
    let (state, _) = recovery::fold(&mut reader, State::default(), Some(seq)).map_err(unfoldable)?;
    reader.finish();
    let state_hash = hex(&snapshot::state_hash(&state));
    let chain = journal.reader().hash_at(seq).map_err(|error| damaged(&error))?;
    let text = if json {
        json!({"sequence": seq, "state_hash": state_hash, "chain_hash": chain.map(|chain| chain.to_string())}).to_string()
    } else {
        format!("{state_hash}  {seq}")
    };
    written(writeln!(std::io::stdout(), "{text}"))
}

#[cfg(test)]
mod tests;
