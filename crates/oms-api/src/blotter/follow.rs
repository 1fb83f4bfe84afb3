//! The thread of the views: reads the orders, follows the log, and makes frames.

use super::book::Book;
use super::column::Symbols;
use super::view::View;
use super::{Mailbox, Opening, Shared};
use oms_model::Seq;
use oms_model::command::OrderRef;
use oms_runtime::feed::{FeedError, Follower};
use oms_store::views::ViewError;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// From one turn to the next, while there are views.
const TURN: Duration = Duration::from_millis(40);
/// And while there are none.
const IDLE: Duration = Duration::from_secs(1);
/// Orders read from the store at a time: each read is short, since its connections are few.
const PAGE: u32 = 4_096;
/// Batches that one turn follows at most; a log that is far ahead is caught up with in several.
const MAX_BATCHES: usize = 16_384;
/// Rows that a new index takes in before the clock is looked at: some milliseconds.
const PIECE: usize = 16_384;
/// How often a store that is busy is asked again.
const TRIES: u32 = 20;

#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Store(#[from] ViewError),
    #[error(transparent)]
    Feed(#[from] FeedError),
}

/// Serves the views until there have been none for a while.
pub(super) fn run(shared: &Shared) {
    let mut open: Vec<(View, Arc<Mailbox>)> = Vec::new();
    // What fails here ends the views, whose clients are told; the desk goes on. The rows that it leaves are dropped.
    let failed = match catch_unwind(AssertUnwindSafe(|| serve(shared, &mut open))) {
        Ok(Ok(())) => false,
        Ok(Err(error)) => {
            tracing::error!(%error, "the views of orders cannot go on");
            true
        }
        // The hook of panics has said what it was.
        Err(_) => true,
    };
    let mut hall = shared.hall();
    if failed {
        // Whoever opens a view from here on has the orders read again.
        let waiting = std::mem::take(&mut hall.openings).into_iter().map(|opening| opening.mailbox);
        for mailbox in open.into_iter().map(|(_, mailbox)| mailbox).chain(waiting) {
            mailbox.failed.store(true, Ordering::Release);
            mailbox.arrived.notify_one();
        }
        (hall.views, hall.served) = (0, false);
        hall.shapes.clear();
    }
    shared.rows.store(0, Ordering::Relaxed);
}

fn serve(shared: &Shared, open: &mut Vec<(View, Arc<Mailbox>)>) -> Result<(), Failed> {
    let (mut book, mut follower) = read(shared)?;
    let mut next = Instant::now();
    let mut used = Instant::now();
    loop {
        // While indexes are built nobody rests, though whoever rang is heard.
        let openings = shared.rest(if book.is_building() { Instant::now() } else { next });
        let now = Instant::now();
        if now >= next {
            next = now + if open.is_empty() { IDLE } else { TURN };
        }
        follow(shared, &mut book, &mut follower)?;
        book.settle();
        shared.rows.store(book.len(), Ordering::Relaxed);
        close(shared, &mut book, open);
        for Opening { number, asked, mailbox } in openings {
            let shape = asked.shape.clone();
            open.push((View::new(number, asked, now), mailbox));
            book.want(&shape);
            next = now + TURN;
        }
        for (view, mailbox) in open.iter_mut() {
            offer(view, mailbox, &book, now);
        }
        // After the frames of what is there. Who waited for an index that is whole is told at once, not after the others.
        while book.is_building() && Instant::now() < next && !book.build(PIECE) {}
        if !open.is_empty() {
            used = now;
        } else if now.saturating_duration_since(used) >= shared.bounds.linger {
            let mut hall = shared.hall();
            if hall.openings.is_empty() {
                // Under the lock: whoever opens a view now starts another thread.
                hall.served = false;
                return Ok(());
            }
        }
    }
}

/// Everything that is stored, and a follower of what is not in it.
fn read(shared: &Shared) -> Result<(Book, Follower), Failed> {
    let began = Instant::now();
    // What happens while the rest is read is followed from here on; each row says what it knows already.
    let (mut page, from) = patiently(|| shared.store.roots_before(Seq(u64::MAX), PAGE))?;
    // Read after it: a listing is either in them or followed.
    let symbols = Symbols::of(patiently(|| shared.store.symbols())?);
    let mut book = Book::new(symbols, from, shared.bounds.max_rows);
    let mut seq = from;
    loop {
        let whole = page.len() < PAGE as usize;
        let last = page.last().map(|(order, _)| order.created_seq);
        let room = page.into_iter().all(|(order, last_seq)| book.load(order, last_seq, seq));
        shared.rows.store(book.len(), Ordering::Relaxed);
        let Some(before) = last.filter(|_| room && !whole) else { break };
        (page, seq) = patiently(|| shared.store.roots_before(before, PAGE))?;
    }
    let (in_doubt, known) = patiently(|| shared.store.parts_in_doubt())?;
    book.load_doubts(&in_doubt, known);
    tracing::info!(orders = book.len(), took_ms = began.elapsed().as_millis(), "orders read for views");
    Ok((book, shared.feed.follow(from)))
}

/// Asks again where the store is too busy.
fn patiently<T>(ask: impl Fn() -> Result<T, ViewError>) -> Result<T, ViewError> {
    let mut tries = 0;
    loop {
        match ask() {
            Err(ViewError::Busy { .. }) if tries < TRIES => tries += 1,
            answer => return answer,
        }
    }
}

/// Takes in what has become durable.
fn follow(shared: &Shared, book: &mut Book, follower: &mut Follower) -> Result<(), Failed> {
    for _ in 0..MAX_BATCHES {
        let Some(batch) = follower.try_next()? else { break };
        book.apply(&batch);
        // Parts from before the orders were read. That they were stored by then is sure.
        for stranger in book.strangers() {
            let part = patiently(|| shared.store.order(&OrderRef::Id(stranger.part)))?;
            if let Some(part) = part {
                book.found(stranger, part.root_order_id);
            }
        }
    }
    Ok(())
}

/// Lets go of views whose connection has gone, and of indexes that nobody looks at.
fn close(shared: &Shared, book: &mut Book, open: &mut Vec<(View, Arc<Mailbox>)>) {
    open.retain(|(view, mailbox)| {
        if !mailbox.closed.load(Ordering::Acquire) {
            return true;
        }
        let shape = &view.asked.shape.name;
        if shared.leave(shape) {
            book.drop_index(shape);
        }
        false
    });
}

/// Puts the newest frame where the connection takes it.
fn offer(view: &mut View, mailbox: &Mailbox, book: &Book, now: Instant) {
    if let Some(window) = mailbox.window.lock().unwrap_or_else(PoisonError::into_inner).take() {
        view.turn_to(window);
    }
    // Held until the new frame is there: the connection takes the old one or the new one.
    let mut waiting = mailbox.frame.lock().unwrap_or_else(PoisonError::into_inner);
    if waiting.is_none() {
        view.taken();
    }
    if let Some(message) = view.frame(book, now) {
        *waiting = Some(message);
        mailbox.arrived.notify_one();
    }
}
