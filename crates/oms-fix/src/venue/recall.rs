//! What the logs of a venue's sessions say of orders that were handed over, and of what became of them.

use super::dialect::Dialect;
use super::ledger::{Ledger, Subject};
use super::order::Terms;
use super::said::Said;
use crate::codec::scan::{View, scan};
use crate::codec::value::parse_uint;
use crate::session::config::SessionId;
use crate::store::{JournalStore, Recorded, StoreError};
use crate::tags;
use oms_model::IntentKind;

/// Reads the log of the session for orders.
///
/// # Errors
/// [`StoreError`].
pub(super) fn orders(store: &JournalStore, id: &SessionId, dialect: &Dialect, ledger: &mut Ledger) -> Result<(), StoreError> {
    let mut spans = Vec::new();
    store.past(id, &mut |past| match past {
        Recorded::Reset => ledger.begin_anew(),
        Recorded::Came(_, bytes) | Recorded::Sent(_, bytes) => {
            // It was written or read by this session before; another dialect than then may have given it another shape.
            if scan(bytes, dialect.dictionary, usize::MAX, &mut spans).is_ok() {
                let said = Said::new(View::new(bytes, &spans), dialect);
                match past {
                    Recorded::Sent(seq, _) => sent(ledger, &said, seq),
                    _ => came(ledger, &said),
                }
            }
        }
    })?;
    // There is no connection yet.
    ledger.lost();
    Ok(())
}

/// Reads the log of the drop copy.
///
/// # Errors
/// [`StoreError`].
pub(super) fn copies(store: &JournalStore, id: &SessionId, dialect: &Dialect, ledger: &mut Ledger) -> Result<(), StoreError> {
    let mut spans = Vec::new();
    store.past(id, &mut |past| {
        if let Recorded::Came(_, bytes) = past
            && scan(bytes, dialect.dictionary, usize::MAX, &mut spans).is_ok()
        {
            let said = Said::new(View::new(bytes, &spans), dialect);
            if super::drop_copy::is_execution(&said) {
                ledger.take(&said);
            }
        }
    })
}

fn came(ledger: &mut Ledger, said: &Said<'_>) {
    let number = |tag: i32| said.get(tag).and_then(parse_uint);
    match said.msg_type() {
        b"8" if said.is(150, b"I") => (),
        b"8" | b"9" => drop(ledger.take(said)),
        b"j" | tags::REJECT => {
            let carried = number(tags::REF_SEQ_NUM).and_then(|seq| ledger.carried(seq).cloned());
            if let Some(Subject::Intent(wire_id)) = carried {
                ledger.refused_message(&wire_id, said.text());
            }
        }
        // What was sent by then and asked for again was skipped.
        tags::RESEND_REQUEST => {
            let end = number(tags::END_SEQ_NO).filter(|end| 0 < *end).unwrap_or(u64::MAX);
            drop(ledger.skipped(number(tags::BEGIN_SEQ_NO).unwrap_or(u64::MAX), end));
        }
        tags::LOGON => drop(number(tags::NEXT_EXPECTED_MSG_SEQ_NUM).map(|begin| ledger.skipped(begin, u64::MAX))),
        tags::SEQUENCE_RESET => ledger.hole(),
        _ => (),
    }
}

fn sent(ledger: &mut Ledger, said: &Said<'_>, seq: u64) {
    let msg_type = said.msg_type();
    let (Some(wire_id), true) = (said.wire(tags::CL_ORD_ID), matches!(msg_type, b"D" | b"F" | b"G")) else { return };
    match msg_type {
        b"D" => ledger.hand_order(&wire_id, Terms::read(said).unwrap_or_else(Terms::unknown)),
        b"G" => {
            let own = ledger.get(&wire_id).and_then(|order| order.terms.clone());
            let asked = Terms::read(said).map(|asked| own.map_or_else(|| asked.clone(), |own| asked.clone().over(own)));
            ledger.hand_request(&wire_id, IntentKind::Replace, asked);
        }
        _ => ledger.hand_request(&wire_id, IntentKind::Cancel, None),
    }
    ledger.number(seq, Subject::Intent(wire_id));
}
