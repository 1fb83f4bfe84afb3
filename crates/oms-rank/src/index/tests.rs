use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Rows by numbers of which many are equal, and of which the key says only a part: ties go by the row.
struct Values(Vec<u16>);

impl Values {
    fn entry(&self, row: u32) -> Entry {
        Entry { key: u128::from(self.0[row as usize] >> 8), row }
    }
}

impl Ordered for Values {
    fn compare(&self, a: Entry, b: Entry) -> Ordering {
        let value = |entry: Entry| (self.0[entry.row as usize], entry.row);
        a.key.cmp(&b.key).then_with(|| value(a).cmp(&value(b)))
    }
}

/// What an index must be: the rows, sorted.
fn sorted(values: &Values, members: &BTreeMap<u32, ()>) -> Vec<u32> {
    let mut rows: Vec<u32> = members.keys().copied().collect();
    rows.sort_by_key(|row| (values.0[*row as usize], *row));
    rows
}

fn check(index: &RankIndex, values: &Values, members: &BTreeMap<u32, ()>) {
    let expected = sorted(values, members);
    assert_eq!(index.rows_from(0).collect::<Vec<_>>(), expected);
    assert_eq!((index.len(), index.is_empty()), (expected.len(), expected.is_empty()));
    assert_eq!(index.firsts.len(), index.blocks.len());
    for (block, first) in index.blocks.iter().zip(&index.firsts) {
        assert!((1..BLOCK).contains(&block.len()) && block.get(0) == Some(*first));
        assert_eq!(block.keys.len(), block.rows.len());
    }
    for at in [0, 1, expected.len() / 3, expected.len() / 2, expected.len().saturating_sub(1), expected.len(), expected.len() + 7] {
        let window: Vec<u32> = index.rows_from(at).take(40).collect();
        assert_eq!(window, expected.iter().skip(at).take(40).copied().collect::<Vec<_>>(), "from {at}");
    }
    for (rank, row) in expected.iter().enumerate().step_by(97) {
        assert_eq!(index.rank(values.entry(*row), values), Some(rank));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever is put in, taken out and changed: the rows are those of a sort of all of them.
    #[test]
    fn an_index_is_a_sort_that_is_kept_current(
        start in prop::collection::vec(0_u16..2_000, 0..1_500),
        steps in prop::collection::vec((any::<u32>(), 0_u16..2_000, 0_u8..4), 0..1_200),
    ) {
        let mut values = Values(start);
        let room = values.0.len();
        values.0.resize(room + 1_200, 0);
        let mut members: BTreeMap<u32, ()> = (0..room as u32).map(|row| (row, ())).collect();
        let mut index = RankIndex::of(members.keys().map(|row| values.entry(*row)).collect(), &values);
        check(&index, &values, &members);
        for (pick, value, what) in steps {
            let row = pick % values.0.len() as u32;
            let entry = values.entry(row);
            let there = members.contains_key(&row);
            match what {
                0 | 1 if there => {
                    // It changes: out by what it was, in by what it is.
                    prop_assert!(index.remove(entry, &values));
                    values.0[row as usize] = value;
                    prop_assert!(index.insert(values.entry(row), &values));
                    prop_assert!(!index.insert(values.entry(row), &values), "no row is there twice");
                }
                2 if there => {
                    prop_assert!(index.remove(entry, &values));
                    prop_assert!(!index.remove(entry, &values) && index.rank(entry, &values).is_none());
                    members.remove(&row);
                }
                _ if !there => {
                    prop_assert!(!index.remove(entry, &values));
                    values.0[row as usize] = value;
                    prop_assert!(index.insert(values.entry(row), &values));
                    members.insert(row, ());
                }
                _ => (),
            }
        }
        check(&index, &values, &members);
    }
}

#[test]
fn an_index_that_grows_and_shrinks_keeps_its_blocks_whole() {
    let values = Values((0..20_000_u32).map(|row| (row.wrapping_mul(2_654_435_761) >> 16) as u16).collect());
    let mut index = RankIndex::default();
    let mut members = BTreeMap::new();
    for row in 0..20_000 {
        assert!(index.insert(values.entry(row), &values));
        members.insert(row, ());
    }
    check(&index, &values, &members);
    let most = index.blocks.len();
    assert!(most > 20_000 / BLOCK);
    for row in (0..20_000).filter(|row| row % 16 != 0) {
        assert!(index.remove(values.entry(row), &values));
        members.remove(&row);
    }
    check(&index, &values, &members);
    assert!(index.blocks.len() < most / 2, "{} of {most} blocks are left for a sixteenth of the rows", index.blocks.len());
    for row in members.keys() {
        assert!(index.remove(values.entry(*row), &values));
    }
    assert!(index.is_empty() && index.blocks.is_empty() && index.rows_from(0).next().is_none());
}
