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
            match &mut together {
                Some(orders) if change % 2 == 0 => orders.insert(order),
                None if change % 2 == 0 => together = Some(Together::One(order)),
                Some(orders) => {
                    if orders.remove(order) {
                        together = None;
                    }
                }
                None => (),
            }
            if change % 2 == 0 {
                set.insert(order)
            } else {
                set.remove(&order)
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
