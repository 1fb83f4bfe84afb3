//! What a venue is asked, in the words of the port.

use oms_model::{IntentKind, WireId};
use oms_runtime::port::{WireCancel, WireOrder, WireReplace};

/// A request to a venue. Its own ClOrdID is never used twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// 35=D.
    New(WireOrder),
    /// 35=F.
    Cancel(WireCancel),
    /// 35=G.
    Replace(WireReplace),
}

impl Request {
    /// ClOrdID of the request.
    #[must_use]
    pub fn wire_id(&self) -> &WireId {
        match self {
            Self::New(order) => &order.wire_id,
            Self::Cancel(request) => &request.wire_id,
            Self::Replace(request) => &request.wire_id,
        }
    }

    /// What kind of request.
    #[must_use]
    pub const fn kind(&self) -> IntentKind {
        match self {
            Self::New(_) => IntentKind::New,
            Self::Cancel(_) => IntentKind::Cancel,
            Self::Replace(_) => IntentKind::Replace,
        }
    }

    /// After this time it must not be handed over.
    #[must_use]
    pub const fn deadline(&self) -> oms_model::Time {
        match self {
            Self::New(order) => order.deadline,
            Self::Cancel(request) => request.deadline,
            Self::Replace(request) => request.deadline,
        }
    }
}
