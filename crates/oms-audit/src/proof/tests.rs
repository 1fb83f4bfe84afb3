use super::*;
use crate::merkle::{Frontier, prove_inclusion};
use crate::note::SignerKey;
use crate::record::RecordFields;

const ORDER: [u8; 16] = *b"sixteen bytes id";

fn key() -> SignerKey {
    SignerKey::new("oms.example/desk", &[5; 32]).unwrap()
}

fn log() -> Vec<(RecordFields, Vec<u8>)> {
    let stored = |n: u8| {
        let body = if n % 3 == 1 { [&[n][..], &ORDER, &[n]].concat() } else { vec![n; 3] };
        let fields = RecordFields {
            version: 1,
            partition: 0,
            epoch: 1,
            first_seq: u64::from(n) + 1,
            time_ns: i64::from(n),
            count: 1,
            body_len: body.len() as u32,
        };
        (fields, body)
    };
    (0..11).map(stored).collect()
}

fn proven(order: [u8; 16], of: &[usize]) -> Vec<u8> {
    let log = log();
    let records: Vec<Record<'_>> = log.iter().map(|(fields, body)| Record { fields: *fields, body }).collect();
    let leaves: Vec<Hash> = records.iter().map(Record::leaf).collect();
    let mut frontier = Frontier::default();
    leaves.iter().for_each(|leaf| frontier.push(*leaf, |_, _, _| ()));
    let checkpoint = Checkpoint {
        origin: "oms.example/desk".to_owned(),
        size: 11,
        root: frontier.root(),
        previous: 0,
        sequence: 11,
        time_ns: 10,
        chain: [0; 32],
        schema: 2,
        partition: 0,
    };
    let mut out = Vec::new();
    begin(&mut out, &key().verifier(), &checkpoint.sign(&key()).unwrap(), order, of.len() as u64).unwrap();
    for n in of {
        let Ok(proof) = prove_inclusion(&mut &leaves[..], *n as u64, 11);
        write(&mut out, &records[*n], *n as u64, &proof).unwrap();
    }
    out
}

fn report(bytes: &[u8]) -> Report {
    verify(bytes, &Trusted { key: Some(key().verifier()), checkpoint: None }, |_, _| ()).unwrap()
}

#[test]
fn a_proof_shows_the_records_of_one_order() {
    let mut seen = Vec::new();
    let report = verify(&proven(ORDER, &[1, 4, 7, 10])[..], &Trusted::default(), |index, _| seen.push(index)).unwrap();
    assert_eq!((report.findings.len(), report.records, seen), (0, 4, vec![1, 4, 7, 10]));
}

#[test]
fn every_byte_of_a_proof_is_bound() {
    let bytes = proven(ORDER, &[1, 4, 7, 10]);
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            assert!(!report(&changed).is_intact(), "bit {bit} of byte {at}");
        }
        assert!(!report(&bytes[..at]).is_intact(), "cut at {at}");
    }
    assert!(!report(&[&bytes[..], b"x"].concat()).is_intact());
}

#[test]
fn what_does_not_belong_is_refused() {
    assert_eq!(report(&proven(ORDER, &[1, 2])).findings[0].place, Place::Record { index: 2, sequence: 3 });
    assert_eq!(report(&proven(ORDER, &[4, 1])).findings[0].place, Place::Record { index: 1, sequence: 2 });
    assert_eq!(report(&proven(ORDER, &[4, 4])).findings[0].place, Place::Record { index: 4, sequence: 5 });
    assert_eq!(report(&proven([0; 16], &[1])).findings[0].place, Place::Record { index: 1, sequence: 2 });
    assert_eq!(report(&proven(ORDER, &[])).findings[0].place, Place::Head);
    let other = SignerKey::new("oms.example/desk", &[6; 32]).unwrap();
    let trusted = Trusted { key: Some(other.verifier()), checkpoint: None };
    assert!(!verify(&proven(ORDER, &[1])[..], &trusted, |_, _| ()).unwrap().is_intact());
}
