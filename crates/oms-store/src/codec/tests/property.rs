//! Any value comes back as it was; any bytes are refused or are canonical; nothing panics.

use oms_model::Batch;
use oms_model::allocate::Share;
use oms_model::breaker::*;
use oms_model::compliance::*;
use oms_model::market::{Seen, SeenPrice};
use oms_model::overrides::{Override, OverrideRule};
use oms_model::schedule::LimitSchedule;
use oms_model::strategy::{StrategyEnvelope, Tradable};
use proptest::collection::vec;
use proptest::prelude::*;

use super::sample::{Sample, Tape};
use crate::codec::{Message, SCHEMA_VERSION, batch_header, decode_batch, decode_batch_for_replay, encode_batch};

/// One damage to a byte string.
#[derive(Clone, Debug)]
enum Damage {
    Set(prop::sample::Index, u8),
    Flip(prop::sample::Index, u8),
    Insert(prop::sample::Index, u8),
    Remove(prop::sample::Index),
    Truncate(prop::sample::Index),
    Repeat(prop::sample::Index, u8),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        (at(), 0..8_u8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        (at(), any::<u8>()).prop_map(|(at, byte)| Damage::Insert(at, byte)),
        at().prop_map(Damage::Remove),
        at().prop_map(Damage::Truncate),
        (at(), any::<u8>()).prop_map(|(at, len)| Damage::Repeat(at, len)),
    ]
}

fn hurt(bytes: &mut Vec<u8>, damage: &Damage) {
    if bytes.is_empty() {
        return;
    }
    let at = |index: &prop::sample::Index| index.index(bytes.len());
    match damage {
        Damage::Set(index, byte) => {
            let at = at(index);
            bytes[at] = *byte;
        }
        Damage::Flip(index, bit) => {
            let at = at(index);
            bytes[at] ^= 1 << bit;
        }
        Damage::Insert(index, byte) => bytes.insert(at(index), *byte),
        Damage::Remove(index) => {
            bytes.remove(at(index));
        }
        Damage::Truncate(index) => bytes.truncate(at(index)),
        Damage::Repeat(index, len) => {
            let at = at(index);
            let piece = bytes[at..bytes.len().min(at + usize::from(*len))].to_vec();
            bytes.splice(at..at, piece);
        }
    }
}

/// What holds of any bytes: decoding ends, and what it accepts is what would be written.
fn check_any_bytes(bytes: &[u8]) -> bool {
    let header = batch_header(bytes);
    let replayed = decode_batch_for_replay(bytes);
    let Ok(batch) = decode_batch(bytes) else { return false };

    let mut again = Vec::new();
    encode_batch(&batch, &mut again);
    // What says that it is of an older version is read, and written as the newest one.
    let newest = [0x08, u8::try_from(SCHEMA_VERSION).unwrap()];
    assert!(again == bytes || !bytes.starts_with(&newest), "accepted bytes are canonical: {bytes:?} {again:?}");
    let header = header.expect("a batch that reads has a header");
    assert_eq!((header.first_seq, header.events), (batch.first_seq, batch.events.len()));
    assert_eq!(replayed.expect("a batch that reads can be replayed").events.len(), batch.events.len());
    true
}

fn check_round_trip<M: Message + Sample + PartialEq + std::fmt::Debug>(words: &[u64]) {
    let value = M::sample(&mut Tape::new(words.to_vec()));
    let mut bytes = vec![0xFF];
    value.encode(&mut bytes);
    assert_eq!(M::decode(&bytes[1..]).unwrap(), value);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_batch_comes_back(words in vec(any::<u64>(), 0..400)) {
        let batch = Batch::sample(&mut Tape::new(words));
        let mut bytes = Vec::new();
        encode_batch(&batch, &mut bytes);
        prop_assert_eq!(decode_batch(&bytes).unwrap(), batch);
        prop_assert!(check_any_bytes(&bytes));
    }

    #[test]
    fn every_message_comes_back(words in vec(any::<u64>(), 0..200)) {
        use oms_model::{Order, algo::*, event::*, instrument::*, limit::*, order::*, policy::*, position::*, quote::*, refusal::Refusal, work::*};
        macro_rules! each {
            ($($name:ident { $($tag:literal $field:ident),+ $(,)? })*) => { $(check_round_trip::<$name>(&words);)* };
        }
        stored_messages!(each);
    }

    #[test]
    fn damaged_bytes_are_refused_or_canonical(words in vec(any::<u64>(), 0..200), damages in vec(damage(), 1..6)) {
        let mut bytes = Vec::new();
        encode_batch(&Batch::sample(&mut Tape::new(words)), &mut bytes);
        for damage in &damages {
            hurt(&mut bytes, damage);
            check_any_bytes(&bytes);
        }
    }

    #[test]
    fn random_bytes_are_refused_or_canonical(bytes in vec(any::<u8>(), 0..300)) {
        check_any_bytes(&bytes);
        check_any_bytes(&[&[0x08, 0x01], &bytes[..]].concat());
    }
}
