//! Entries as a connector keeps them, in a journal; what is found of one order among others.

use oms_store::{EntryRef, Journal as _, MemoryJournal};

use super::*;
use crate::codec::{Commission, Contract, Execution, ExecutionReport, Notice, OpenOrder, Order, OrderStatus, PlaceOrder};

const CLIENT: i32 = 7;

fn order(number: u128) -> OrderId {
    OrderId::from_u128(number)
}

fn placed(number: u128, ib_id: i32) -> Record {
    let wire_id = WireId::derive(order(number), 0);
    let terms = Order { client_id: CLIENT, action: "BUY".to_owned(), order_ref: wire_id.as_str().to_owned(), ..Order::default() };
    let contract = Contract { symbol: "IBM".to_owned(), ..Contract::default() };
    Record::Placed(wire_id, Box::new(PlaceOrder { order_id: ib_id, contract, order: terms }))
}

fn heard(reply: Reply) -> Record {
    Record::Heard(Box::new(reply))
}

fn open(order_ref: &str, client_id: i32, ib_id: i32, perm_id: i64) -> Record {
    let terms = Order { client_id, perm_id, order_ref: order_ref.to_owned(), ..Order::default() };
    heard(Reply::OpenOrder(OpenOrder { order_id: ib_id, order: terms, ..OpenOrder::default() }))
}

fn status(client_id: i32, order_id: i32, perm_id: i64) -> Record {
    heard(Reply::OrderStatus(OrderStatus { client_id, order_id, perm_id, status: "Submitted".to_owned(), ..OrderStatus::default() }))
}

fn executed(exec_id: &str, perm_id: i64) -> Record {
    let execution = Execution { exec_id: exec_id.to_owned(), perm_id, price: "18.25".parse().unwrap(), ..Execution::default() };
    heard(Reply::Execution(ExecutionReport { execution, ..ExecutionReport::default() }))
}

fn charged(exec_id: &str) -> Record {
    heard(Reply::Commission(Commission { exec_id: exec_id.to_owned(), amount: "1.05".parse().unwrap(), ..Commission::default() }))
}

fn notice(id: i32) -> Record {
    heard(Reply::Notice(Notice { id, code: 399, text: "held".to_owned(), ..Notice::default() }))
}

/// A journal with a record for each ten nanoseconds.
fn journal(records: &[Record]) -> MemoryJournal {
    let mut journal = MemoryJournal::new(1);
    let epoch = journal.claim().unwrap();
    for (seq, record) in (1..).zip(records) {
        let body = record.bytes();
        let time_ns = 10 * i64::try_from(seq).unwrap();
        journal.append(epoch, &[EntryRef { first_seq: seq, count: 1, time_ns, body: &body }]).unwrap();
    }
    journal
}

fn of(number: u128) -> About {
    About { orders: BTreeSet::from([order(number)]), from: Time(i64::MIN), until: Time(i64::MAX), after: 0, most: 100 }
}

fn entries(found: &Found) -> Vec<u64> {
    found.messages.iter().map(|one| one.entry).collect()
}

#[test]
fn an_order_has_its_own_messages_and_no_other_s() {
    let (own, other) = (WireId::derive(order(1), 0), WireId::derive(order(2), 0));
    let journal = journal(&[
        Record::Ids(2),
        placed(1, 3),
        placed(2, 4),
        open(own.as_str(), CLIENT, 3, 31),
        // A person's order, and another desk's with the same order id.
        open("", 0, 0, 77),
        status(8, 3, 88),
        open(other.as_str(), CLIENT, 4, 41),
        status(CLIENT, 3, 31),
        status(CLIENT, 4, 41),
        // The cost comes before the execution, which has the permanent id alone.
        charged("0001.01"),
        executed("0001.01", 31),
        executed("0002.01", 41),
        charged("0002.01"),
        notice(3),
        notice(4),
        Record::Refused(own.clone(), oms_model::IntentKind::Replace, "no".to_owned()),
        // A correction of the execution, told under the next of its ids.
        executed("0001.02", 31),
        Record::Cancel(own, 3),
        Record::Covered(5),
    ]);
    let found = about(journal.reader().as_mut(), CLIENT, &of(1)).unwrap();
    assert_eq!((entries(&found), found.complete, found.next), (vec![2, 4, 8, 10, 11, 14, 17, 18], true, None));
    assert!(found.messages.iter().all(|one| one.order_id == order(1) && one.at == Time(10 * i64::try_from(one.entry).unwrap())));
    let told: Vec<(bool, &str)> = found.messages.iter().map(|one| (one.message.sent, one.message.name)).collect();
    let (sent, came) = (|name| (true, name), |name| (false, name));
    let expected = [sent("PlaceOrder"), came("OpenOrder"), came("OrderStatus"), came("Commission"), came("Execution")];
    assert_eq!(told, [&expected[..], &[came("Notice"), came("Execution"), sent("CancelOrder")]].concat());
    let found = about(journal.reader().as_mut(), CLIENT, &of(2)).unwrap();
    assert_eq!(entries(&found), [3, 7, 9, 12, 13, 15]);
    let both = About { orders: BTreeSet::from([order(1), order(2)]), ..of(1) };
    assert_eq!(about(journal.reader().as_mut(), CLIENT, &both).unwrap().messages.len(), 14);
    assert_eq!(about(journal.reader().as_mut(), CLIENT, &of(9)).unwrap().messages, []);
}

#[test]
fn fields_are_told_by_name_and_the_frame_is_the_message() {
    let journal = journal(&[placed(1, 3), executed("0001.01", 0)]);
    let found = about(journal.reader().as_mut(), CLIENT, &of(1)).unwrap();
    let [one] = found.messages.as_slice() else { panic!("{found:?}") };
    let value = |name: &str| one.message.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str());
    assert_eq!((value("order_id"), value("contract.symbol"), value("order.action")), (Some("3"), Some("IBM"), Some("BUY")));
    assert_eq!(value("order.order_ref"), Some(WireId::derive(order(1), 0).as_str()));
    assert_eq!(value("order.hidden"), None, "what says nothing is left out");
    assert_eq!(one.message.frame[..4], 203_u32.to_be_bytes());
}

#[test]
fn pages_follow_each_other_and_times_bound_them() {
    let own = WireId::derive(order(1), 0);
    let mut records = vec![placed(2, 4), placed(1, 3), open(own.as_str(), CLIENT, 3, 31)];
    records.extend((0..7).map(|_| status(CLIENT, 3, 31)));
    let journal = journal(&records);
    let (mut after, mut seen) = (0, Vec::new());
    loop {
        let found = about(journal.reader().as_mut(), CLIENT, &About { after, most: 2, ..of(1) }).unwrap();
        seen.extend(entries(&found));
        assert_eq!(found.complete, found.next.is_none());
        match found.next {
            Some(next) => after = next,
            None => break,
        }
    }
    assert_eq!(seen, (2..=10).collect::<Vec<u64>>());
    let within = About { from: Time(20), until: Time(45), ..of(1) };
    assert_eq!(entries(&about(journal.reader().as_mut(), CLIENT, &within).unwrap()), [2, 3, 4]);
    // The order is looked for from the time on at which it was made: what it is called was said then.
    let late = About { from: Time(35), ..of(1) };
    assert_eq!(entries(&about(journal.reader().as_mut(), CLIENT, &late).unwrap()), Vec::<u64>::new());
}
