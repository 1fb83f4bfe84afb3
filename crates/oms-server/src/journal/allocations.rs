//! `oms allocation verify`: every receipt in a log, worked out again.

use super::{damaged, dir, open};
use crate::cli::Stored;
use crate::config::Settings;
use crate::exit::{Failure, Outcome, written};
use oms_model::allocate::{RULE, Weight, allocate};
use oms_model::event::{Allocation, Event, Member};
use oms_store::{Journal, OpenCheck, codec};
use serde_json::json;
use std::io::Write;
use std::ops::ControlFlow;

/// Works every allocation out again.
///
/// # Errors
/// [`Failure::Refused`] where one is not what its rule gives, or the log is damaged.
pub fn verify(stored: &Stored, settings: &Settings) -> Outcome {
    let journal = open(&dir(stored, settings), OpenCheck::Tail)?;
    let (mut checked, mut failed) = (0_u64, None);
    let mut visit = |body: &[u8], seq: u64| -> ControlFlow<()> {
        let batch = match codec::decode_batch(body) {
            Ok(batch) => batch,
            Err(error) => {
                failed = Some(format!("the entry at sequence {seq} cannot be decoded: {error}"));
                return ControlFlow::Break(());
            }
        };
        for (seq, event) in batch.numbered() {
            let allocation = match event {
                Event::AllocationBooked(allocation) => &**allocation,
                Event::AllocationProposed(proposed) => &proposed.allocation,
                _ => continue,
            };
            checked += 1;
            if let Err(problem) = check(allocation) {
                failed = Some(format!("allocation {} at sequence {seq}: {problem}", allocation.alloc_id));
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    };
    let first = 1;
    if journal.tip().last_seq >= first {
        journal.reader().scan(first, &mut |entry| visit(entry.entry.body, entry.entry.first_seq)).map_err(|error| damaged(&error))?;
    }
    if let Some(problem) = failed {
        return Err(Failure::Refused(problem));
    }
    let text = if stored.json {
        json!({"allocations": checked, "agree": true}).to_string()
    } else {
        format!("{checked} allocations, each what its rule gives")
    };
    written(writeln!(std::io::stdout(), "{text}"))
}

/// Whether an allocation is what its rule gives from its inputs.
fn check(allocation: &Allocation) -> Result<(), String> {
    if allocation.rule != RULE {
        return Err(format!("it was made by rule {}, and this program knows rule {RULE}", allocation.rule));
    }
    let weights: Vec<Weight> = allocation.members.iter().map(Member::weight).collect();
    match allocate(allocation.qty, allocation.notional, allocation.lot, &weights) {
        Some(shares) if shares == allocation.shares => Ok(()),
        Some(_) => Err("its shares are not what the rule gives".to_owned()),
        None => Err("its inputs are none that the rule takes".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oms_model::{OrderId, Time};

    fn allocation() -> Allocation {
        let member = |id: u128, remaining: &str| Member {
            order_id: OrderId::from_u128(id),
            created_at: Time(1),
            remaining: remaining.parse().unwrap(),
            ..Member::default()
        };
        let members = vec![member(1, "70"), member(2, "30")];
        let weights: Vec<Weight> = members.iter().map(Member::weight).collect();
        let (qty, notional, lot) = ("33".parse().unwrap(), "661".parse().unwrap(), "1".parse().unwrap());
        let shares = allocate(qty, notional, lot, &weights).unwrap();
        Allocation { rule: RULE, qty, notional, lot, members, shares, ..Allocation::default() }
    }

    #[test]
    fn a_receipt_is_what_its_rule_gives_and_nothing_else() {
        assert_eq!(check(&allocation()), Ok(()));
        let mut moved = allocation();
        moved.shares.swap(0, 1);
        assert!(check(&moved).unwrap_err().contains("not what the rule gives"));
        let mut other = allocation();
        other.rule += 1;
        assert!(check(&other).unwrap_err().contains("knows rule"));
        let mut less = allocation();
        less.notional = "660".parse().unwrap();
        assert!(check(&less).is_err());
    }
}
