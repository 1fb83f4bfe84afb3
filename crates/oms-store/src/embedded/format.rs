//! The bytes of a segment.
//!
//! A segment is one sector of header and then groups, each starting on a sector. Little-endian.
//!
//! ```text
//! entry     0 magic u32         4 header_crc u32     8 body_crc u32      12 group_entries u32
//!          16 group_offset u32 20 group_len u32     24 group_first_seq u64
//!          32 hash [32]        64 fields [40]      104 body, filled to a multiple of 8
//! fields    0 version u32       4 partition u32      8 epoch u64         16 first_seq u64
//!          24 time_ns i64      32 count u32         36 body_len u32
//! segment   0 magic [8]         8 crc u32           12 version u32       16 partition u32
//!          24 first_seq u64    32 len u64           40 epoch u64         48 prev_hash [32]
//! ```
//!
//! - Fresh space is zero and fill is never zero, so a sector that a crash lost can be told from one
//!   that was written and changed later.
//! - A sector that holds acknowledged bytes is never written with other bytes.
//! - Header checksums start from the segment's place in the chain: bytes of another segment, or
//!   entry-like bytes inside a body, are not taken for entries.

use crate::chain::{ChainHash, FIELDS_LEN, FORMAT_VERSION, Fields, array};
use crate::error::Defect;
use crate::journal::{EntryRef, Epoch, StoredEntry};

/// Unit of survival in a crash, and alignment of groups, in bytes.
pub(crate) const SECTOR: u64 = 512;
pub(crate) const SECTOR_BYTES: usize = 512;

/// Bytes of an entry before its body.
pub(crate) const HEADER_LEN: usize = FIELDS_AT + FIELDS_LEN;

/// Entries start on multiples of this, in bytes.
pub(crate) const ENTRY_ALIGN: usize = 8;

/// What follows an entry up to the next boundary.
pub(crate) const FILL: u8 = 0xa5;

const ENTRY_MAGIC: u32 = u32::from_le_bytes(*b"OMSE");
const SEGMENT_MAGIC: [u8; 8] = *b"OMSLOG\r\n";
const FIELDS_AT: usize = 64;

/// Bytes of a stored entry with a body of `body_len`, without the fill to a sector.
pub(crate) fn entry_len(body_len: usize) -> usize {
    (HEADER_LEN + body_len).next_multiple_of(ENTRY_ALIGN)
}

/// Everything of an entry but its body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Header {
    pub body_crc: u32,
    pub group: Group,
    pub hash: ChainHash,
    pub fields: Fields,
}

/// The group an entry was appended in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Group {
    pub entries: u32,
    /// Offset in the segment.
    pub offset: u32,
    /// Bytes of the entries, without the fill to a sector.
    pub len: u32,
    pub first_seq: u64,
}

impl Group {
    /// Offset in the segment where the next group starts.
    pub fn end(&self) -> u64 {
        (u64::from(self.offset) + u64::from(self.len)).next_multiple_of(SECTOR)
    }
}

impl Header {
    /// Reads a header and trusts it only if its checksum holds.
    pub fn decode(bytes: &[u8; HEADER_LEN], salt: u32) -> Result<Self, Defect> {
        let magic = u32::from_le_bytes(array(bytes, 0));
        if magic != ENTRY_MAGIC {
            return Err(Defect::Magic { found: magic });
        }
        let (expected, found) = (u32::from_le_bytes(array(bytes, 4)), crc(salt, &bytes[8..]));
        if expected != found {
            return Err(Defect::HeaderChecksum { expected, found });
        }
        let fields = Fields::decode(&array(bytes, FIELDS_AT));
        if fields.version != FORMAT_VERSION {
            return Err(Defect::Version { expected: FORMAT_VERSION, found: fields.version });
        }
        let group = Group {
            entries: u32::from_le_bytes(array(bytes, 12)),
            offset: u32::from_le_bytes(array(bytes, 16)),
            len: u32::from_le_bytes(array(bytes, 20)),
            first_seq: u64::from_le_bytes(array(bytes, 24)),
        };
        let body_crc = u32::from_le_bytes(array(bytes, 8));
        Ok(Self { body_crc, group, hash: ChainHash(array(bytes, 32)), fields })
    }

    /// Bytes of the entry as stored, without the fill to a sector.
    pub fn entry_len(&self) -> usize {
        entry_len(self.fields.body_len as usize)
    }
}

/// Checksum of a body with its fill.
pub(crate) fn body_crc(stored: &[u8]) -> u32 {
    crc(0, stored)
}

fn crc(start: u32, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(start);
    hasher.update(bytes);
    hasher.finalize()
}

/// Appends an entry to `buffer`, complete but for its place. Returns the chain up to it.
pub(crate) fn push_entry(buffer: &mut Vec<u8>, partition: u32, epoch: Epoch, prev_hash: ChainHash, entry: &EntryRef<'_>) -> ChainHash {
    let at = buffer.len();
    let mut head = [0; HEADER_LEN];
    head[0..4].copy_from_slice(&ENTRY_MAGIC.to_le_bytes());
    head[FIELDS_AT..].copy_from_slice(&Fields::of(partition, epoch, entry).encode());
    buffer.reserve(entry_len(entry.body.len()));
    buffer.extend_from_slice(&head);
    buffer.extend_from_slice(entry.body);
    let hash = prev_hash.link(&buffer[at + FIELDS_AT..]);
    buffer.resize(at + entry_len(entry.body.len()), FILL);
    let (head, body) = buffer[at..].split_at_mut(HEADER_LEN);
    head[8..12].copy_from_slice(&body_crc(body).to_le_bytes());
    head[32..64].copy_from_slice(&hash.0);
    hash
}

/// The entry that [`push_entry`] laid out at the start of `bytes`.
pub(crate) fn entry_at(bytes: &[u8]) -> StoredEntry<'_> {
    let fields = Fields::decode(&array(bytes, FIELDS_AT));
    StoredEntry {
        entry: EntryRef {
            first_seq: fields.first_seq,
            count: fields.count,
            time_ns: fields.time_ns,
            body: &bytes[HEADER_LEN..HEADER_LEN + fields.body_len as usize],
        },
        epoch: Epoch(fields.epoch),
        hash: ChainHash(array(bytes, 32)),
    }
}

/// Completes the entries that start at `starts` as one group at `offset` of a segment, and fills
/// the last sector.
pub(crate) fn place_group(buffer: &mut Vec<u8>, starts: &[usize], first_seq: u64, offset: u64, salt: u32) {
    let mut place = [0; 20];
    place[0..4].copy_from_slice(&small(starts.len()).to_le_bytes());
    place[4..8].copy_from_slice(&u32::try_from(offset).unwrap_or(u32::MAX).to_le_bytes());
    place[8..12].copy_from_slice(&small(buffer.len()).to_le_bytes());
    place[12..20].copy_from_slice(&first_seq.to_le_bytes());
    for start in starts {
        let head = &mut buffer[*start..*start + HEADER_LEN];
        head[12..32].copy_from_slice(&place);
        let check = crc(salt, &head[8..]);
        head[4..8].copy_from_slice(&check.to_le_bytes());
    }
    buffer.resize(buffer.len().next_multiple_of(SECTOR_BYTES), FILL);
}

/// Lengths and offsets are bounded far below 2^32 before they come here.
fn small(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// The first sector of a segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SegmentHeader {
    pub partition: u32,
    pub first_seq: u64,
    /// Bytes of the file.
    pub len: u64,
    /// The newest claim when the segment was started; no later entry has an older one.
    pub epoch: Epoch,
    /// The chain before `first_seq`.
    pub prev_hash: ChainHash,
}

impl SegmentHeader {
    /// Starts the checksums of the headers in this segment.
    pub fn salt(&self) -> u32 {
        u32::from_le_bytes(array(&self.prev_hash.0, 0))
    }

    pub fn encode(&self) -> [u8; SECTOR_BYTES] {
        let mut out = [FILL; SECTOR_BYTES];
        out[0..8].copy_from_slice(&SEGMENT_MAGIC);
        out[12..16].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        out[16..20].copy_from_slice(&self.partition.to_le_bytes());
        out[24..32].copy_from_slice(&self.first_seq.to_le_bytes());
        out[32..40].copy_from_slice(&self.len.to_le_bytes());
        out[40..48].copy_from_slice(&self.epoch.0.to_le_bytes());
        out[48..80].copy_from_slice(&self.prev_hash.0);
        let check = crc(0, &out[12..]);
        out[8..12].copy_from_slice(&check.to_le_bytes());
        out
    }

    pub fn decode(bytes: &[u8; SECTOR_BYTES], partition: u32) -> Result<Self, Defect> {
        if bytes[0..8] != SEGMENT_MAGIC {
            return Err(Defect::Magic { found: u32::from_le_bytes(array(bytes, 0)) });
        }
        let (expected, found) = (u32::from_le_bytes(array(bytes, 8)), crc(0, &bytes[12..]));
        if expected != found {
            return Err(Defect::HeaderChecksum { expected, found });
        }
        let version = u32::from_le_bytes(array(bytes, 12));
        if version != FORMAT_VERSION {
            return Err(Defect::Version { expected: FORMAT_VERSION, found: version });
        }
        let header = Self {
            partition: u32::from_le_bytes(array(bytes, 16)),
            first_seq: u64::from_le_bytes(array(bytes, 24)),
            len: u64::from_le_bytes(array(bytes, 32)),
            epoch: Epoch(u64::from_le_bytes(array(bytes, 40))),
            prev_hash: ChainHash(array(bytes, 48)),
        };
        if header.partition != partition {
            return Err(Defect::Partition { expected: partition, found: header.partition });
        }
        Ok(header)
    }

    /// The partition a segment claims to belong to, unchecked.
    pub fn peek_partition(bytes: &[u8; SECTOR_BYTES]) -> u32 {
        u32::from_le_bytes(array(bytes, 16))
    }
}

const NAME_START: &str = "segment-";
const NAME_END: &str = ".log";

/// The file of the segment that starts at `first_seq`.
pub(crate) fn segment_name(first_seq: u64) -> String {
    format!("{NAME_START}{first_seq:020}{NAME_END}")
}

/// The first sequence in a segment's name.
pub(crate) fn parse_segment_name(name: &str) -> Option<u64> {
    name.strip_prefix(NAME_START)?.strip_suffix(NAME_END)?.parse().ok()
}
