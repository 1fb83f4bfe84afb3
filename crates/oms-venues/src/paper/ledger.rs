//! A paper venue's memory: every order, request and execution it ever decided on.
//!
//! A real venue does not die with us. The in-process ones do, so each keeps an append-only ledger,
//! written with plain `write(2)` before an answer leaves: it survives `kill -9` of the process
//! (not a loss of power, which is the journal's business). On restart the venue restores itself
//! from it and answers queries truthfully.
//!
//! A file is a sequence of records: `u16 length, u16 !length, u32 CRC-32 of the payload, payload`
//! (little-endian). A process that is killed inside a write leaves a prefix of what it wrote: such
//! a torn tail is cut off on opening. Anything else that does not check is damage and is refused
//! with its offset.

mod codec;

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use oms_model::report::VenueFill;
use oms_model::{IntentKind, Price, Qty, Time, WireId};
use oms_runtime::port::WireOrder;

/// Largest ledger that is read, bytes.
const MAX_BYTES: u64 = 4 << 30;
const HEADER: usize = 8;

/// One thing that a paper venue decided. `number` is the venue's own number of the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LedgerRecord {
    /// A new order was taken.
    Accepted {
        /// When.
        at: Time,
        /// Its number.
        number: u64,
        /// As it was asked.
        order: WireOrder,
    },
    /// A new order was refused.
    Rejected {
        /// When.
        at: Time,
        /// Its number.
        number: u64,
        /// As it was asked.
        order: WireOrder,
        /// Why.
        text: String,
    },
    /// An order was executed.
    Filled {
        /// When.
        at: Time,
        /// Which.
        number: u64,
        /// The order's current ClOrdID.
        wire_id: WireId,
        /// How.
        fill: VenueFill,
    },
    /// An order was canceled by the request `wire_id`, or unasked where that is the order's own.
    Canceled {
        /// When.
        at: Time,
        /// Which.
        number: u64,
        /// By what.
        wire_id: WireId,
    },
    /// An order was replaced by the request `wire_id`.
    Replaced {
        /// When.
        at: Time,
        /// Which.
        number: u64,
        /// By what.
        wire_id: WireId,
        /// New total quantity.
        order_qty: Qty,
        /// New limit.
        price: Option<Price>,
        /// New trigger.
        stop_px: Option<Price>,
    },
    /// A cancel or replace request was refused.
    RequestRejected {
        /// When.
        at: Time,
        /// Which order; 0 for an unknown one.
        number: u64,
        /// The request.
        wire_id: WireId,
        /// Its kind.
        kind: IntentKind,
    },
    /// A stop was elected.
    Elected {
        /// When.
        at: Time,
        /// Which.
        number: u64,
    },
    /// An order ended by its time in force.
    Expired {
        /// When.
        at: Time,
        /// Which.
        number: u64,
    },
    /// A ClOrdID came a second time. Refused; the record proves that it was sent twice.
    Duplicate {
        /// When.
        at: Time,
        /// The ClOrdID.
        wire_id: WireId,
        /// What kind of request came with it.
        kind: IntentKind,
    },
}

impl LedgerRecord {
    /// When it was decided.
    #[must_use]
    pub const fn at(&self) -> Time {
        match self {
            Self::Accepted { at, .. }
            | Self::Rejected { at, .. }
            | Self::Filled { at, .. }
            | Self::Canceled { at, .. }
            | Self::Replaced { at, .. }
            | Self::RequestRejected { at, .. }
            | Self::Elected { at, .. }
            | Self::Expired { at, .. }
            | Self::Duplicate { at, .. } => *at,
        }
    }
}

/// Why a ledger cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file system refused.
    #[error("ledger {path}: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// The bytes at `offset` are not a record, and not the torn end of one either.
    #[error("ledger is damaged at byte {offset}: {what}")]
    Damaged {
        /// Where the record begins.
        offset: usize,
        /// What does not check.
        what: &'static str,
    },
    /// A record that can not follow those before it.
    #[error("ledger names order {number}, which it never took")]
    UnknownOrder {
        /// The number.
        number: u64,
    },
    /// Larger than is read.
    #[error("ledger has more than {limit} bytes")]
    TooLarge {
        /// The bound.
        limit: u64,
    },
}

/// Where a venue writes its records.
pub trait Ledger: Send {
    /// Appends whole records. When it fails, none of them counts.
    ///
    /// # Errors
    /// The file system refused.
    fn append(&mut self, bytes: &[u8]) -> Result<(), LedgerError>;
}

/// Appends a record to `out` in its stored form.
pub fn encode(record: &LedgerRecord, out: &mut Vec<u8>) {
    let payload = codec::payload(record);
    let length = u16::try_from(payload.len()).unwrap_or(u16::MAX);
    assert!(usize::from(length) == payload.len(), "every field of a record is bounded");
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&(!length).to_le_bytes());
    out.extend_from_slice(&crc32fast::hash(&payload).to_le_bytes());
    out.extend_from_slice(&payload);
}

/// Reads records; answers them and the number of bytes that hold whole ones. What follows is the
/// torn end of a record.
///
/// # Errors
/// Damage, with its place.
pub fn decode(bytes: &[u8]) -> Result<(Vec<LedgerRecord>, usize), LedgerError> {
    let mut records = Vec::new();
    let mut offset = 0;
    while let Some(header) = bytes.get(offset..).and_then(|rest| rest.first_chunk::<HEADER>()) {
        let [l0, l1, n0, n1, c0, c1, c2, c3] = *header;
        let length = u16::from_le_bytes([l0, l1]);
        if u16::from_le_bytes([n0, n1]) != !length {
            return Err(LedgerError::Damaged { offset, what: "length" });
        }
        let end = offset + HEADER + usize::from(length);
        let Some(payload) = bytes.get(offset + HEADER..end) else { break };
        if crc32fast::hash(payload) != u32::from_le_bytes([c0, c1, c2, c3]) {
            return Err(LedgerError::Damaged { offset, what: "checksum" });
        }
        let record = codec::record(payload).ok_or(LedgerError::Damaged { offset, what: "content" })?;
        records.push(record);
        offset = end;
    }
    Ok((records, offset))
}

/// Reads a ledger file without opening it for writing: for test rigs and tools. A missing file is
/// an empty ledger.
///
/// # Errors
/// An unreadable or damaged file.
pub fn read_ledger(path: &Path) -> Result<Vec<LedgerRecord>, LedgerError> {
    let failed = |error| LedgerError::File { path: path.to_path_buf(), error };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    Ok(decode(&read_all(&file).map_err(failed)??)?.0)
}

fn read_all(file: &File) -> std::io::Result<Result<Vec<u8>, LedgerError>> {
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    let fits = bytes.len() as u64 <= MAX_BYTES;
    Ok(if fits { Ok(bytes) } else { Err(LedgerError::TooLarge { limit: MAX_BYTES }) })
}

/// A ledger in a file.
#[derive(Debug)]
pub struct FileLedger {
    path: PathBuf,
    file: File,
    /// End of the last whole record.
    length: u64,
}

impl FileLedger {
    /// Opens or creates a ledger, cuts off a torn tail, and answers what it holds.
    ///
    /// # Errors
    /// The file system refused, or the file is damaged.
    pub fn open(path: &Path) -> Result<(Self, Vec<LedgerRecord>), LedgerError> {
        let failed = |error| LedgerError::File { path: path.to_path_buf(), error };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let file = OpenOptions::new().read(true).append(true).create(true).open(path).map_err(failed)?;
        let bytes = read_all(&file).map_err(failed)??;
        let (records, whole) = decode(&bytes)?;
        if whole < bytes.len() {
            tracing::warn!(path = %path.display(), torn_bytes = bytes.len() - whole, "ledger tail cut off");
            file.set_len(whole as u64).map_err(failed)?;
        }
        Ok((Self { path: path.to_path_buf(), file, length: whole as u64 }, records))
    }
}

impl Ledger for FileLedger {
    fn append(&mut self, bytes: &[u8]) -> Result<(), LedgerError> {
        match self.file.write_all(bytes) {
            Ok(()) => {
                self.length += bytes.len() as u64;
                Ok(())
            }
            Err(error) => {
                // Part of it may be in the file: what follows must not come behind that.
                let cut = self.file.set_len(self.length);
                if let Err(second) = cut {
                    tracing::error!(path = %self.path.display(), %second, "ledger cannot be cut back");
                }
                Err(LedgerError::File { path: self.path.clone(), error })
            }
        }
    }
}

/// A ledger in memory. Clones share it, so that a simulation keeps it over a simulated crash.
#[derive(Clone, Debug, Default)]
pub struct MemoryLedger {
    bytes: Arc<Mutex<Vec<u8>>>,
}

impl MemoryLedger {
    /// An empty ledger.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What it holds.
    ///
    /// # Errors
    /// Damage.
    pub fn records(&self) -> Result<Vec<LedgerRecord>, LedgerError> {
        Ok(decode(&self.bytes.lock().unwrap_or_else(PoisonError::into_inner))?.0)
    }
}

impl Ledger for MemoryLedger {
    fn append(&mut self, bytes: &[u8]) -> Result<(), LedgerError> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(())
    }
}
