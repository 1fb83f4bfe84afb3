//! What clients were answered, which must be so for ever after.

use super::Gate;
use crate::hold;
use oms_engine::State;
use oms_engine::input::IdempotencyKey;
use oms_model::command::{Command, CommandOutcome, NewOrder, Placed};
use oms_model::{ClOrdId, Code, OrderId, Qty, Time};
use std::collections::BTreeMap;

/// Something that a client asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What.
    pub command: Command,
    /// With which key.
    pub key: Option<IdempotencyKey>,
    /// The first answer that it got.
    pub answer: Option<CommandOutcome>,
}

/// An acknowledged order.
#[derive(Clone, Debug)]
struct Acknowledged {
    cl_ord_id: Option<ClOrdId>,
    asked: NewOrder,
    accepted: bool,
}

/// Every question with its answer.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// In the order in which they were first asked.
    pub asked: Vec<Asked>,
    orders: BTreeMap<OrderId, Acknowledged>,
    first_keyed: Option<Time>,
    /// The highest sequence that an answer has shown.
    pub shown_seq: u64,
}

/// So long is an answer kept for its key; nanoseconds.
const KEPT_NS: i64 = 86_400_000_000_000;

impl Answers {
    /// A client asks something. A key is kept from when its question was decided, not from when the answer came.
    pub fn ask(&mut self, command: Command, key: Option<IdempotencyKey>, now: Time) {
        if key.is_some() {
            self.first_keyed.get_or_insert(now);
        }
        self.asked.push(Asked { command, key, answer: None });
    }

    /// A client got an answer to question `at`.
    pub fn answered(&mut self, at: usize, outcome: &CommandOutcome, last_seq: u64, now: Time) {
        self.shown_seq = self.shown_seq.max(last_seq);
        let kept = self.keeps_all(now);
        let asked = &mut self.asked[at];
        if asked.key.is_some() {
            match &asked.answer {
                Some(first) => hold!(7, !kept || first == outcome, "a key was answered {outcome:?} after {first:?}"),
                None => asked.answer = Some(outcome.clone()),
            }
        }
        let news: Vec<NewOrder> = match &self.asked[at].command {
            Command::CreateOrder(order) => vec![(**order).clone()],
            Command::CreateOrders { orders, .. } | Command::CreateOrderList { orders, .. } => orders.clone(),
            _ => return,
        };
        let CommandOutcome::Orders(placed) = outcome else { return };
        hold!(1, placed.len() == news.len(), "{} orders were asked for, {} answered", news.len(), placed.len());
        for (placed, order) in placed.iter().zip(news) {
            let (order_id, accepted) = match placed {
                Placed::Accepted { order_id } => (*order_id, true),
                Placed::Refused { order_id, .. } => (*order_id, false),
                Placed::Invalid(_) => continue,
            };
            let acknowledged = Acknowledged { cl_ord_id: order.cl_ord_id.clone(), asked: order, accepted };
            if let Some(known) = self.orders.get(&order_id) {
                hold!(7, known.cl_ord_id == acknowledged.cl_ord_id, "order {order_id} was answered to two questions");
            }
            self.orders.insert(order_id, acknowledged);
        }
    }

    /// Whether every key that was ever used is still kept.
    #[must_use]
    pub fn keeps_all(&self, now: Time) -> bool {
        self.first_keyed.is_none_or(|first| now.since(first) < KEPT_NS)
    }

    /// A client used the key of question `at` for something else.
    pub fn conflicted(outcome: &CommandOutcome) {
        let refused = matches!(outcome, CommandOutcome::Refused(refusal) if refusal.code == Code::IdempotencyConflict);
        hold!(7, refused, "a key was taken with another payload: {outcome:?}");
    }

    /// Everything that was acknowledged is in `state`.
    pub fn hold_in(&self, state: &State, gate: &Gate) {
        hold!(1, self.shown_seq <= state.last_seq().0, "answered up to {}, recovered {}", self.shown_seq, state.last_seq());
        for (order_id, known) in &self.orders {
            if let Some(cl_ord_id) = &known.cl_ord_id {
                let found = state.by_cl_ord_id(cl_ord_id);
                hold!(1, found == Some(*order_id), "acknowledged order {order_id} ({cl_ord_id}) is {found:?}");
            }
            // A tree that was cleaned up leaves its id behind.
            let Some(order) = state.order(*order_id) else { continue };
            let symbol = state.instrument(order.instrument_id).map(|instrument| &instrument.symbol);
            let same = symbol == Some(&known.asked.symbol)
                && (order.side, order.ord_type, order.time_in_force) == (known.asked.side, known.asked.ord_type, known.asked.time_in_force)
                && self.quantities(known).any(|(qty, replaced)| {
                    // A fill on its way makes the quantity of a replace what was executed until then; and no more is
                    // executed than was ever ordered.
                    let overtaken = replaced && qty < order.order_qty && self.quantities(known).any(|(most, _)| order.order_qty <= most);
                    // What others of its list have executed is taken from it.
                    // What it would have traded with an own order may be too.
                    let taken = (order.list_id().is_some() || gate.has_met(*order_id)) && order.order_qty < qty;
                    qty == order.order_qty || overtaken || taken
                });
            hold!(1, same, "acknowledged order {order_id} is not as it was asked: {order:?}");
            let refused = order.state == oms_model::OrdState::Rejected && order.children.is_empty();
            // One that waited may be refused once it is looked at again.
            let waited = known.accepted && gate.has_waited(*order_id);
            hold!(
                1,
                waited || known.accepted != refused,
                "order {order_id} was answered accepted={} and is {}",
                known.accepted,
                order.state
            );
        }
    }

    /// The quantities that an order may have: as it was placed, or as any replace asked for (which is said with it).
    fn quantities<'a>(&'a self, known: &'a Acknowledged) -> impl Iterator<Item = (Qty, bool)> + 'a {
        let replaced = self.asked.iter().filter_map(|asked| match &asked.command {
            Command::ReplaceOrder { change, .. } => change.order_qty,
            _ => None,
        });
        std::iter::once((known.asked.order_qty, false)).chain(replaced.map(|qty| (qty, true)))
    }
}
