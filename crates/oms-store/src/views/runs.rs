//! Which events concern an order, many to a row: those of one tree that were folded in together.
//!
//! An order has some ten events, most of them at once. A row for each would cost more than the order's own.

use oms_model::Seq;
use prost::encoding::{decode_varint, encode_varint};

use super::error::ViewError;

/// The most events in a row.
const MAX_RUN: usize = 256;

/// That an event concerns an order. Sorts by tree, then by sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Concerns {
    /// `created_seq` of the tree's root.
    pub(super) root: Seq,
    /// The event.
    pub(super) seq: Seq,
    /// `created_seq` of the order.
    pub(super) order: Seq,
    /// [`oms_model::Event::code`].
    pub(super) kind: u16,
}

/// The rows that sorted events make.
pub(super) fn runs(sorted: &[Concerns]) -> impl Iterator<Item = &[Concerns]> {
    sorted.chunk_by(|one, next| one.root == next.root).flat_map(|tree| tree.chunks(MAX_RUN))
}

/// Appends the events of a run: of each how far it is behind the one before it, how far its order is behind the root, and
/// its kind.
pub(super) fn encode(run: &[Concerns], out: &mut Vec<u8>) {
    let mut before = run.first().map_or(Seq(0), |first| first.root);
    for Concerns { root, seq, order, kind } in run {
        encode_varint(seq.0.wrapping_sub(before.0), out);
        encode_varint(order.0.wrapping_sub(root.0), out);
        encode_varint(u64::from(*kind), out);
        before = *seq;
    }
}

/// Hands the events of a run of the tree at `root` to `visit`.
pub(super) fn decode(root: Seq, mut run: &[u8], mut visit: impl FnMut(Concerns)) -> Result<(), ViewError> {
    const DURING: &str = "read which events concern an order";
    let number = |run: &mut &[u8]| decode_varint(run).map_err(|error| ViewError::damaged(DURING, error));
    let mut seq = root;
    while !run.is_empty() {
        seq = Seq(seq.0.wrapping_add(number(&mut run)?));
        let order = Seq(root.0.wrapping_add(number(&mut run)?));
        let kind = u16::try_from(number(&mut run)?).map_err(|error| ViewError::damaged(DURING, error))?;
        visit(Concerns { root, seq, order, kind });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Concerns, MAX_RUN, decode, encode, runs};
    use oms_model::Seq;

    fn event(root: u64, seq: u64, order: u64, kind: u16) -> Concerns {
        Concerns { root: Seq(root), seq: Seq(seq), order: Seq(order), kind }
    }

    fn decoded(root: u64, bytes: &[u8]) -> Option<Vec<Concerns>> {
        let mut events = Vec::new();
        decode(Seq(root), bytes, |event| events.push(event)).ok().map(|()| events)
    }

    #[test]
    fn a_run_says_what_went_in_and_a_cut_one_is_damaged() {
        let events = [event(7, 7, 7, 1), event(7, 10, 9, 300), event(7, 1 << 60, 7, u16::MAX)];
        let mut bytes = Vec::new();
        encode(&events, &mut bytes);
        assert_eq!(decoded(7, &bytes).unwrap(), events);
        for cut in 0..bytes.len() {
            // Between two events a cut leaves a shorter run; nothing cuts a blob of a committed row.
            assert!(decoded(7, &bytes[..cut]).is_none_or(|found| found == events[..found.len()] && found.len() < events.len()), "{cut}");
        }
    }

    #[test]
    fn each_tree_has_rows_of_its_own_and_none_is_too_long() {
        let mut events: Vec<Concerns> = (0..2 * MAX_RUN as u64 + 1).map(|n| event(1, n + 1, 1, 2)).collect();
        events.extend([event(5, 5, 5, 1), event(5, 6, 6, 1)]);
        let lengths: Vec<usize> = runs(&events).map(<[_]>::len).collect();
        assert_eq!(lengths, [MAX_RUN, MAX_RUN, 1, 2]);
    }
}
