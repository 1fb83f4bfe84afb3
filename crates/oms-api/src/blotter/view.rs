//! One view: the window that its client sees, and what it is told of it.

use super::book::{Book, Ranked};
use super::column::cell;
use super::shape::Shape;
use crate::json::Writer;
use oms_model::Seq;
use oms_rank::{Changes, Line, changes};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a view may be told each second, in the mean.
const BYTES_PER_SECOND: u64 = 100_000;
/// And at once, after a time without changes.
const BURST: i64 = 64 * 1024;
/// The numbers of the heads of groups lie above those of rows.
const HEADS: u32 = 1 << 31;
/// A client is told how far its view has come so often, also where nothing in it changed.
const PULSE: Duration = Duration::from_secs(1);

/// Which part of a view its client sees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Window {
    /// The first line, from 0.
    pub(crate) offset: usize,
    /// How many.
    pub(crate) size: usize,
    /// The groups that are closed, by what their field shows.
    pub(crate) collapse: BTreeSet<String>,
}

/// What a view shows, and how often.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(super) shape: Arc<Shape>,
    pub(super) columns: Vec<&'static str>,
    pub(super) window: Window,
    /// The shortest time between two frames.
    pub(super) pace: Duration,
}

/// The cells of a row as they were told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Cells {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl Cells {
    fn get(&self, at: usize) -> &[u8] {
        let end = |at: usize| self.ends.get(at).map_or(0, |end| *end as usize);
        let from = if at == 0 { 0 } else { end(at - 1) };
        self.bytes.get(from..end(at)).unwrap_or_default()
    }
}

/// The head of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Head {
    /// The JSON value of its field.
    value: Vec<u8>,
    count: usize,
    open: bool,
}

/// What a client knows.
#[derive(Debug, Default)]
struct Told {
    lines: Vec<Line<Seq>>,
    cells: BTreeMap<u32, Arc<Cells>>,
    heads: BTreeMap<u32, Head>,
    total: usize,
    height: usize,
    offset: usize,
    seq: Seq,
    /// Whether it was told anything.
    begun: bool,
}

/// The lines of a window.
struct Seen {
    lines: Vec<Line<Seq>>,
    heads: BTreeMap<u32, Head>,
    total: usize,
    height: usize,
}

/// A view of one connection.
pub(super) struct View {
    pub(super) number: u32,
    pub(super) asked: Asked,
    told: Told,
    /// What was made and not taken yet.
    offered: Option<(Told, i64)>,
    /// Whether its client waits for an answer to something that it did.
    urgent: bool,
    /// Whether rows of its index changed since it was last looked at.
    behind: bool,
    allowance: i64,
    counted: Instant,
    next: Instant,
    pulse: Instant,
}

impl View {
    pub(super) fn new(number: u32, asked: Asked, now: Instant) -> Self {
        let told = Told::default();
        Self { number, asked, told, offered: None, urgent: true, behind: false, allowance: BURST, counted: now, next: now, pulse: now }
    }

    /// The client wants to see another part.
    pub(super) fn turn_to(&mut self, window: Window) {
        self.asked.window = window;
        self.urgent = true;
    }

    /// The client has what was offered.
    pub(super) fn taken(&mut self) {
        if let Some((told, _)) = self.offered.take() {
            self.told = told;
        }
    }

    /// Whether a frame may be made now.
    fn is_due(&mut self, now: Instant) -> bool {
        let since = now.saturating_duration_since(self.counted);
        let earned = u64::try_from(since.as_micros()).unwrap_or(u64::MAX).saturating_mul(BYTES_PER_SECOND) / 1_000_000;
        if earned > 0 {
            self.allowance = self.allowance.saturating_add(earned.try_into().unwrap_or(i64::MAX)).min(BURST);
            self.counted = now;
        }
        self.urgent || (now >= self.next && self.allowance > 0)
    }

    /// The frame that brings the client to the present; `None` where it knows it, or is not to be told yet. One that was
    /// offered and not taken is replaced by it: the newest wins.
    pub(super) fn frame(&mut self, book: &Book, now: Instant) -> Option<Vec<u8>> {
        let ranked = book.ranked(&self.asked.shape.name)?;
        self.behind |= ranked.changed;
        let pulse = now >= self.pulse && book.seq() > self.told.seq;
        if !(self.behind || self.urgent || pulse) || !self.is_due(now) {
            return None;
        }
        (self.behind, self.urgent) = (false, false);
        let seen = self.look(book, ranked);
        let (message, told) = self.tell(book, seen, pulse)?;
        if let Some((_, size)) = self.offered.take() {
            self.allowance = self.allowance.saturating_add(size);
        }
        let size = i64::try_from(message.len()).unwrap_or(i64::MAX);
        self.allowance = self.allowance.saturating_sub(size).max(-BURST);
        self.offered = Some((told, size));
        self.next = now + self.asked.pace;
        self.pulse = now + PULSE;
        Some(message)
    }

    /// The lines of the window as they are now.
    fn look(&self, book: &Book, ranked: &Ranked) -> Seen {
        let Window { offset, size, .. } = self.asked.window;
        let total = ranked.index.len();
        let mut seen = Seen { lines: Vec::with_capacity(size), heads: BTreeMap::new(), total, height: total };
        let line = |row: u32| Line { id: row, shown: book.row(row).map(|row| row.last_seq).unwrap_or_default() };
        if ranked.shape.group.is_none() {
            seen.lines.extend(ranked.index.rows_from(offset).take(size).map(line));
            return seen;
        }
        let window = offset..offset.saturating_add(size);
        let (mut at, mut rank) = (0, 0);
        for (number, count) in (0_u32..).zip(ranked.groups.values()) {
            let head = self.head(book, ranked, rank, *count);
            let rows = if head.open { *count } else { 0 };
            if window.contains(&at) {
                let id = HEADS | number;
                seen.lines.push(Line { id, shown: Seq(0) });
                seen.heads.insert(id, head);
            }
            let inside = overlap(&window, at + 1..at + 1 + rows);
            let skipped = inside.start.saturating_sub(at + 1);
            seen.lines.extend(ranked.index.rows_from(rank + skipped).take(inside.len()).map(line));
            (at, rank) = (at + 1 + rows, rank + count);
        }
        seen.height = at;
        seen
    }

    fn head(&self, book: &Book, ranked: &Ranked, rank: usize, count: usize) -> Head {
        let mut value = Vec::with_capacity(16);
        if let (Some(field), Some(row)) = (ranked.shape.group, ranked.index.rows_from(rank).next().and_then(|row| book.row(row))) {
            cell(&mut value, row, field, book.symbols());
        }
        let text = std::str::from_utf8(&value).unwrap_or_default().trim_matches('"');
        let open = !self.asked.window.collapse.contains(if text == "null" { "" } else { text });
        Head { value, count, open }
    }

    fn cells(&self, book: &Book, row: u32) -> Cells {
        let mut cells =
            Cells { bytes: Vec::with_capacity(16 * self.asked.columns.len()), ends: Vec::with_capacity(self.asked.columns.len()) };
        if let Some(row) = book.row(row) {
            for column in &self.asked.columns {
                cell(&mut cells.bytes, row, column, book.symbols());
                cells.ends.push(u32::try_from(cells.bytes.len()).unwrap_or(u32::MAX));
            }
        }
        cells
    }

    /// What has to be said so that whoever knows what was told knows what is seen.
    fn tell(&self, book: &Book, seen: Seen, pulse: bool) -> Option<(Vec<u8>, Told)> {
        let before = &self.told;
        let found = changes(&before.lines, &seen.lines);
        let offset = self.asked.window.offset;
        let regrouped = seen.heads != before.heads;
        let counted = (seen.total, seen.height, offset) != (before.total, before.height, before.offset);
        // A frame that waits says what is no more, where all is again as it was told.
        if found.is_none() && !regrouped && !counted && before.begun && !pulse && self.offered.is_none() {
            return None;
        }
        let mut cells: BTreeMap<u32, Arc<Cells>> = BTreeMap::new();
        // Both are in the order of places.
        let is_other = |at| found.entered.binary_search(&at).is_ok() || found.changed.binary_search_by_key(&at, |(at, _)| *at).is_ok();
        for (at, line) in seen.lines.iter().enumerate().filter(|(_, line)| line.id < HEADS) {
            // What did not change is not written again.
            let known = before.cells.get(&line.id).filter(|_| !is_other(at));
            cells.insert(line.id, known.cloned().unwrap_or_else(|| Arc::new(self.cells(book, line.id))));
        }
        let told = Told {
            lines: seen.lines,
            cells,
            heads: seen.heads,
            total: seen.total,
            height: seen.height,
            offset,
            seq: book.seq(),
            begun: true,
        };
        let order = found.order.is_some() || regrouped || !before.begun;
        let message = self.write(&told, &found, order, book.is_cut());
        Some((message, told))
    }

    fn write(&self, told: &Told, found: &Changes, order: bool, cut: bool) -> Vec<u8> {
        let columns = self.asked.columns.len();
        let mut w = Writer::with_capacity(256 + 8 * told.lines.len() + 32 * columns * found.entered.len());
        w.object(|w| {
            w.number("subscription", self.number);
            w.string("type", if self.told.begun { "delta" } else { "snapshot" });
            w.number("sequence", told.seq.0);
            w.number("total", told.total as u64);
            w.number("lines", told.height as u64);
            w.number("offset", told.offset as u64);
            w.bool("whole", !cut);
            if order {
                w.raw("order", &written_order(told));
            }
            let row = |at: &usize| told.lines.get(*at).filter(|line| line.id < HEADS);
            let entered: Vec<u32> = found.entered.iter().filter_map(row).map(|line| line.id).collect();
            if !entered.is_empty() {
                w.raw("rows", &list(&entered, |out, id| whole(out, *id, told, columns)));
            }
            let changed: Vec<u32> = found.changed.iter().filter_map(|(at, _)| row(at)).map(|line| line.id).collect();
            if !changed.is_empty() {
                w.raw("cells", &list(&changed, |out, id| partly(out, *id, told, &self.told, columns)));
            }
        });
        w.finish()
    }
}

fn overlap(a: &Range<usize>, b: Range<usize>) -> Range<usize> {
    let (start, end) = (a.start.max(b.start), a.end.min(b.end));
    start..end.max(start)
}

fn list<T>(items: &[T], mut each: impl FnMut(&mut Vec<u8>, &T)) -> Vec<u8> {
    let mut out = vec![b'['];
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        each(&mut out, item);
    }
    out.push(b']');
    out
}

/// The lines of the window from the first to the last: the numbers of rows, and heads of groups.
fn written_order(told: &Told) -> Vec<u8> {
    list(&told.lines, |out, line| match told.heads.get(&line.id) {
        None => out.extend_from_slice(line.id.to_string().as_bytes()),
        Some(head) => {
            out.extend_from_slice(b"{\"group\":");
            out.extend_from_slice(&head.value);
            out.extend_from_slice(format!(",\"count\":{},\"open\":{}}}", head.count, head.open).as_bytes());
        }
    })
}

/// `[row, cell, cell, ...]`.
fn whole(out: &mut Vec<u8>, id: u32, told: &Told, columns: usize) {
    out.push(b'[');
    out.extend_from_slice(id.to_string().as_bytes());
    for at in 0..columns {
        out.push(b',');
        out.extend_from_slice(told.cells.get(&id).map_or(b"null", |cells| cells.get(at)));
    }
    out.push(b']');
}

/// `[row, column, cell, column, cell, ...]`: the cells that are others.
fn partly(out: &mut Vec<u8>, id: u32, told: &Told, before: &Told, columns: usize) {
    out.push(b'[');
    out.extend_from_slice(id.to_string().as_bytes());
    if let (Some(now), Some(known)) = (told.cells.get(&id), before.cells.get(&id)) {
        for at in (0..columns).filter(|at| now.get(*at) != known.get(*at)) {
            out.extend_from_slice(format!(",{at},").as_bytes());
            out.extend_from_slice(now.get(at));
        }
    }
    out.push(b']');
}
