//! The schema in `schemas/proto` and the codec describe the same bytes.

use std::path::Path;
use std::sync::LazyLock;

use oms_model::algo::*;
use oms_model::allocate::Share;
use oms_model::breaker::*;
use oms_model::compliance::*;
use oms_model::dead_man::*;
use oms_model::event::*;
use oms_model::instrument::*;
use oms_model::limit::*;
use oms_model::market::{Seen, SeenPrice};
use oms_model::order::{Basis, Booked, Care, Doubt, Extras, Names, Routing, Saga, SagaPart, Stage, Terms};
use oms_model::overrides::{Override, OverrideRule, OverrideState};
use oms_model::policy::*;
use oms_model::position::{Booking, Lot, Position};
use oms_model::quote::{Quote, QuoteRequest};
use oms_model::refusal::Refusal;
use oms_model::schedule::{LimitSchedule, ScheduleState};
use oms_model::strategy::{StrategyEnvelope, Tradable};
use oms_model::work::*;
use oms_model::*;
use proptest::collection::vec;
use proptest::prelude::*;
use prost_reflect::prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, ReflectMessage as _, Value as Reflected};

use super::golden;
use super::sample::{Sample, Tape};
use crate::codec::{Message, encode_batch};

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/proto");
    let files = ["events.proto", "state.proto"].map(|name| root.join("oms/log/v1").join(name));
    let set = protox::compile(files, [root]).unwrap();
    DescriptorPool::from_file_descriptor_set(set).unwrap()
});

fn descriptor(message: &str) -> MessageDescriptor {
    POOL.get_message_by_name(&format!("oms.log.v1.{message}")).unwrap_or_else(|| panic!("the schema has no {message}"))
}

/// Reads bytes by the schema alone; nothing may be left over, and writing gives the same bytes.
fn read(message: &str, bytes: &[u8]) -> DynamicMessage {
    let value = DynamicMessage::decode(descriptor(message), bytes).unwrap_or_else(|e| panic!("{message}: {e}"));
    assert_known(&value);
    assert_eq!(value.encode_to_vec(), bytes, "{message}: {value}");
    value
}

fn assert_known(message: &DynamicMessage) {
    assert_eq!(message.unknown_fields().count(), 0, "the schema lacks a field of {}", message.descriptor().name());
    for (_, value) in message.fields() {
        assert_known_value(value);
    }
}

fn assert_known_value(value: &Reflected) {
    match value {
        Reflected::Message(message) => assert_known(message),
        Reflected::List(values) => values.iter().for_each(assert_known_value),
        _ => (),
    }
}

/// The events of a batch, by the schema alone.
fn read_batch(bytes: &[u8]) -> Vec<DynamicMessage> {
    let batch = read("Batch", bytes);
    let events = batch.get_field_by_name("events").unwrap();
    let payload = |event: &Reflected| {
        let event = event.as_message().unwrap();
        let kind = event.get_field_by_name("kind").unwrap().as_enum_number().unwrap();
        read(payload_of(kind), event.get_field_by_name("payload").unwrap().as_bytes().unwrap())
    };
    events.as_list().unwrap().iter().map(payload).collect()
}

macro_rules! payloads {
    ($($code:literal $name:ident,)*) => {
        /// The message that the payload of this kind is.
        fn payload_of(kind: i32) -> &'static str {
            fn name<M: Message>(_: fn(M) -> Event) -> &'static str { M::NAME }
            match kind {
                $($code => name(Event::$name),)*
                _ => panic!("the schema has no event kind {kind}"),
            }
        }
    };
}
stored_events!(payloads);

#[test]
fn every_golden_reads_by_the_schema_alone() {
    for (stem, bytes) in golden::files() {
        let events = read_batch(&bytes);
        let [full, _plain] = &events[..] else { panic!("{stem} has two events") };
        let unset = full.descriptor().fields().find(|field| !full.has_field(field));
        assert_eq!(unset, None, "{stem}: the full event leaves a field out, so its type is not proven");
    }
}

#[test]
fn the_schema_has_the_same_fields() {
    macro_rules! each {
        ($($name:ident { $($tag:literal $field:ident),+ $(,)? })*) => { [$(($name::NAME, $name::FIELDS)),*] };
    }
    let stored = stored_messages!(each);
    for (name, fields) in stored {
        let described: Vec<_> = descriptor(name).fields().map(|field| (field.number(), field.name().to_owned())).collect();
        let fields: Vec<_> = fields.iter().map(|(tag, name)| (*tag, (*name).to_owned())).collect();
        assert_eq!(described, fields, "{name}");
    }
    // What is written by hand, or is not a message of the model.
    let others = ["Batch", "Event", "Decimal", "Notional", "Scope", "Detail", "PendingOrder", "Placed", "RefusedOrder", "Rule"];
    let known = |name: &str| others.contains(&name) || stored.iter().any(|(stored, _)| *stored == name);
    let extra: Vec<_> = POOL.all_messages().filter(|message| !known(message.name())).collect();
    assert!(extra.is_empty(), "the schema describes what is not stored: {extra:?}");
}

#[test]
fn the_schema_has_the_same_terms() {
    let mut described: Vec<_> = POOL.all_enums().map(|one| one.name().to_owned()).collect();
    macro_rules! each {
        ($($name:ident),*) => {$(
            let terms = $name::ALL.iter().map(|term| (i32::from(term.code()), term.as_str()));
            check_terms(stringify!($name), terms);
            described.retain(|name| name != stringify!($name));
        )*};
    }
    stored_terms!(each);
    let kinds: Vec<_> = Event::KINDS.iter().map(|(code, name)| (i32::from(*code), screaming(name))).collect();
    check_terms("EventKind", kinds.iter().map(|(code, name)| (*code, name.as_str())));
    assert_eq!(described, ["EventKind"], "the schema describes vocabularies that are not stored");
}

fn check_terms<'a>(name: &str, terms: impl Iterator<Item = (i32, &'a str)>) {
    let prefix = screaming(name);
    let mut expected = vec![(0, format!("{prefix}_UNSPECIFIED"))];
    expected.extend(terms.map(|(code, text)| (code, format!("{prefix}_{text}"))));
    let described = POOL.get_enum_by_name(&format!("oms.log.v1.{name}")).unwrap_or_else(|| panic!("no {name}"));
    let mut found: Vec<_> = described.values().map(|value| (value.number(), value.name().to_owned())).collect();
    expected.sort();
    found.sort();
    assert_eq!(found, expected, "{name}");
}

fn screaming(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(letter.to_ascii_uppercase());
    }
    out
}

/// Writes a value and reads it by the schema alone.
fn check_message<M: Message + Sample>(words: &[u64]) {
    let mut bytes = Vec::new();
    M::sample(&mut Tape::new(words.to_vec())).encode(&mut bytes);
    read(M::NAME, &bytes);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_batch_reads_by_the_schema_alone(words in vec(any::<u64>(), 0..400)) {
        let batch = Batch::sample(&mut Tape::new(words));
        let mut bytes = Vec::new();
        encode_batch(&batch, &mut bytes);
        prop_assert_eq!(read_batch(&bytes).len(), batch.events.len());
    }

    #[test]
    fn any_message_reads_by_the_schema_alone(words in vec(any::<u64>(), 0..200)) {
        macro_rules! each {
            ($($name:ident { $($tag:literal $field:ident),+ $(,)? })*) => { $(check_message::<$name>(&words);)* };
        }
        stored_messages!(each);
    }
}

#[test]
fn a_full_order_and_position_prove_every_type_of_the_state() {
    let mut tape = Tape::full();
    for (name, bytes) in [
        ("Order", full::<Order>(&mut tape)),
        ("Position", full::<Position>(&mut tape)),
        ("Doubt", full::<Doubt>(&mut tape)),
        ("Booking", full::<Booking>(&mut tape)),
    ] {
        let value = read(name, &bytes);
        assert_eq!(value.descriptor().fields().find(|field| !value.has_field(field)), None, "{name}");
    }
}

fn full<M: Message + Sample>(tape: &mut Tape) -> Vec<u8> {
    let mut bytes = Vec::new();
    M::sample(tape).encode(&mut bytes);
    bytes
}
