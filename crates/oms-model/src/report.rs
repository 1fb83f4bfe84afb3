//! What a venue claims. A report may be late, twice, out of order or wrong.

use crate::amount::{Notional, Price, Qty};
use crate::ids::{BrokerOrderId, ExecId, Mic, Time, WireId};
use crate::instrument::Currency;
use crate::terms::{IntentKind, Liquidity, Outcome};

/// A claim about one wire id, or about a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Who claims it.
    pub venue: Mic,
    /// When it happened, by the venue's clock.
    pub transact_time: Time,
    /// The claim.
    pub body: ReportBody,
}

/// An execution as the venue tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VenueFill {
    /// The venue's id of it; the same for every repetition.
    pub exec_id: ExecId,
    /// Quantity.
    pub last_qty: Qty,
    /// Price.
    pub last_px: Price,
    /// Added or removed liquidity.
    pub liquidity: Liquidity,
    /// Charge per unit; a rebate is negative.
    pub fee_per_unit: Price,
}

/// What is claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReportBody {
    /// The venue works the order (ExecType 0).
    Accepted {
        /// Which.
        wire_id: WireId,
        /// The venue's id.
        broker_order_id: Option<BrokerOrderId>,
    },
    /// The venue refused the order (ExecType 8).
    Rejected {
        /// Which.
        wire_id: WireId,
        /// Its words.
        text: String,
    },
    /// The order was executed, wholly or in part (ExecType F).
    Fill {
        /// Which: the id of the order or of the last accepted replace.
        wire_id: WireId,
        /// How.
        fill: VenueFill,
    },
    /// The market took an execution back (ExecType H).
    Busted {
        /// Which order, as in [`ReportBody::Fill`].
        wire_id: WireId,
        /// The execution (FIX 19).
        exec_ref: ExecId,
        /// The venue's id of the reversal (FIX 17).
        exec_id: ExecId,
        /// Its words.
        text: String,
    },
    /// The market corrected an execution (ExecType G).
    Corrected {
        /// Which order, as in [`ReportBody::Fill`].
        wire_id: WireId,
        /// The execution (FIX 19).
        exec_ref: ExecId,
        /// All figures as they are now; `exec_id` is the venue's id of the correction.
        fill: VenueFill,
        /// Its words.
        text: String,
    },
    /// What an execution cost, told later than the execution.
    Commission {
        /// Which order, as in [`ReportBody::Fill`].
        wire_id: WireId,
        /// The execution.
        exec_id: ExecId,
        /// The whole charge; a rebate is negative.
        commission: Notional,
        /// In which currency.
        currency: Currency,
    },
    /// The order is canceled (ExecType 4): asked by `wire_id`, or unasked where that is the order's own id.
    Canceled {
        /// The cancel request, or the order.
        wire_id: WireId,
        /// Its words.
        text: String,
    },
    /// The cancel was refused (35=9).
    CancelRejected {
        /// The cancel request.
        wire_id: WireId,
        /// Its words.
        text: String,
    },
    /// The order was replaced (ExecType 5).
    Replaced {
        /// The replace request.
        wire_id: WireId,
        /// FIX 38 by the venue, where it says so: what was asked for, or amended to what it had executed by then.
        order_qty: Option<Qty>,
    },
    /// The replace was refused (35=9).
    ReplaceRejected {
        /// The replace request.
        wire_id: WireId,
        /// Its words.
        text: String,
    },
    /// The order ended by its time in force (ExecType C).
    Expired {
        /// Which.
        wire_id: WireId,
    },
    /// An intent was handed over, or may have been, and no answer is known: timeout, disconnect, local error.
    /// Not evidence of anything.
    Unknown {
        /// Which.
        wire_id: WireId,
        /// What it was.
        intent: IntentKind,
        /// Why nothing is known.
        reason: String,
    },
    /// An intent provably never left us: it was not handed over at all (deadline passed, session down, kill switch).
    NotSent {
        /// Which.
        wire_id: WireId,
        /// What it was.
        intent: IntentKind,
        /// The evidence.
        reason: String,
    },
    /// A complete answer of the venue to a query about an intent that was in doubt. Fills that it names
    /// were reported before it, as [`ReportBody::Fill`].
    Resolved {
        /// Which.
        wire_id: WireId,
        /// What it was.
        intent: IntentKind,
        /// How it ended.
        outcome: Outcome,
        /// The venue's id, where it knows the order.
        broker_order_id: Option<BrokerOrderId>,
        /// The evidence, in words.
        evidence: String,
    },
    /// The session is up and reconciled; orders may be sent.
    SessionUp,
    /// The session is down; nothing more may be sent.
    SessionDown {
        /// Why.
        reason: String,
    },
}

impl ReportBody {
    /// The wire id that it is about; `None` for session reports.
    #[must_use]
    pub fn wire_id(&self) -> Option<&WireId> {
        match self {
            Self::Accepted { wire_id, .. }
            | Self::Rejected { wire_id, .. }
            | Self::Fill { wire_id, .. }
            | Self::Busted { wire_id, .. }
            | Self::Corrected { wire_id, .. }
            | Self::Commission { wire_id, .. }
            | Self::Canceled { wire_id, .. }
            | Self::CancelRejected { wire_id, .. }
            | Self::Replaced { wire_id, .. }
            | Self::ReplaceRejected { wire_id, .. }
            | Self::Expired { wire_id }
            | Self::Unknown { wire_id, .. }
            | Self::NotSent { wire_id, .. }
            | Self::Resolved { wire_id, .. } => Some(wire_id),
            Self::SessionUp | Self::SessionDown { .. } => None,
        }
    }
}
