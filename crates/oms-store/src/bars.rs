//! Bars of the market, kept over restarts in a SQLite file of their own.
//!
//! They are for people to look at: no log has them, and nothing is decided by them. A file that cannot be read is deleted, and
//! bars begin anew. What was written is there after a crash; the seconds since the last write are not.

use std::io;
use std::path::Path;

use oms_model::{InstrumentId, Price, Qty, Time};
use rusqlite::{Connection, ErrorCode, params};

/// What `PRAGMA application_id` says: `omsB`.
const APPLICATION_ID: i64 = 0x6f6d_7342;
/// What `PRAGMA user_version` says.
const VERSION: i64 = 1;

/// A bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptBar {
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// How long it is, minutes.
    pub minutes: u32,
    /// When it began.
    pub at: Time,
    /// First, highest, lowest and last price.
    pub prices: [Price; 4],
    /// What was traded.
    pub volume: Qty,
}

/// Why bars cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum BarError {
    /// The database.
    #[error("the bars: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A damaged file that cannot be deleted.
    #[error("the bars: {0}")]
    Io(#[from] io::Error),
    /// The file belongs to another program, or to a newer one of this name.
    #[error("the file of the bars is none of this program's")]
    Foreign,
}

/// The file.
#[derive(Debug)]
pub struct BarStore {
    conn: Connection,
}

impl BarStore {
    /// Opens it, or makes an empty one where there is none or it is damaged.
    ///
    /// # Errors
    /// [`BarError`].
    pub fn open(path: &Path) -> Result<Self, BarError> {
        match Self::connect(path) {
            Err(BarError::Sqlite(error)) if is_damage(&error) => {
                for end in ["", "-wal", "-shm"] {
                    let mut name = path.as_os_str().to_owned();
                    name.push(end);
                    match std::fs::remove_file(&name) {
                        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                        _ => (),
                    }
                }
                Self::connect(path)
            }
            other => other,
        }
    }

    fn connect(path: &Path) -> Result<Self, BarError> {
        let conn = Connection::open(path)?;
        let pragma = |name| conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        match (pragma("application_id")?, pragma("user_version")?) {
            (APPLICATION_ID, VERSION) => (),
            (0, 0) if conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))? == 0 => (),
            _ => return Err(BarError::Foreign),
        }
        // A crash of the system takes what was written last; it damages nothing.
        conn.execute_batch(&format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 16777216; BEGIN;
             PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION};
             CREATE TABLE IF NOT EXISTS bars (instrument INTEGER, minutes INTEGER, at INTEGER, open INTEGER, high INTEGER, low INTEGER,
                 close INTEGER, volume TEXT, PRIMARY KEY (instrument, minutes, at)) WITHOUT ROWID, STRICT;
             COMMIT;"
        ))?;
        Ok(Self { conn })
    }

    /// Visits every bar: by instrument and length, oldest first.
    ///
    /// # Errors
    /// [`BarError`].
    pub fn all(&self, visit: &mut dyn FnMut(KeptBar)) -> Result<(), BarError> {
        let text = "SELECT instrument, minutes, at, open, high, low, close, volume FROM bars ORDER BY instrument, minutes, at";
        let mut statement = self.conn.prepare(text)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let price = |at| row.get::<_, i64>(at).map(Price::from_raw);
            // A volume that is none is of a bar that this program did not write.
            let Ok(volume) = row.get_ref(7)?.as_str().unwrap_or_default().parse::<Qty>() else { continue };
            visit(KeptBar {
                instrument: InstrumentId(row.get(0)?),
                minutes: row.get(1)?,
                at: Time(row.get(2)?),
                prices: [price(3)?, price(4)?, price(5)?, price(6)?],
                volume,
            });
        }
        Ok(())
    }

    /// Writes bars, over those of the same time, and keeps of each instrument and length the newest, so many at most.
    ///
    /// # Errors
    /// [`BarError`]: then none of them is written.
    pub fn save(&mut self, bars: &[KeptBar], most: usize) -> Result<(), BarError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let tx = self.conn.transaction()?;
        {
            let mut put = tx.prepare_cached("INSERT OR REPLACE INTO bars VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?;
            let mut forget = tx.prepare_cached(
                "DELETE FROM bars WHERE instrument = ?1 AND minutes = ?2 AND at <=
                 (SELECT at FROM bars WHERE instrument = ?1 AND minutes = ?2 ORDER BY at DESC LIMIT 1 OFFSET ?3)",
            )?;
            for bar in bars {
                let [open, high, low, close] = bar.prices.map(Price::raw);
                let volume = bar.volume.to_string();
                put.execute(params![bar.instrument.0, bar.minutes, bar.at.0, open, high, low, close, volume])?;
            }
            let mut touched: Vec<(u32, u32)> = bars.iter().map(|bar| (bar.instrument.0, bar.minutes)).collect();
            touched.sort_unstable();
            touched.dedup();
            for (instrument, minutes) in touched {
                forget.execute(params![instrument, minutes, most])?;
            }
        }
        Ok(tx.commit()?)
    }
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(instrument: u32, minutes: u32, at: i64, close: i64) -> KeptBar {
        let price = |raw| Price::from_raw(raw);
        let volume = "12.5".parse().unwrap();
        KeptBar {
            instrument: InstrumentId(instrument),
            minutes,
            at: Time(at),
            prices: [price(1), price(9), price(-1), price(close)],
            volume,
        }
    }

    fn all(store: &BarStore) -> Vec<KeptBar> {
        let mut all = Vec::new();
        store.all(&mut |bar| all.push(bar)).unwrap();
        all
    }

    /// A path of its own that is gone afterwards.
    struct Home(std::path::PathBuf);

    impl Home {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("oms-bars-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }
        fn file(&self) -> std::path::PathBuf {
            self.0.join("bars.sqlite")
        }
    }

    impl Drop for Home {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn bars_are_there_again_and_the_oldest_go() {
        let home = Home::new("again");
        let mut store = BarStore::open(&home.file()).unwrap();
        store.save(&[bar(2, 1, 10, 5), bar(1, 5, 10, 5), bar(1, 1, 20, 5)], 3).unwrap();
        store.save(&[bar(1, 1, 20, 7), bar(1, 1, 30, 5), bar(1, 1, 40, 5), bar(1, 1, 50, 5)], 3).unwrap();
        drop(store);
        let store = BarStore::open(&home.file()).unwrap();
        assert_eq!(all(&store), [bar(1, 1, 30, 5), bar(1, 1, 40, 5), bar(1, 1, 50, 5), bar(1, 5, 10, 5), bar(2, 1, 10, 5)]);
    }

    #[test]
    fn a_bar_takes_the_place_of_itself() {
        let home = Home::new("itself");
        let mut store = BarStore::open(&home.file()).unwrap();
        store.save(&[bar(1, 1, 20, 5)], 3).unwrap();
        store.save(&[bar(1, 1, 20, 7)], 3).unwrap();
        assert_eq!(all(&store), [bar(1, 1, 20, 7)]);
    }

    #[test]
    fn a_damaged_file_begins_anew_and_one_of_others_is_left_alone() {
        let home = Home::new("damaged");
        std::fs::write(home.file(), vec![7_u8; 8_192]).unwrap();
        assert_eq!(all(&BarStore::open(&home.file()).unwrap()), []);
        let other = home.0.join("other.sqlite");
        Connection::open(&other).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
        assert!(matches!(BarStore::open(&other), Err(BarError::Foreign)));
        assert!(Connection::open(&other).unwrap().prepare("SELECT x FROM theirs").is_ok());
    }
}
