//! Decoding for replay leaves out what no state depends on, and nothing else.

use oms_model::{Event, Order, Seq, Time};

use super::sample::{self, Tape};
use crate::codec::{SCHEMA_VERSION, batch_header, decode_batch, decode_batch_for_replay, encode_batch};

#[test]
fn only_results_and_candidates_are_left_out() {
    for (code, name) in Event::KINDS {
        let mut tape = Tape::full();
        let events = vec![sample::event(*code, &mut tape), sample::plain_event(*code)];
        let batch = sample::batch(events, &mut tape);
        let mut bytes = Vec::new();
        encode_batch(&batch, &mut bytes);

        let mut expected = decode_batch(&bytes).unwrap();
        assert_eq!(expected, batch, "{name}");
        for event in &mut expected.events {
            match event {
                Event::RiskChecked(body) => body.results.clear(),
                Event::RouteDecided(body) => body.candidates.clear(),
                _ => (),
            }
        }
        assert_eq!(decode_batch_for_replay(&bytes).unwrap(), expected, "{name}");
    }
}

#[test]
fn an_order_does_not_depend_on_what_is_left_out() {
    let Event::OrderCreated(created) = sample::event(1, &mut Tape::full()) else { panic!("event 1 creates an order") };
    let mut order = Order::create(&created, Seq(1), Time(1));
    let mut replayed = order.clone();
    let mut tape = Tape::full();
    let batch = sample::batch(vec![sample::event(2, &mut tape), sample::event(4, &mut tape)], &mut tape);
    let mut bytes = Vec::new();
    encode_batch(&batch, &mut bytes);

    decode_batch(&bytes).unwrap().events.iter().for_each(|event| order.apply(event, Time(2)));
    decode_batch_for_replay(&bytes).unwrap().events.iter().for_each(|event| replayed.apply(event, Time(2)));
    assert_eq!(order, replayed);
}

#[test]
fn the_header_says_what_the_batch_says() {
    let mut tape = Tape::full();
    let batch = sample::batch(vec![sample::event(1, &mut tape); 300], &mut tape);
    let mut bytes = Vec::new();
    encode_batch(&batch, &mut bytes);
    let header = batch_header(&bytes).unwrap();
    assert_eq!(
        (header.first_seq, header.time, header.command_id, header.actor, header.trace_id),
        (batch.first_seq, batch.time, batch.command_id, batch.actor, batch.trace_id)
    );
    assert_eq!((header.schema_version, header.events), (SCHEMA_VERSION, 300));
}
