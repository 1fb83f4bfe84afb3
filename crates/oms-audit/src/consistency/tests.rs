use super::*;
use crate::merkle::{Frontier, leaf_hash, prove_consistency};
use crate::note::SignerKey;

const SIZES: [u64; 5] = [1, 6, 7, 8, 21];

fn key() -> SignerKey {
    SignerKey::new("oms.example/desk", &[5; 32]).unwrap()
}

fn leaves(changed: Option<u64>) -> Vec<Hash> {
    (0..21_u64).map(|n| leaf_hash(&[&n.to_le_bytes(), &[u8::from(changed == Some(n))]])).collect()
}

fn note(leaves: &[Hash], size: u64) -> String {
    let mut frontier = Frontier::default();
    leaves.iter().take(size as usize).for_each(|leaf| frontier.push(*leaf, |_, _, _| ()));
    let (origin, root) = ("oms.example/desk".to_owned(), frontier.root());
    let signed = Checkpoint { origin, size, root, previous: 0, sequence: size, time_ns: 1, chain: [0; 32], schema: 2, partition: 0 };
    signed.sign(&key()).unwrap()
}

/// Between the log as it was and one of which a record may have been changed.
fn proof(old: u64, new: u64, changed: Option<u64>) -> Vec<u8> {
    let (before, after) = (leaves(None), leaves(changed));
    let Ok(hashes) = prove_consistency(&mut &after[..], old, new);
    let mut out = Vec::new();
    write(&mut out, &key().verifier(), (&note(&before, old), &note(&after, new)), &hashes).unwrap();
    out
}

fn verified(bytes: &[u8]) -> Report {
    let trusted = Trusted { key: Some(key().verifier()), checkpoint: None };
    crate::verify(bytes, &trusted, |_, _| ()).unwrap()
}

#[test]
fn a_log_that_only_grew_is_shown_to_have() {
    for (at, old) in SIZES.into_iter().enumerate() {
        for new in SIZES.into_iter().skip(at) {
            assert_eq!(verified(&proof(old, new, None)).findings, [], "{old} to {new}");
        }
    }
}

#[test]
fn a_record_that_was_changed_in_between_is_seen() {
    for (old, new) in [(1, 6), (6, 21), (7, 8), (8, 21)] {
        for changed in 0..old {
            let report = verified(&proof(old, new, Some(changed)));
            assert_eq!(report.findings[0].place, Place::Records { from: 0, to: old }, "{old} to {new}, {changed}");
        }
        assert!(verified(&proof(old, new, Some(old))).is_intact(), "what came later may be anything");
    }
}

#[test]
fn every_byte_of_it_counts() {
    let whole = proof(6, 21, None);
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        assert!(!verified(&changed).is_intact(), "byte {at}");
        assert!(!verified(&whole[..at]).is_intact(), "cut at {at}");
    }
    assert!(!verified(&[&whole[..], b"x"].concat()).is_intact());
}

#[test]
fn the_checkpoint_that_is_trusted_is_one_of_the_two() {
    let leaves = leaves(None);
    let with = |size| Trusted { key: Some(key().verifier()), checkpoint: Some(note(&leaves, size)) };
    let findings = |size| verify(&proof(6, 21, None)[..], &with(size)).unwrap().findings.len();
    assert_eq!((findings(6), findings(21), findings(7)), (0, 0, 1));
}
