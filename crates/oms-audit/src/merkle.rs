//! The Merkle tree of RFC 6962 section 2.1 and RFC 9162 section 2.1: hashes, inclusion and consistency proofs.
//!
//! The hash of a subtree is kept where it is complete: at `level` and `index` it covers the leaves
//! `index << level` to `(index + 1) << level`.

use sha2::{Digest, Sha256};

/// A SHA-256 hash of the tree.
pub type Hash = [u8; 32];

/// The most hashes in an inclusion proof: trees have at most 2^63 leaves.
pub const MAX_PROOF: usize = 64;

/// The root of the tree without leaves.
#[must_use]
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// The hash of a leaf: `SHA-256(0x00 || data)`, where the data are the concatenated `parts`.
#[must_use]
pub fn leaf_hash(parts: &[&[u8]]) -> Hash {
    parts.iter().fold(Sha256::new_with_prefix([0x00]), |hasher, part| hasher.chain_update(part)).finalize().into()
}

/// The hash of a node: `SHA-256(0x01 || left || right)`.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new_with_prefix([0x01]).chain_update(left).chain_update(right).finalize().into()
}

/// The right edge of a growing tree: the complete subtrees that its size is made of, the largest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// One for each bit that is set in `size`.
    subtrees: Vec<Hash>,
}

impl Frontier {
    /// The edge of the tree of `size` leaves.
    ///
    /// # Errors
    /// What `nodes` says.
    pub fn of<N: Nodes>(nodes: &mut N, size: u64) -> Result<Self, N::Error> {
        let subtrees = cover(0, size).into_iter().map(|(level, index)| nodes.subtree(level, index)).collect::<Result<_, _>>()?;
        Ok(Self { size, subtrees })
    }

    /// How many leaves there are.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf. `complete` sees every subtree that this completes, with its level and index, the leaf itself first.
    pub fn push(&mut self, leaf: Hash, mut complete: impl FnMut(u32, u64, &Hash)) {
        let (mut hash, index) = (leaf, self.size);
        complete(0, index, &hash);
        // Every trailing one of the size is a subtree that has found its sibling.
        for level in 0..index.trailing_ones() {
            let Some(left) = self.subtrees.pop() else { break };
            hash = node_hash(&left, &hash);
            complete(level + 1, index >> (level + 1), &hash);
        }
        self.subtrees.push(hash);
        self.size += 1;
    }

    /// The root of the tree as it is now.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.subtrees.iter().rev().copied().reduce(|right, left| node_hash(&left, &right)).unwrap_or_else(empty_root)
    }
}

/// Where hashes of complete subtrees are found.
pub trait Nodes {
    /// Why one was not.
    type Error;
    /// The hash of the complete subtree at `level` and `index`.
    ///
    /// # Errors
    /// Where it cannot be found.
    fn subtree(&mut self, level: u32, index: u64) -> Result<Hash, Self::Error>;
}

/// The leaves of a small tree.
impl Nodes for &[Hash] {
    type Error = std::convert::Infallible;

    fn subtree(&mut self, level: u32, index: u64) -> Result<Hash, Self::Error> {
        let range = |at: u64| usize::try_from(at << level).unwrap_or(usize::MAX).min(self.len());
        let mut frontier = Frontier::default();
        self.iter().take(range(index + 1)).skip(range(index)).for_each(|leaf| frontier.push(*leaf, |_, _, _| ()));
        Ok(frontier.root())
    }
}

/// The complete subtrees that make up the leaves `from..to`, from left to right.
fn cover(mut from: u64, to: u64) -> Vec<(u32, u64)> {
    let mut parts = Vec::new();
    while from < to {
        let aligned = from.trailing_zeros().min(63);
        let fitting = (to - from).ilog2();
        let level = aligned.min(fitting);
        parts.push((level, from >> level));
        from += 1 << level;
    }
    parts
}

/// The hash of the leaves `from..to`, which begin where a subtree of the tree begins.
fn range_hash<N: Nodes>(nodes: &mut N, from: u64, to: u64) -> Result<Hash, N::Error> {
    let mut hash = None;
    for (level, index) in cover(from, to).into_iter().rev() {
        let left = nodes.subtree(level, index)?;
        hash = Some(hash.map_or(left, |right| node_hash(&left, &right)));
    }
    Ok(hash.unwrap_or_else(empty_root))
}

/// The largest power of two below `size`, which is at least 2.
const fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// The proof that the leaf at `index` is in the tree of `size` leaves (RFC 9162 section 2.1.3.1).
///
/// # Errors
/// What `nodes` says. There is no proof for an index that is not below the size: it is empty.
pub fn prove_inclusion<N: Nodes>(nodes: &mut N, index: u64, size: u64) -> Result<Vec<Hash>, N::Error> {
    let mut proof = Vec::new();
    if index >= size {
        return Ok(proof);
    }
    let (mut from, mut to) = (0, size);
    while to - from > 1 {
        let middle = from + split(to - from);
        if index < middle {
            proof.push(range_hash(nodes, middle, to)?);
            to = middle;
        } else {
            proof.push(range_hash(nodes, from, middle)?);
            from = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The proof that the tree of `old` leaves is the beginning of the tree of `new` leaves (RFC 9162 section 2.1.4.1).
///
/// # Errors
/// What `nodes` says. Where `old` is 0 or not below `new` nothing needs to be shown, and the proof is empty.
pub fn prove_consistency<N: Nodes>(nodes: &mut N, old: u64, new: u64) -> Result<Vec<Hash>, N::Error> {
    let mut proof = Vec::new();
    if old == 0 || old >= new {
        return Ok(proof);
    }
    let (mut from, mut to) = (0, new);
    // Whether the old tree's part of `from..to` is all of the old tree, whose root the verifier has.
    let mut whole = true;
    while to != old {
        let middle = from + split(to - from);
        if old <= middle {
            proof.push(range_hash(nodes, middle, to)?);
            to = middle;
        } else {
            proof.push(range_hash(nodes, from, middle)?);
            from = middle;
            whole = false;
        }
    }
    if !whole {
        proof.push(range_hash(nodes, from, to)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Whether `proof` shows that `leaf` is the leaf at `index` of the tree of `size` leaves with this root
/// (RFC 9162 section 2.1.3.2).
#[must_use]
pub fn is_included(leaf: Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut node, mut last, mut hash) = (index, size - 1, leaf);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Whether `proof` shows that the tree of `old` leaves with `old_root` is the beginning of that of `new` leaves with
/// `new_root` (RFC 9162 section 2.1.4.2).
#[must_use]
pub fn is_consistent(old: u64, new: u64, old_root: &Hash, new_root: &Hash, proof: &[Hash]) -> bool {
    if old == new {
        return proof.is_empty() && old_root == new_root;
    }
    if old == 0 || old > new {
        return old == 0 && proof.is_empty() && *old_root == empty_root();
    }
    // A tree that is one complete subtree is its own first step.
    let own = [*old_root];
    let mut steps = if old.is_power_of_two() { own.iter().chain(proof) } else { [].iter().chain(proof) };
    let shift = (old - 1).trailing_ones();
    let (mut node, mut last) = ((old - 1) >> shift, (new - 1) >> shift);
    let Some(first) = steps.next() else { return false };
    let (mut old_hash, mut new_hash) = (*first, *first);
    for sibling in steps {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && old_hash == *old_root && new_hash == *new_root
}

#[cfg(test)]
mod tests;
