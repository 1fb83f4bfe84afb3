use super::*;
use crate::machine::IllegalStep;

#[test]
fn histories_are_checked_step_by_step() {
    assert_eq!(OrderMachine::validate_sequence(&[Unack, Live, PartiallyFilled, PartiallyFilled, Filled, Closed]), Ok(()));
    assert_eq!(OrderMachine::validate_sequence(&[Unack, Filled]), Ok(()), "a fill may arrive before the acknowledgement");
    assert_eq!(OrderMachine::validate_sequence(&[Unack, Canceled, Live]), Err(IllegalStep { at: 2, from: Canceled, to: Live }));
    assert_eq!(OrderMachine::validate_sequence(&[Live]), Err(IllegalStep { at: 0, from: New, to: Live }));
}

/// The table of the specification, row by row: from, then every state it may go to.
#[test]
fn the_table_is_the_specified_one() {
    let rows: &[(OrdState, &[OrdState])] = &[
        (New, &[Unack, Canceled, Rejected, Expired]),
        (Unack, &[Live, PartiallyFilled, Filled, Canceled, Rejected, Expired]),
        (Live, &[PartiallyFilled, Filled, Canceled, Rejected, Expired]),
        (PartiallyFilled, &[Live, PartiallyFilled, Filled, Canceled, Rejected, Expired]),
        (Filled, &[Live, PartiallyFilled, Closed]),
        (Canceled, &[Closed]),
        (Rejected, &[Closed]),
        (Expired, &[Closed]),
        (Closed, &[]),
    ];
    for &(from, allowed) in rows {
        for &to in OrdState::ALL {
            assert_eq!(OrderMachine::allows(from, to), allowed.contains(&to), "{from} -> {to}");
        }
    }
    for &state in OrdState::ALL {
        assert_eq!(OrderMachine::is_terminal(state), state == Closed);
    }
}
