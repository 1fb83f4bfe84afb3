//! What is asked about grouped orders.

use super::OrderRef;
use crate::amount::Price;
use crate::ids::{AccountId, ClOrdId};
use crate::order::Routing;
use crate::terms::AllocMode;

/// Orders that are to be worked as one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewGroup {
    /// The id that the group goes by; its own id in text where none is given.
    pub cl_ord_id: Option<ClOrdId>,
    /// The members.
    pub members: Vec<OrderRef>,
    /// The account that it executes in; needed where the members are not all of one account.
    pub account_id: Option<AccountId>,
    /// Its limit; the strictest of the members' where none is given.
    pub price: Option<Price>,
    /// When what it executes is shared out.
    pub mode: AllocMode,
    /// How it is placed.
    pub routing: Routing,
}
