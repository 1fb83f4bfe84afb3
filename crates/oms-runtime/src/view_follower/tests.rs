use super::*;
use oms_model::command::OrderRef;
use oms_model::event::{Event, OrderAnomaly, OrderCreated};
use oms_model::{CommandId, OrderId, Time};
use oms_store::{EntryRef, Journal, MemoryJournal, codec};

fn batch(seq: u64, event: Event) -> Arc<Batch> {
    let command_id = CommandId::from_u128(seq.into());
    Arc::new(Batch { first_seq: Seq(seq), time: Time(1), command_id, events: vec![event], ..Batch::default() })
}

fn append(journal: &mut MemoryJournal, epoch: oms_store::Epoch, batch: &Batch) {
    let mut body = Vec::new();
    codec::encode_batch(batch, &mut body);
    journal.append(epoch, &[EntryRef { first_seq: batch.first_seq.0, count: 1, time_ns: 1, body: &body }]).unwrap();
}

#[test]
fn damaged_views_are_made_again_under_their_readers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("views");
    let order_id = OrderId::from_u128(7);
    let created = OrderCreated { order_id, root_order_id: order_id, ..OrderCreated::default() };
    let first = batch(1, Event::OrderCreated(Box::new(created)));
    let second = batch(2, Event::OrderAnomaly(OrderAnomaly { order_id, ..OrderAnomaly::default() }));
    let mut journal = MemoryJournal::new(0);
    let epoch = journal.claim().unwrap();
    append(&mut journal, epoch, &first);
    let feed = Feed::new(journal.reader());
    Views::open(&path).unwrap().apply(&[first]).unwrap();
    rusqlite::Connection::open(&path).unwrap().execute_batch("UPDATE orders SET body = x'FFFFFF'").unwrap();

    let views = open(&feed, &path).unwrap();
    let reader = views.reader();
    assert!(reader.order(&OrderRef::Id(order_id)).is_err(), "the row is damaged");
    let following = start(&feed, views).unwrap();
    append(&mut journal, epoch, &second);
    feed.publish([second].into_iter());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        assert!(tokio::time::timeout(Duration::from_secs(20), following.watermark.reached(Seq(2))).await.unwrap());
    });
    assert_eq!(reader.order(&OrderRef::Id(order_id)).unwrap().unwrap().version, 2);
    feed.close();
    following.join();
}

#[test]
fn nobody_who_waits_for_the_views_waits_for_their_rest() {
    let wanted = Wanted::default();
    let far = Instant::now() + Duration::from_secs(3_600);
    std::thread::scope(|scope| {
        let resting = scope.spawn(|| wanted.rest(far, Seq(5)));
        wanted.ask(Seq(5));
        wanted.ask(Seq(6));
        resting.join().unwrap();
    });
    // Asked for before it began.
    wanted.rest(far, Seq(5));
    // Nobody asks for more than is there: it rests until then, which has passed.
    wanted.rest(Instant::now(), Seq(6));
}
