//! Views of a tenant's orders for screens: the rows stand here, sorted and filtered, and a client is told what changes in
//! its window.
//!
//! - A view is state and no stream of events: what several events did to a row is told once, and a client that is slow is
//!   told less often, never more at once. Each frame says the sequence that it is the state at.
//! - Views that ask for the same rows in the same order share one rank index, which follows the log. Nothing is sorted
//!   again, and nothing asks SQLite, once a view is open.
//! - The rows are read from the views' store when the first view opens, and let go a while after the last one closes.
//!   One thread does all of it; connections take finished frames, one at a time.

mod book;
mod column;
mod doubts;
mod follow;
mod shape;
mod view;

use oms_model::{Code, Refusal};
use oms_runtime::feed::Feed;
use oms_store::views::{Filter, ViewReader};
use shape::Shape;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
pub(crate) use view::{Asked, Window};

/// Lines of a window at most.
pub(crate) const MAX_WINDOW: usize = 500;
/// Frames of a view in a second at most, which is also what it has where nothing is said.
pub(crate) const MAX_HZ: u32 = 25;
/// Groups that a client may have closed at most.
pub(crate) const MAX_COLLAPSED: usize = 1_000;

/// Bounds of the views of one tenant.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// The most orders that views are made of: all that work, and of the others the youngest. Some 600 bytes each.
    pub max_rows: usize,
    /// The most distinct filters with an order. Each costs some 27 bytes for every order that it takes.
    pub max_indexes: usize,
    /// The most views.
    pub max_views: usize,
    /// How long the rows are kept after the last view was closed.
    pub linger: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { max_rows: 2_000_000, max_indexes: 64, max_views: 2_048, linger: Duration::from_secs(60) }
    }
}

/// Where a connection finds what it is to tell its client.
#[derive(Default)]
struct Mailbox {
    frame: Mutex<Option<Vec<u8>>>,
    arrived: Notify,
    window: Mutex<Option<Window>>,
    closed: AtomicBool,
    failed: AtomicBool,
}

/// A view that wants to be opened.
struct Opening {
    number: u32,
    asked: Asked,
    mailbox: Arc<Mailbox>,
}

/// What connections and the thread share.
#[derive(Default)]
struct Hall {
    /// Whether the thread runs.
    served: bool,
    openings: Vec<Opening>,
    /// How many views have each shape.
    shapes: BTreeMap<String, usize>,
    views: usize,
    /// Whether somebody waits for the thread.
    rung: bool,
}

struct Shared {
    feed: Feed,
    store: ViewReader,
    bounds: Bounds,
    hall: Mutex<Hall>,
    bell: Condvar,
    rows: AtomicUsize,
}

impl Shared {
    fn hall(&self) -> MutexGuard<'_, Hall> {
        // Every change is made whole before the lock is released.
        self.hall.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ring(&self) {
        self.hall().rung = true;
        self.bell.notify_one();
    }

    /// Waits until `until`, or until somebody rings.
    fn rest(&self, until: Instant) -> Vec<Opening> {
        let left = until.saturating_duration_since(Instant::now());
        let waited = self.bell.wait_timeout_while(self.hall(), left, |hall| !hall.rung);
        let mut hall = waited.unwrap_or_else(PoisonError::into_inner).0;
        hall.rung = false;
        std::mem::take(&mut hall.openings)
    }

    /// A view is gone. Whether nobody has its shape any more.
    fn leave(&self, shape: &str) -> bool {
        let mut hall = self.hall();
        hall.views = hall.views.saturating_sub(1);
        let Some(count) = hall.shapes.get_mut(shape) else { return true };
        *count = count.saturating_sub(1);
        let last = *count == 0;
        if last {
            hall.shapes.remove(shape);
        }
        last
    }
}

/// The views of one tenant.
pub(crate) struct Blotter {
    shared: Arc<Shared>,
}

impl Blotter {
    /// Nothing is read before a view is opened.
    pub(crate) fn new(feed: Feed, store: ViewReader, bounds: Bounds) -> Self {
        let (hall, rows) = (Mutex::default(), AtomicUsize::new(0));
        Self { shared: Arc::new(Shared { feed, store, bounds, hall, bell: Condvar::new(), rows }) }
    }

    /// Views, indexes and rows at this moment.
    pub(crate) fn sizes(&self) -> (usize, usize, usize) {
        let hall = self.shared.hall();
        (hall.views, hall.shapes.len(), self.shared.rows.load(Ordering::Relaxed))
    }

    /// Opens a view: its frames come once the rows are there.
    ///
    /// # Errors
    /// `OVERLOADED` where there are too many views, or too many that ask for different things.
    pub(crate) fn open(&self, number: u32, asked: Asked) -> Result<Viewer, Refusal> {
        let Bounds { max_indexes, max_views, .. } = self.shared.bounds;
        let mailbox = Arc::new(Mailbox::default());
        let mut hall = self.shared.hall();
        if hall.views >= max_views {
            return Err(Refusal::new(Code::Overloaded, format!("there are {max_views} views, which is the most")));
        }
        let shape = asked.shape.name.clone();
        if hall.shapes.len() >= max_indexes && !hall.shapes.contains_key(&shape) {
            let words = format!("the views that are open have {max_indexes} distinct filters and orders, which is the most");
            return Err(Refusal::new(Code::Overloaded, words).with("most", max_indexes));
        }
        if !hall.served {
            let shared = self.shared.clone();
            let thread = std::thread::Builder::new().name("oms-blotter".to_owned()).spawn(move || follow::run(&shared));
            thread.map_err(|error| Refusal::new(Code::Overloaded, format!("no thread for the views: {error}")))?;
            hall.served = true;
        }
        *hall.shapes.entry(shape).or_default() += 1;
        hall.views += 1;
        hall.openings.push(Opening { number, asked, mailbox: mailbox.clone() });
        hall.rung = true;
        drop(hall);
        self.shared.bell.notify_one();
        Ok(Viewer { shared: self.shared.clone(), mailbox })
    }
}

impl Asked {
    /// What these filters, words, order, group and columns mean.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` naming what is wrong.
    pub(crate) fn of(
        (filters, search): (&[Filter], &[String]),
        (sort, group): (&str, Option<&str>),
        columns: &[String],
        window: Window,
        max_hz: u32,
    ) -> Result<Self, Refusal> {
        let unknown = |name: &String| {
            let words = format!("columns: there is no field {name:?}; there are {}", column::all_shown());
            Refusal::new(Code::ValidationError, words).with("field", "columns")
        };
        let columns = columns.iter().map(|name| column::shown(name).ok_or_else(|| unknown(name))).collect::<Result<_, _>>()?;
        let shape = Arc::new(Shape::of(filters, search, sort, group)?);
        Ok(Self { shape, columns, window, pace: Duration::from_millis(1_000 / u64::from(max_hz.clamp(1, MAX_HZ))) })
    }
}

/// A view that is open, as its connection holds it. It closes when dropped.
pub(crate) struct Viewer {
    shared: Arc<Shared>,
    mailbox: Arc<Mailbox>,
}

impl Viewer {
    /// Waits until there may be a frame.
    pub(crate) async fn changed(&self) {
        self.mailbox.arrived.notified().await;
    }

    /// The frame that waits.
    ///
    /// # Errors
    /// `INTERNAL` where no more will come.
    pub(crate) fn take(&self) -> Result<Option<Vec<u8>>, Refusal> {
        if self.mailbox.failed.load(Ordering::Acquire) {
            return Err(Refusal::new(Code::Internal, "the orders cannot be followed"));
        }
        Ok(self.mailbox.frame.lock().unwrap_or_else(PoisonError::into_inner).take())
    }

    /// Shows another part.
    pub(crate) fn turn_to(&self, window: Window) {
        *self.mailbox.window.lock().unwrap_or_else(PoisonError::into_inner) = Some(window);
        self.shared.ring();
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.mailbox.closed.store(true, Ordering::Release);
        self.shared.ring();
    }
}
