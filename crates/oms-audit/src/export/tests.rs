use super::*;
use crate::file::Finding;
use crate::note::SignerKey;

const SIZES: [u64; 4] = [3, 4, 9, 12];

fn key() -> SignerKey {
    SignerKey::new("oms.example/desk", &[5; 32]).unwrap()
}

#[derive(Clone)]
struct Stored {
    fields: RecordFields,
    body: Vec<u8>,
}

/// Twelve records of one to three events.
fn log() -> Vec<Stored> {
    let mut seq = 1;
    let stored = |n: u8| {
        let (count, body) = (u32::from(n % 3) + 1, vec![n; usize::from(n % 5)]);
        let fields = RecordFields {
            version: 1,
            partition: 7,
            epoch: 1,
            first_seq: seq,
            time_ns: 1_000 + i64::from(n),
            count,
            body_len: body.len() as u32,
        };
        seq += u64::from(count);
        Stored { fields, body }
    };
    (0..12).map(stored).collect()
}

/// The signed checkpoints of a log at some sizes.
fn notes(log: &[Stored], sizes: &[u64]) -> Vec<String> {
    let (mut frontier, mut chain, mut previous, mut notes) = (Frontier::default(), genesis(7), 0, Vec::new());
    for stored in log {
        let record = Record { fields: stored.fields, body: &stored.body };
        chain = record.chain(&chain);
        frontier.push(record.leaf(), |_, _, _| ());
        if sizes.contains(&frontier.size()) {
            let checkpoint = Checkpoint {
                origin: "oms.example/desk".to_owned(),
                size: frontier.size(),
                root: frontier.root(),
                previous,
                sequence: stored.fields.last_seq(),
                time_ns: stored.fields.time_ns,
                chain,
                schema: 2,
                partition: 7,
            };
            previous = frontier.size();
            notes.push(checkpoint.sign(&key()).unwrap());
        }
    }
    notes
}

/// An export whose records are `log`, whatever the checkpoints say, and where each record begins.
fn written(log: &[Stored], notes: &[String]) -> (Vec<u8>, Vec<usize>) {
    let (mut out, mut starts, mut chain) = (Vec::new(), Vec::new(), genesis(7));
    begin(&mut out, &key().verifier(), notes).unwrap();
    for stored in log {
        let record = Record { fields: stored.fields, body: &stored.body };
        chain = record.chain(&chain);
        starts.push(out.len());
        write(&mut out, &record, &chain).unwrap();
    }
    starts.push(out.len());
    (out, starts)
}

fn findings(bytes: &[u8]) -> Vec<Finding> {
    let trusted = Trusted { key: Some(key().verifier()), checkpoint: None };
    verify(bytes, &trusted, |_, _| ()).unwrap().findings
}

fn record_at(place: Place) -> Option<u64> {
    match place {
        Place::Record { index, .. } => Some(index),
        _ => None,
    }
}

#[test]
fn an_export_is_intact_and_says_what_it_holds() {
    let (bytes, _) = written(&log(), &notes(&log(), &SIZES));
    let mut seen = Vec::new();
    let report = verify(&bytes[..], &Trusted::default(), |index, record| seen.push((index, record.fields.first_seq))).unwrap();
    assert_eq!(report.findings, []);
    assert_eq!((report.records, report.events, report.checkpoints.len(), seen.len()), (12, 24, 4, 12));
    assert_eq!(seen[3], (3, 7));
}

#[test]
fn every_byte_is_bound_and_every_change_is_located() {
    let (bytes, starts) = written(&log(), &notes(&log(), &SIZES));
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            let found = findings(&changed);
            let first = found.first().unwrap_or_else(|| panic!("bit {bit} of byte {at} is not seen"));
            let record = starts.partition_point(|start| *start <= at);
            match record {
                0 => assert!(matches!(first.place, Place::Head | Place::Checkpoint(_)), "byte {at} bit {bit}: {first}"),
                n => assert_eq!(record_at(first.place), Some(n as u64 - 1), "byte {at} bit {bit}: {first}"),
            }
        }
    }
}

#[test]
fn every_cut_is_located() {
    let (bytes, starts) = written(&log(), &notes(&log(), &SIZES));
    for end in 0..bytes.len() {
        let found = findings(&bytes[..end]);
        let first = found.first().unwrap_or_else(|| panic!("a cut at {end} is not seen"));
        if starts[0] <= end {
            let record = starts.partition_point(|start| *start <= end) as u64 - 1;
            assert_eq!(record_at(first.place), Some(record), "cut at {end}: {first}");
        }
    }
    let longer = [&bytes[..], b"x"].concat();
    assert_eq!(findings(&longer)[0].place, Place::End);
}

#[test]
fn every_record_that_is_dropped_doubled_or_moved_is_located() {
    let notes = notes(&log(), &SIZES);
    let (bytes, starts) = written(&log(), &notes);
    let part = |n: usize| bytes[starts[n]..starts[n + 1]].to_vec();
    let front = bytes[..starts[0]].to_vec();
    let file = |order: &[usize]| [vec![front.clone()], order.iter().map(|n| part(*n)).collect()].concat().concat();
    let all: Vec<usize> = (0..12).collect();
    assert_eq!(findings(&file(&all)), []);
    for n in 0..12 {
        let mut dropped = all.clone();
        dropped.remove(n);
        assert_eq!(record_at(findings(&file(&dropped))[0].place), Some(n as u64), "dropped {n}");
        let mut doubled = all.clone();
        doubled.insert(n, n);
        let found = findings(&file(&doubled));
        let at = found[0].place;
        assert!(record_at(at) == Some(n as u64 + 1) || (n == 11 && at == Place::End), "doubled {n}: {at}");
        for m in n + 1..12 {
            let mut swapped = all.clone();
            swapped.swap(n, m);
            assert_eq!(record_at(findings(&file(&swapped))[0].place), Some(n as u64), "swapped {n} and {m}");
        }
    }
}

#[test]
fn a_forger_without_the_key_is_located_between_two_checkpoints() {
    // Whoever changes a record can write the chain anew behind it; what was signed still fits no more.
    let honest = notes(&log(), &SIZES);
    for n in 0..12_usize {
        let mut forged = log();
        forged[n].fields.time_ns += 1;
        let found = findings(&written(&forged, &honest).0);
        let to = *SIZES.iter().find(|size| n < **size as usize).unwrap();
        let from = SIZES.iter().rev().find(|size| **size as usize <= n).copied().unwrap_or(0);
        assert_eq!(found[0].place, Place::Records { from, to }, "record {n}");
        assert_eq!(found.len(), 1, "the records behind are judged by themselves: {found:?}");
        // As many as before, but one of them another: the sequences are renumbered too.
        let mut shorter = log();
        let gone = shorter.remove(n);
        shorter.iter_mut().skip(n).for_each(|stored| stored.fields.first_seq -= u64::from(gone.fields.count));
        assert!(!findings(&written(&shorter, &honest).0).is_empty(), "without {n}");
    }
}

#[test]
fn a_checkpoint_cannot_be_left_out_or_made_by_another() {
    let honest = notes(&log(), &SIZES);
    let without: Vec<String> = honest.iter().enumerate().filter(|(n, _)| *n != 1).map(|(_, note)| note.clone()).collect();
    assert_eq!(findings(&written(&log(), &without).0)[0].place, Place::Checkpoint(1));
    let other = SignerKey::new("oms.example/desk", &[6; 32]).unwrap();
    let trusted = Trusted { key: Some(other.verifier()), checkpoint: None };
    let report = verify(&written(&log(), &honest).0[..], &trusted, |_, _| ()).unwrap();
    assert_eq!(report.findings[0].place, Place::Head);
}

#[test]
fn who_has_a_later_checkpoint_sees_what_was_taken_from_the_end() {
    let honest = notes(&log(), &SIZES);
    let shorter = written(&log()[..9], &notes(&log()[..9], &SIZES[..3])).0;
    assert_eq!(findings(&shorter), [], "an export of earlier is one");
    let known = |note: &String| Trusted { key: Some(key().verifier()), checkpoint: Some(note.clone()) };
    let report = verify(&shorter[..], &known(&honest[3]), |_, _| ()).unwrap();
    assert_eq!(report.findings[0].place, Place::End);
    assert!(verify(&shorter[..], &known(&honest[1]), |_, _| ()).unwrap().is_intact());
    // Another log under the same key.
    let mut forged = log();
    forged[0].fields.time_ns += 1;
    let forged = written(&forged, &notes(&forged, &SIZES[1..])).0;
    let report = verify(&forged[..], &known(&honest[0]), |_, _| ()).unwrap();
    assert_eq!(report.findings[0].place, Place::Records { from: 0, to: 3 });
}
