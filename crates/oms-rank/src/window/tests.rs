use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Somebody who knows what was told and nothing else.
#[derive(Default)]
struct Client {
    order: Vec<u32>,
    lines: BTreeMap<u32, u8>,
}

impl Client {
    fn take(&mut self, changes: &Changes, now: &[Line<u8>]) {
        // Of `now` it hears the lines that are told, and no others.
        let told = changes.entered.iter().chain(changes.changed.iter().map(|(at, _)| at));
        for line in told.map(|at| &now[*at]) {
            self.lines.insert(line.id, line.shown);
        }
        if let Some(order) = &changes.order {
            self.order.clone_from(order);
            self.lines.retain(|id, _| order.contains(id));
        }
    }
}

fn window() -> impl Strategy<Value = Vec<Line<u8>>> {
    prop::collection::btree_map(0_u32..40, 0_u8..3, 0..30).prop_flat_map(|lines| {
        let lines: Vec<Line<u8>> = lines.into_iter().map(|(id, shown)| Line { id, shown }).collect();
        Just(lines).prop_shuffle()
    })
}

proptest! {
    /// A client that takes every change knows every window, and is told no line that it knows.
    #[test]
    fn whoever_takes_the_changes_knows_the_window(windows in prop::collection::vec(window(), 1..12)) {
        let mut client = Client::default();
        let mut before: Vec<Line<u8>> = Vec::new();
        for now in windows {
            let changes = changes(&before, &now);
            for at in &changes.entered {
                prop_assert!(before.iter().all(|line| line.id != now[*at].id));
            }
            for (at, place) in &changes.changed {
                prop_assert!(before[*place].id == now[*at].id && before[*place].shown != now[*at].shown);
            }
            prop_assert_eq!(changes.is_none(), before == now);
            client.take(&changes, &now);
            let known: Vec<Line<u8>> = client.order.iter().map(|id| Line { id: *id, shown: client.lines[id] }).collect();
            prop_assert_eq!(&known, &now);
            before = now;
        }
    }
}

#[test]
fn a_line_on_top_moves_the_others_and_tells_none_of_them() {
    let lines = |ids: &[u32]| ids.iter().map(|id| Line { id: *id, shown: 0 }).collect::<Vec<_>>();
    let told = changes(&lines(&[1, 2, 3]), &lines(&[9, 1, 2]));
    assert_eq!(told, Changes { order: Some(vec![9, 1, 2]), entered: vec![0], changed: vec![] });
    assert!(changes(&lines(&[1, 2]), &lines(&[1, 2])).is_none());
}
