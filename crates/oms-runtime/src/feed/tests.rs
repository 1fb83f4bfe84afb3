use super::*;
use oms_model::event::{BrokerSession, Event};
use oms_model::{CommandId, Time};
use oms_store::{EntryRef, Journal, MemoryJournal};

fn batch(first: u64, events: usize) -> Batch {
    let event = Event::BrokerConnected(BrokerSession { venue: "XNAS".parse().unwrap(), reason: format!("{first}") });
    let command_id = CommandId::from_u128(first.into());
    Batch { first_seq: Seq(first), time: Time(1), command_id, events: vec![event; events], ..Batch::default() }
}

fn append(journal: &mut MemoryJournal, epoch: oms_store::Epoch, batch: &Batch) {
    let mut body = Vec::new();
    codec::encode_batch(batch, &mut body);
    let count = u32::try_from(batch.events.len()).unwrap();
    journal.append(epoch, &[EntryRef { first_seq: batch.first_seq.0, count, time_ns: 1, body: &body }]).unwrap();
}

#[test]
fn a_follower_reads_what_was_there_and_what_comes_without_a_gap() {
    let mut journal = MemoryJournal::new(0);
    let epoch = journal.claim().unwrap();
    for (first, events) in [(1, 3), (4, 1), (5, 2)] {
        append(&mut journal, epoch, &batch(first, events));
    }
    let feed = Feed::new(journal.reader());
    assert_eq!(feed.durable(), Seq(6));
    let mut follower = feed.follow(Seq(0));
    let mut seen = Vec::new();
    for first in [7, 8] {
        let next = batch(first, 1);
        append(&mut journal, epoch, &next);
        feed.publish([Arc::new(next)].into_iter());
    }
    while let Some(batch) = follower.try_next().unwrap() {
        seen.push((batch.first_seq.0, batch.events.len()));
    }
    assert_eq!(seen, [(1, 3), (4, 1), (5, 2), (7, 1), (8, 1)]);
    assert_eq!(feed.batch_at(Seq(2)).unwrap().unwrap().first_seq, Seq(1), "the batch that holds the sequence");
    assert!(feed.batch_at(Seq(9)).unwrap().is_none());
    feed.close();
    assert!(matches!(follower.next_timeout(Duration::from_secs(5)), Err(FeedError::Closed)));
}

#[test]
fn a_follower_behind_the_window_reads_on_from_the_journal() {
    let mut journal = MemoryJournal::new(0);
    let epoch = journal.claim().unwrap();
    let feed = Feed::new(journal.reader());
    let mut follower = feed.follow(Seq(0));
    let last = WINDOW as u64 + 100;
    for first in 1..=last {
        let next = batch(first, 1);
        append(&mut journal, epoch, &next);
        feed.publish([Arc::new(next)].into_iter());
    }
    for expected in 1..=last {
        assert_eq!(follower.try_next().unwrap().unwrap().first_seq, Seq(expected));
    }
    assert!(follower.try_next().unwrap().is_none());
}

/// Polls once what waits for something beyond `seq`.
fn polled(waiting: std::pin::Pin<&mut impl Future<Output = Result<(), FeedError>>>) -> Option<bool> {
    match waiting.poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
        std::task::Poll::Ready(told) => Some(told.is_ok()),
        std::task::Poll::Pending => None,
    }
}

#[test]
fn whoever_waits_for_more_is_told_once_it_is_durable_and_at_the_end() {
    let feed = Feed::new(MemoryJournal::new(0).reader());
    let mut early = std::pin::pin!(feed.beyond(Seq(0)));
    let mut late = std::pin::pin!(feed.beyond(Seq(2)));
    assert_eq!((polled(early.as_mut()), polled(late.as_mut())), (None, None));
    feed.publish([Arc::new(batch(1, 2))].into_iter());
    assert_eq!((polled(early.as_mut()), polled(late.as_mut())), (Some(true), None), "two events are not three");
    assert_eq!(polled(std::pin::pin!(feed.beyond(Seq(1)))), Some(true), "what is there is not waited for");
    feed.close();
    assert_eq!(polled(late.as_mut()), Some(false));
    assert_eq!(polled(std::pin::pin!(feed.beyond(Seq(1)))), Some(true), "what was there is still read");
}
