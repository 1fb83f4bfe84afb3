use super::Together;
use oms_model::OrderId;
use std::collections::BTreeSet;

const IDS: u32 = 3;
const STEPS: u32 = 6;

/// Every sequence of six changes with three orders.
#[test]
fn what_is_due_together_is_a_set() {
    for sequence in 0..(2 * IDS).pow(STEPS) {
        let (mut set, mut together) = (BTreeSet::new(), None::<Together>);
        for at in 0..STEPS {
            let change = sequence / (2 * IDS).pow(at) % (2 * IDS);
            let order = OrderId::from_u128(u128::from(change / 2));
            let inserts = change.is_multiple_of(2);
            if inserts {
                set.insert(order);
            } else {
                set.remove(&order);
            }
            let is_over = together.as_mut().is_some_and(|orders| !inserts && orders.remove(order));
            together = match together {
                None if inserts => Some(Together::One(order)),
                Some(mut orders) if inserts => {
                    orders.insert(order);
                    Some(orders)
                }
                left => left.filter(|_| !is_over),
            };
            let has: Vec<OrderId> = together.iter().flat_map(Together::iter).collect();
            assert_eq!(has, set.iter().copied().collect::<Vec<_>>(), "sequence {sequence}, change {at}");
            for id in 0..IDS {
                let order = OrderId::from_u128(u128::from(id));
                assert_eq!(together.as_ref().is_some_and(|orders| orders.contains(order)), set.contains(&order));
            }
        }
    }
}
