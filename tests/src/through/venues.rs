//! A venue in a process of its own: `oms sim fix` with one paper venue.

use crate::fix::free_address;
use crate::server::binary;
use oms_fix::codec::scan::{View, scan};
use oms_fix::dictionary::fix44;
use oms_fix::session::config::SessionId;
use oms_fix::store::{Direction, JournalStore};
use oms_store::EmbeddedJournal;
use oms_venues::paper::ledger::{LedgerRecord, read_ledger};
use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The process.
pub struct Sim {
    /// The venue.
    pub mic: String,
    child: Child,
    address: String,
    data: PathBuf,
}

impl Sim {
    /// Starts it in a folder of its own below `dir`, and waits until it is open.
    pub fn start(dir: &Path, mic: &str) -> Self {
        let (address, data) = (free_address().to_string(), dir.join(mic));
        let mut command = Command::new(binary());
        command.args(["sim", "fix", "--venue", mic, "--speed", "1x", "--listen", &address, "--data"]).arg(&data);
        command.env_remove("OMS_CONFIG").env("OMS_LOG_FILTER", "error").stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("market    recorded")), "{mic} does not open");
        Self { mic: mic.to_owned(), child, address, data }
    }

    /// The settings of a desk that trades there.
    pub fn settings(&self) -> String {
        let Self { mic, address, .. } = self;
        let dialect = "dialect = \"mass_status yes\"";
        format!("[[fix.venues]]\nvenue = \"{mic}\"\nendpoints = [\"{address}\"]\ncomp_id = \"{mic}\"\nheartbeat_s = 5\n{dialect}\n")
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to stop, which must be in good order. Answers its folder.
    pub fn stop(mut self) -> PathBuf {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.id()).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{}: {status}", self.mic);
        self.data.clone()
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        // A run that failed leaves no process behind.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// What a venue has in the end.
#[derive(Debug, Default)]
pub struct Books {
    /// What was executed of each order, by its ClOrdID(11).
    pub orders: HashMap<String, i64>,
    /// Executions.
    pub executions: usize,
    /// When each order came, in nanoseconds since 1970, by its ClOrdID(11).
    pub came: HashMap<String, i64>,
}

/// Reads the ledger and the messages of a venue that has stopped.
///
/// # Panics
/// Where one of them is damaged, or something came there twice.
pub fn read(mic: &str, data: &Path) -> Books {
    let mut books = Books::default();
    let ledger = read_ledger(&data.join("venues").join(format!("{mic}.ledger"))).unwrap();
    let mut names: HashMap<u64, String> = HashMap::new();
    for record in ledger {
        match record {
            LedgerRecord::Accepted { number, order, .. } | LedgerRecord::Rejected { number, order, .. } => {
                let name = order.wire_id.to_string();
                assert!(books.orders.insert(name.clone(), 0).is_none(), "{mic}: the order {name} came twice");
                names.insert(number, name);
            }
            LedgerRecord::Filled { number, fill, .. } => {
                books.executions += 1;
                *books.orders.get_mut(&names[&number]).unwrap() += fill.last_qty.to_string().parse::<i64>().unwrap();
            }
            LedgerRecord::Duplicate { wire_id, kind, .. } => panic!("{mic}: {kind:?} {wire_id} came twice"),
            LedgerRecord::Canceled { .. }
            | LedgerRecord::Replaced { .. }
            | LedgerRecord::RequestRejected { .. }
            | LedgerRecord::Elected { .. }
            | LedgerRecord::Expired { .. } => (),
        }
    }
    let journal = EmbeddedJournal::open_dir(&data.join("fix"), oms_store::Config::default()).unwrap();
    let store = JournalStore::open(Box::new(journal)).unwrap();
    let mut spans = Vec::new();
    let read = store.messages(&SessionId::fix44(mic, "OMS"), |message, _| {
        if message.direction == Direction::In && scan(message.bytes, fix44(), usize::MAX, &mut spans).is_ok() {
            let view = View::new(message.bytes, &spans);
            if view.msg_type() == b"D" {
                let name = String::from_utf8_lossy(view.get(11).unwrap_or_default()).into_owned();
                let came = message.received_at.expect("when it came");
                assert!(books.came.insert(name.clone(), came).is_none(), "{mic}: the order {name} was taken twice");
            }
        }
        ControlFlow::Continue(())
    });
    read.unwrap();
    books
}
