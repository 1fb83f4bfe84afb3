use super::*;
use crate::record::{from_hex, hex};
use proptest::prelude::*;

/// The leaves and roots that the reference implementation of RFC 6962 is tested with.
const LEAVES: [&[u8]; 8] = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    b"\x50\x51\x52\x53\x54\x55\x56\x57",
    b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
];
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn leaves() -> Vec<Hash> {
    LEAVES.iter().map(|leaf| leaf_hash(&[leaf])).collect()
}

fn root(leaves: &[Hash]) -> Hash {
    let mut frontier = Frontier::default();
    leaves.iter().for_each(|leaf| frontier.push(*leaf, |_, _, _| ()));
    frontier.root()
}

/// RFC 6962 section 2.1, word for word.
fn mth(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let k = leaves.len().next_power_of_two() / 2;
            node_hash(&mth(&leaves[..k]), &mth(&leaves[k..]))
        }
    }
}

fn included(leaves: &[Hash], index: u64, size: u64) -> Vec<Hash> {
    let Ok(proof) = prove_inclusion(&mut &leaves[..], index, size);
    proof
}

fn consistent(leaves: &[Hash], old: u64, new: u64) -> Vec<Hash> {
    let Ok(proof) = prove_consistency(&mut &leaves[..], old, new);
    proof
}

#[test]
fn roots_are_those_of_the_reference_implementation() {
    for (size, expected) in ROOTS.iter().enumerate() {
        assert_eq!(hex(&root(&leaves()[..size])), *expected, "{size} leaves");
    }
}

#[test]
fn inclusion_proofs_are_those_of_the_reference_implementation() {
    let expect = |index, size, path: &[&str]| {
        let path: Vec<Hash> = path.iter().map(|hash| from_hex(hash).unwrap()).collect();
        assert_eq!(included(&leaves(), index, size), path, "leaf {index} of {size}");
    };
    expect(0, 1, &[]);
    expect(
        0,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    );
    expect(2, 3, &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]);
    expect(
        1,
        5,
        &[
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    );
}

#[test]
fn the_example_of_rfc_9162_holds() {
    // Section 2.1.5: a tree of seven leaves with the nodes named as there.
    let d = leaves();
    let [a, b, c, dd, e, f, j] = [d[0], d[1], d[2], d[3], d[4], d[5], d[6]];
    let (g, h, i) = (node_hash(&a, &b), node_hash(&c, &dd), node_hash(&e, &f));
    let (k, l) = (node_hash(&g, &h), node_hash(&i, &j));
    assert_eq!(root(&d[..7]), node_hash(&k, &l));
    assert_eq!(included(&d, 0, 7), [b, h, l]);
    assert_eq!(included(&d, 3, 7), [c, g, l]);
    assert_eq!(included(&d, 4, 7), [f, j, k]);
    assert_eq!(included(&d, 6, 7), [i, k]);
    assert_eq!(consistent(&d, 3, 7), [c, dd, g, l]);
    assert_eq!(consistent(&d, 4, 7), [l]);
    assert_eq!(consistent(&d, 6, 7), [i, j, k]);
}

#[test]
fn every_proof_of_every_small_tree_holds_and_no_other_does() {
    let leaves: Vec<Hash> = (0..33_u8).map(|n| leaf_hash(&[&[n]])).collect();
    for size in 1..=33_u64 {
        let now = root(&leaves[..size as usize]);
        assert_eq!(now, mth(&leaves[..size as usize]));
        for index in 0..size {
            let proof = included(&leaves, index, size);
            let leaf = leaves[index as usize];
            assert!(is_included(leaf, index, size, &proof, &now), "{index} of {size}");
            for other in (0..size).filter(|other| *other != index) {
                assert!(!is_included(leaf, other, size, &proof, &now), "{index} as {other} of {size}");
            }
            assert!(!is_included(leaf, size, size, &proof, &now));
            let mut longer = proof.clone();
            longer.push(leaf);
            assert!(!is_included(leaf, index, size, &longer, &now));
            assert!(proof.is_empty() || !is_included(leaf, index, size, &proof[1..], &now));
        }
        for old in 0..=size {
            let proof = consistent(&leaves, old, size);
            let before = root(&leaves[..old as usize]);
            assert!(is_consistent(old, size, &before, &now, &proof), "{old} to {size}");
            if old != size && old != 0 {
                assert!(!is_consistent(old, size, &now, &now, &proof), "{old} to {size}");
                assert!(!is_consistent(old, size, &before, &before, &proof), "{old} to {size}");
                assert!(!is_consistent(old, size, &before, &now, &[]), "{old} to {size}");
            }
        }
    }
}

proptest! {
    #[test]
    fn a_tree_that_grows_is_the_tree_of_the_rfc(data in proptest::collection::vec(any::<[u8; 4]>(), 0..600), cut in any::<prop::sample::Index>()) {
        let leaves: Vec<Hash> = data.iter().map(|data| leaf_hash(&[data])).collect();
        let mut frontier = Frontier::default();
        let mut nodes = std::collections::BTreeMap::new();
        for leaf in &leaves {
            frontier.push(*leaf, |level, index, hash| { nodes.insert((level, index), *hash); });
        }
        prop_assert_eq!(frontier.root(), mth(&leaves));
        for ((level, index), hash) in &nodes {
            let from = (index << level) as usize;
            prop_assert_eq!(*hash, mth(&leaves[from..from + (1 << level)]));
        }
        let size = leaves.len() as u64;
        let Ok(again) = Frontier::of(&mut &leaves[..], size);
        prop_assert_eq!(&again, &frontier);
        if size > 0 {
            let index = cut.index(leaves.len()) as u64;
            let proof = included(&leaves, index, size);
            prop_assert!(is_included(leaves[index as usize], index, size, &proof, &frontier.root()));
            for at in 0..proof.len() {
                let mut other = proof.clone();
                other[at][0] ^= 1;
                prop_assert!(!is_included(leaves[index as usize], index, size, &other, &frontier.root()));
            }
            let shown = consistent(&leaves, index, size);
            prop_assert!(is_consistent(index, size, &mth(&leaves[..index as usize]), &frontier.root(), &shown));
        }
    }
}
