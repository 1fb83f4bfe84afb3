//! The file of the views: how it is opened, recognised, made and deleted.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use oms_model::{CommandId, Seq, Time};
use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior, params};

use super::error::{During, ViewError};
use super::mark::{Boot, Left, Mark};
use super::sortable;
use crate::codec;

/// Raised by every change of the tables or of what stands in them.
const TABLES_VERSION: i64 = 5;
/// What `PRAGMA user_version` says: stored bodies depend on the codec too.
pub(super) const SCHEMA_VERSION: i64 = TABLES_VERSION * 1000 + codec::SCHEMA_VERSION as i64;
/// What `PRAGMA application_id` says: `omsV`.
const APPLICATION_ID: i64 = 0x6F6D_7356;

const TABLES: &str = include_str!("../../migrations/0001_views.sql");

/// How long a connection waits for a lock. There is one writer, so only a person's tools can hold one.
const LOCK_WAIT: Duration = Duration::from_secs(5);
/// Prepared statements kept by a connection.
const STATEMENTS: usize = 64;

/// Where the views stand, and after which batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) last_seq: Seq,
    pub(super) command_id: CommandId,
    pub(super) time: Time,
}

/// Opens the file for writing, makes the tables where there are none, and says where it stands.
pub(super) fn open_writer(path: &Path) -> Result<(Connection, Position), ViewError> {
    let (mark, boot) = (Mark::of(path), Boot::current());
    match mark.left(boot.as_ref()).during("read the mark of the views")? {
        Left::Synced => (),
        // Whatever the disk refused since nobody listened shows itself now.
        Left::ThisBoot => mark.sync(&files(path)).map_err(|error| ViewError::Unsynced { reason: error.to_string() })?,
        Left::Unknown => return Err(ViewError::Unsynced { reason: "the system went down while they were written".to_owned() }),
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut conn = Connection::open_with_flags(path, flags).during("open the views")?;
    conn.busy_timeout(LOCK_WAIT).during("set the lock wait")?;
    let is_new = check(&conn, path)?;
    if let Some(boot) = &boot {
        mark.set(boot).during("mark the views as not synced")?;
    }
    tune_writer(&conn, boot.is_some())?;
    if is_new {
        create(&mut conn)?;
    }
    let position = position(&conn)?;
    Ok((conn, position))
}

/// Opens the file for reading; the writer has made it before.
pub(super) fn open_reader(path: &Path) -> Result<Connection, ViewError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).during("open the views for reading")?;
    conn.busy_timeout(LOCK_WAIT).during("set the lock wait")?;
    conn.execute_batch("PRAGMA query_only = 1; PRAGMA cache_size = -16384; PRAGMA mmap_size = 268435456; PRAGMA temp_store = MEMORY;")
        .during("tune a reader")?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(conn)
}

/// Whether the file is new. Refuses what is not ours or not of this version.
fn check(conn: &Connection, path: &Path) -> Result<bool, ViewError> {
    let pragma = |name| conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).during("recognise the views");
    let (application, version) = (pragma("application_id")?, pragma("user_version")?);
    if application == APPLICATION_ID {
        return if version == SCHEMA_VERSION { Ok(false) } else { Err(ViewError::Schema { expected: SCHEMA_VERSION, found: version }) };
    }
    let objects: i64 = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).during("recognise the views")?;
    if application == 0 && version == 0 && objects == 0 {
        return Ok(true);
    }
    Err(ViewError::Foreign { path: path.display().to_string(), found: application })
}

/// SQLite looks through all cached pages at every commit that moved one, so the writer keeps few; others are mapped.
///
/// Views that are marked are never synced while they are written: the syncs of a checkpoint would hold up those of the log.
/// Where there can be no mark, a checkpoint syncs: after a power loss the views may have gone back to an earlier commit,
/// never to a mixture, and the follower folds the rest again from the log.
fn tune_writer(conn: &Connection, marked: bool) -> Result<(), ViewError> {
    let synchronous = if marked { "OFF" } else { "NORMAL" };
    conn.execute_batch(&format!(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous}; PRAGMA cache_size = -16384; PRAGMA mmap_size = 268435456;
         PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 8192; PRAGMA journal_size_limit = 67108864;",
    ))
    .during("tune the writer")?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}

fn create(conn: &mut Connection) -> Result<(), ViewError> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).during("make the tables")?;
    tx.execute_batch(TABLES).during("make the tables")?;
    tx.pragma_update(None, "application_id", APPLICATION_ID).during("make the tables")?;
    tx.pragma_update(None, "user_version", SCHEMA_VERSION).during("make the tables")?;
    tx.execute("INSERT INTO log_position (id, last_seq, command_id, time) VALUES (1, 0, zeroblob(16), 0)", []).during("make the tables")?;
    tx.commit().during("make the tables")
}

/// Where the views stand, as this connection sees them now.
pub(super) fn position(conn: &Connection) -> Result<Position, ViewError> {
    let mut statement =
        conn.prepare_cached("SELECT last_seq, command_id, time FROM log_position WHERE id = 1").during("read the position")?;
    let found = statement
        .query_row([], |row| {
            Ok(Position {
                last_seq: sortable::to_seq(row.get(0)?),
                command_id: CommandId::from_u128(u128::from_be_bytes(row.get(1)?)),
                time: Time(row.get(2)?),
            })
        })
        .optional()
        .during("read the position")?;
    found.ok_or_else(|| ViewError::damaged("read the position", "there is none"))
}

/// Stores where the views stand; part of the transaction that brought them there.
pub(super) fn set_position(conn: &Connection, position: &Position) -> Result<(), ViewError> {
    let mut statement = conn
        .prepare_cached("UPDATE log_position SET last_seq = ?1, command_id = ?2, time = ?3 WHERE id = 1")
        .during("store the position")?;
    let Position { last_seq, command_id, time } = *position;
    let changed =
        statement.execute(params![sortable::seq(last_seq), command_id.as_u128().to_be_bytes(), time.0]).during("store the position")?;
    if changed == 1 { Ok(()) } else { Err(ViewError::damaged("store the position", "there is none")) }
}

/// Deletes the file and what SQLite keeps beside it. A database of another program stays.
pub(super) fn delete(path: &Path) -> Result<(), ViewError> {
    if path.exists() {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags(path, flags).during("open the views");
        match opened.and_then(|conn| check(&conn, path)) {
            Ok(_) | Err(ViewError::Damaged { .. } | ViewError::Schema { .. }) => (),
            Err(refused) => return Err(refused),
        }
    }
    for file in files(path) {
        match fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error).during("delete the views"),
            _ => (),
        }
    }
    unmark(path)
}

/// Syncs the file, which no connection writes any more, and takes its mark away.
pub(super) fn unmark(path: &Path) -> Result<(), ViewError> {
    let mark = Mark::of(path);
    mark.sync(&files(path)).and_then(|()| mark.clear()).during("sync the views")
}

/// What SQLite keeps. The database comes last: a write-ahead log without its database is ignored, one beside a new
/// database is not.
fn files(path: &Path) -> [PathBuf; 3] {
    [beside(path, "-wal"), beside(path, "-shm"), path.to_owned()]
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}
