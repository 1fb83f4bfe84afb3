//! `oms-verify`: verifies an export of the audit, or the proof of one order, and needs nothing but that file.
//!
//! It reads a file, computes, and says what it found; it writes nothing unless `--bodies` asks for it, and uses no network.

use oms_audit::record::hex;
use oms_audit::{Checkpoint, Kind, Record, Report, Trusted, VerifierKey};
use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
usage: oms-verify FILE [--key KEY] [--checkpoint NOTE] [--bodies DIR]

  FILE               an export (oms audit export), a proof (oms audit proof) or a proof that the log only grew
                     (oms audit consistency)
  --key KEY          the public key of the log, as its owner publishes it, or a file that holds it. Without it the key in
                     FILE is used: then FILE is shown to agree with itself, not whose it is
  --checkpoint NOTE  a file with a signed checkpoint that was received before: the log must still hold what it held then
  --bodies DIR       writes the events of each verified record into DIR, for: protoc --decode oms.log.v1.Batch

Exit codes: 0 intact, 1 not intact, 2 the command line or a file cannot be read";

/// What is asked for.
struct Asked {
    file: PathBuf,
    trusted: Trusted,
    bodies: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let asked = match asked(&arguments) {
        Ok(Some(asked)) => asked,
        Ok(None) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(what) => {
            eprintln!("oms-verify: {what}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(&asked) {
        Ok(report) => {
            // Whoever reads the output may have gone; the exit code says it all.
            let _written = tell(&mut io::stdout().lock(), &report, &asked.trusted);
            if report.is_intact() { ExitCode::SUCCESS } else { ExitCode::from(1) }
        }
        Err(error) => {
            eprintln!("oms-verify: {}: {error}", asked.file.display());
            ExitCode::from(2)
        }
    }
}

fn asked(arguments: &[String]) -> Result<Option<Asked>, String> {
    let (mut file, mut trusted, mut bodies) = (None, Trusted::default(), None);
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "-h" | "--help" => return Ok(None),
            "--key" => trusted.key = Some(key(value()?)?),
            "--checkpoint" => trusted.checkpoint = Some(text(value()?)?),
            "--bodies" => bodies = Some(PathBuf::from(value()?)),
            option if option.starts_with('-') => return Err(format!("{option} is not known")),
            path if file.is_none() => file = Some(PathBuf::from(path)),
            path => return Err(format!("{path}: one file at a time")),
        }
    }
    let file = file.ok_or("no file was given")?;
    Ok(Some(Asked { file, trusted, bodies }))
}

fn text(path: &str) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))
}

/// A key as text, or the file that holds it.
fn key(given: &str) -> Result<VerifierKey, String> {
    if let Ok(key) = VerifierKey::parse(given) {
        return Ok(key);
    }
    VerifierKey::parse(text(given)?.trim()).map_err(|error| format!("{given}: {error}"))
}

fn run(asked: &Asked) -> io::Result<Report> {
    let input = BufReader::with_capacity(1 << 20, File::open(&asked.file)?);
    if let Some(dir) = &asked.bodies {
        std::fs::create_dir_all(dir)?;
    }
    let mut failed = None;
    let mut seen = |index: u64, record: &Record<'_>| {
        if let (Some(dir), None) = (&asked.bodies, &failed) {
            failed = body(dir, index, record).err();
        }
    };
    let report = oms_audit::verify(input, &asked.trusted, &mut seen)?;
    failed.map_or(Ok(report), Err)
}

fn body(dir: &Path, index: u64, record: &Record<'_>) -> io::Result<()> {
    std::fs::write(dir.join(format!("{index:012}-{}.binpb", record.fields.first_seq)), record.body)
}

fn tell(out: &mut impl Write, report: &Report, trusted: &Trusted) -> io::Result<()> {
    if let Some(head) = &report.head {
        match head.kind {
            Kind::Export => writeln!(out, "an export of the log {}", head.key.name())?,
            Kind::Proof { order } => writeln!(out, "a proof of the order {}", hex(&order))?,
            Kind::Consistency => writeln!(out, "a proof that the log {} only grew", head.key.name())?,
        }
        writeln!(out, "{} records, {} events, schema version {}", report.records, report.events, head.schema)?;
        writeln!(out, "key {}", head.key)?;
    }
    if let Some(Checkpoint { size, sequence, root, .. }) = report.checkpoints.last() {
        writeln!(out, "{} checkpoints; the last is of {size} records, to sequence {sequence}", report.checkpoints.len())?;
        writeln!(out, "root {}", hex(root))?;
    }
    for finding in &report.findings {
        writeln!(out, "NOT INTACT: {finding}")?;
    }
    let grew = report.head.as_ref().is_some_and(|head| head.kind == Kind::Consistency);
    if let ([old, new], true, true) = (report.checkpoints.as_slice(), grew, report.is_intact()) {
        writeln!(out, "the log of {} records is the beginning of the log of {}", old.size, new.size)?;
    }
    if report.is_intact() && trusted.key.is_some() {
        writeln!(out, "intact: every record is what was signed")?;
    } else if report.is_intact() {
        writeln!(out, "intact in itself: every record is what was signed with this key; compare the key with the one that is published")?;
    }
    Ok(())
}
