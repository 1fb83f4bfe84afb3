//! What the logs of a venue's sessions say of orders that were handed over, and of what became of them.

use std::sync::Arc;

use super::dialect::Dialect;
use super::ledger::{Ledger, Subject};
use super::order::Terms;
use super::port::VenueProfile;
use super::said::Said;
use crate::codec::scan::{Span, View, scan};
use crate::codec::value::parse_uint;
use crate::store::{Fold, Recorded};
use crate::tags;
use oms_model::IntentKind;

/// The orders of one venue as the messages of its sessions tell them: what a [port](super::FixPort) begins with. It is read
/// [with the log](crate::store::JournalStore::open_with), for all venues at once.
#[derive(Clone)]
pub struct Recall {
    orders: String,
    copies: Option<String>,
    dialect: Arc<Dialect>,
    ledger: Ledger,
    spans: Vec<Span>,
}

impl std::fmt::Debug for Recall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recall").field("orders", &self.orders).field("copies", &self.copies).finish_non_exhaustive()
    }
}

impl Recall {
    /// Without any order so far, of the venue that is reached so.
    #[must_use]
    pub fn of(profile: &VenueProfile) -> Self {
        Self {
            orders: profile.config.id.to_string(),
            copies: profile.drop_copy.as_ref().map(|copy| copy.config.id.to_string()),
            dialect: profile.dialect.clone(),
            ledger: Ledger::new(),
            spans: Vec::new(),
        }
    }

    /// The orders. There is no connection yet.
    pub(super) fn into_ledger(self) -> Ledger {
        let mut ledger = self.ledger;
        ledger.lost();
        ledger
    }
}

impl Fold for Recall {
    fn name(&self) -> String {
        // Another dialect may read another thing in the same message.
        let copies = self.copies.as_deref().unwrap_or_default();
        format!("{}\n{copies}\n{}", self.orders, self.dialect.text)
    }

    fn take(&mut self, session: &str, past: Recorded<'_>) {
        let Self { orders, copies, dialect, ledger, spans } = self;
        let is_copy = copies.as_deref() == Some(session);
        if !is_copy && orders != session {
            return;
        }
        let (Recorded::Came(_, bytes) | Recorded::Sent(_, bytes)) = past else {
            if !is_copy {
                ledger.begin_anew();
            }
            return;
        };
        // It was written or read by this session before; another dialect than then may have given it another shape.
        if scan(bytes, dialect.dictionary, usize::MAX, spans).is_err() {
            return;
        }
        let said = Said::new(View::new(bytes, spans), dialect);
        match past {
            Recorded::Came(..) if is_copy => {
                if super::drop_copy::is_execution(&said) {
                    ledger.take(&said);
                }
            }
            Recorded::Came(..) => came(ledger, &said),
            Recorded::Sent(seq, _) if !is_copy => sent(ledger, &said, seq),
            Recorded::Sent(..) | Recorded::Reset => (),
        }
    }

    fn save(&self, out: &mut Vec<u8>) {
        self.ledger.save(out);
    }

    fn load(&mut self, saved: &[u8]) -> Option<()> {
        self.ledger = Ledger::load(saved)?;
        Some(())
    }
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
