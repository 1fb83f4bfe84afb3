//! The audit of a running desk: its follower, and what the interface and the metrics show of it.

use super::settings::Desk;
use crate::exit::Failure;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oms_api::audit::{Audit, AuditCheckpoint, AuditReport};
use oms_api::metrics::Page;
use oms_api::{Exposition, Probe};
use oms_audit::{Checkpoint, Trusted};
use oms_model::{Code, Refusal};
use oms_publish::audit::{self, AuditError, AuditTrail, Checkpoints, Config, Running, Tree};
use oms_store::{Journal, JournalReader};
use oms_vault::{Keys, Owner, Place, Sealed, Secret};
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many may read the log for the audit at once.
const READERS: usize = 4;

/// Begins to sign the log.
///
/// # Errors
/// [`Failure::Refused`] where the key cannot be read or made.
pub fn start(desk: &Desk, journal: &dyn Journal) -> Result<Option<Running>, Failure> {
    let settings = &desk.settings.audit;
    if !settings.enabled {
        return Ok(None);
    }
    let dir = desk.audit_dir();
    let seed = || {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| std::io::Error::other(error.to_string()))?;
        Ok(seed)
    };
    let refused = |error: &dyn std::fmt::Display| Failure::Refused(format!("the audit: {error}"));
    let keys = super::vault::keys(&desk.settings.vault, &desk.vault_dir())?;
    let place = Place { tenant: "", table: "audit", column: "key", row: &settings.origin };
    let sealing = |text: &str| sealed(keys.as_ref(), &place, text);
    let opening = |text: String| opened(keys.as_ref(), &place, text);
    let signer = audit::signer(&dir, &settings.origin, seed, sealing, opening).map_err(|error| refused(&error))?;
    let interval = Duration::from_secs(settings.interval_s.into());
    let config = Config { dir, partition: journal.partition(), schema: oms_store::codec::SCHEMA_VERSION, interval };
    audit::start(config, signer, journal.reader()).map(Some).map_err(|error| Failure::Fault(format!("no thread for the audit: {error}")))
}

/// What a file that is encrypted begins with.
const SEALED: &str = "sealed:";

/// The text of the key's file: encrypted where there is a master key.
fn sealed(keys: Option<&Keys>, place: &Place<'_>, text: &str) -> io::Result<String> {
    let Some(keys) = keys else { return Ok(text.to_owned()) };
    let sealed = keys.seal(Owner::Desk, place, &Secret::of(text)).map_err(io::Error::other)?;
    Ok(format!("{SEALED}{}\n", STANDARD.encode(sealed.bytes())))
}

/// The other way. A key that was made before there was a master key lies open, and is taken.
fn opened(keys: Option<&Keys>, place: &Place<'_>, text: String) -> io::Result<String> {
    let Some(encoded) = text.trim().strip_prefix(SEALED) else { return Ok(text) };
    let keys = keys.ok_or_else(|| io::Error::other("it is encrypted, and the setting vault.master_key names no key"))?;
    let sealed = STANDARD.decode(encoded).map_err(io::Error::other)?;
    let secret = Sealed::read(&sealed).and_then(|sealed| keys.open_sealed(Owner::Desk, place, &sealed)).map_err(io::Error::other)?;
    secret.expose_text().map(str::to_owned).ok_or_else(|| io::Error::other("it is no text"))
}

/// The audit as the interface sees it.
pub struct Shown {
    trail: AuditTrail,
    readers: Mutex<Vec<Box<dyn JournalReader>>>,
    /// As they were when somebody asked last.
    checkpoints: Mutex<Option<Arc<Checkpoints>>>,
}

fn refusal(error: AuditError) -> Refusal {
    match error {
        AuditError::Busy => Refusal::new(Code::Overloaded, error.to_string()),
        AuditError::NoCheckpoint => Refusal::new(Code::NotFound, error.to_string()),
        other => {
            tracing::error!(error = %other, "the audit failed");
            Refusal::new(Code::Internal, other.to_string())
        }
    }
}

fn told(checkpoint: &Checkpoint, note: String) -> AuditCheckpoint {
    AuditCheckpoint {
        size: checkpoint.size,
        sequence: checkpoint.sequence,
        time_ns: checkpoint.time_ns,
        root: oms_audit::record::hex(&checkpoint.root),
        note,
    }
}

impl Shown {
    /// Shows this audit of `journal`.
    #[must_use]
    pub fn new(trail: AuditTrail, journal: &dyn Journal) -> Self {
        let readers = (0..READERS).map(|_| journal.reader()).collect();
        Self { trail, readers: Mutex::new(readers), checkpoints: Mutex::default() }
    }

    fn readers(&self) -> MutexGuard<'_, Vec<Box<dyn JournalReader>>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stored(&self) -> Result<Arc<Checkpoints>, Refusal> {
        let mut kept = self.checkpoints.lock().unwrap_or_else(PoisonError::into_inner);
        let now = match &*kept {
            Some(known) => known.grown(self.trail.key()),
            None => Checkpoints::read(self.trail.dir(), self.trail.key()).map(Arc::new),
        };
        let now = now.map_err(refusal)?;
        *kept = Some(Arc::clone(&now));
        Ok(now)
    }

    fn reading<T>(&self, work: impl FnOnce(&mut dyn JournalReader) -> Result<T, AuditError>) -> Result<T, Refusal> {
        let mut reader = self.readers().pop().ok_or_else(|| refusal(AuditError::Busy))?;
        let done = work(reader.as_mut()).map_err(refusal);
        self.readers().push(reader);
        done
    }
}

impl Audit for Shown {
    fn key(&self) -> String {
        self.trail.key().to_string()
    }

    fn checkpoints(&self, after: u64, limit: usize) -> Result<Vec<AuditCheckpoint>, Refusal> {
        let stored = self.stored()?;
        let read =
            |note: &String| Checkpoint::open(note, self.trail.key()).map_err(|error| refusal(AuditError::Diverged(error.to_string())));
        let mut found = Vec::new();
        // Sizes grow, so the first that is wanted is found by halves.
        let places = stored.places();
        let (mut from, mut to) = (0, places.len());
        while from < to {
            let middle = from + (to - from) / 2;
            let Some(place) = places.get(middle) else { break };
            if read(&stored.note(*place).map_err(refusal)?)?.size <= after {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        for place in places.iter().skip(from).take(limit) {
            let note = stored.note(*place).map_err(refusal)?;
            found.push(told(&read(&note)?, note));
        }
        Ok(found)
    }

    fn sign(&self) -> Result<AuditCheckpoint, Refusal> {
        self.trail.checkpoint().map(|checkpoint| told(&checkpoint, String::new())).map_err(refusal)
    }

    fn export(&self, out: &mut dyn Write) -> Result<(), Refusal> {
        let (stored, mut out) = (self.stored()?, out);
        self.reading(|reader| audit::export(&mut out, self.trail.partition(), reader, &stored, self.trail.key()).map(drop))
    }

    fn proof(&self, order: [u8; 16], sequences: &[u64], out: &mut dyn Write) -> Result<(), Refusal> {
        let (stored, mut out) = (self.stored()?, out);
        let tree = Tree::read(self.trail.dir()).map_err(refusal)?;
        self.reading(|reader| {
            audit::proof(&mut out, (order, sequences), self.trail.partition(), reader, (&stored, &tree), self.trail.key()).map(drop)
        })
    }

    fn verify(&self) -> Result<AuditReport, Refusal> {
        let stored = self.stored()?;
        let trusted = Trusted { key: Some(self.trail.key().clone()), checkpoint: None };
        let report = self.reading(|reader| audit::verify(self.trail.partition(), reader, &stored, self.trail.key(), &trusted))?;
        Ok(AuditReport {
            records: report.records,
            events: report.events,
            checkpoints: report.checkpoints.len() as u64,
            sequence: report.checkpoints.last().map_or(0, |last| last.sequence),
            findings: report.findings.iter().map(|finding| (finding.place.to_string(), finding.what.clone())).collect(),
        })
    }
}

/// Whether the log is still signed.
pub struct Signing(pub AuditTrail);

impl Probe for Signing {
    fn name(&self) -> &str {
        "audit"
    }

    fn check(&self) -> Result<(), String> {
        self.0.status().failed.map_or(Ok(()), Err)
    }
}

impl Exposition for Signing {
    fn expose(&self, page: &mut Page) {
        let status = self.0.status();
        page.gauge("oms_audit_records", "Records in the audit's tree.", [("", status.records)]);
        page.gauge("oms_audit_checkpoints", "Signed checkpoints.", [("", status.checkpoints)]);
        let signed = status.last.map_or(0, |last| last.sequence);
        page.gauge("oms_audit_signed_sequence", "Sequence of the last event that is signed.", [("", signed)]);
        page.gauge("oms_audit_failed", "Whether nothing is signed any more.", [("", u64::from(status.failed.is_some()))]);
    }
}
