//! Bytes to messages and back, in both dialects of the protocol.
//!
//! ```text
//! frame      cutting the stream, the handshake                    (bounded)
//! text       NUL-ended fields: server versions 176, 177 and 178
//! proto      protocol buffers: server versions 213 to 225
//! number     exact decimals
//! request    what clients ask          reply    what TWS or Gateway tell
//! ```
//!
//! - One struct stands for one message in both dialects. A field that only one of them carries says so.
//! - The dialect follows from the server version that the handshake agreed on: [`Dialect::agreed`].
//! - A message id that is not known is no error: [`Decoded::Unknown`], for the receiver to count.
//! - A quantity or price without which a message means nothing is required. It is never read as zero.
//! - Fields that a peer puts after the ones we know are passed over; so are unknown tags.

#[macro_use]
mod layout;
mod account;
mod contract;
mod execution;
mod fault;
pub mod frame;
mod number;
mod order;
mod order_text;
mod proto;
mod reply;
mod request;
mod text;
pub mod tick;
mod told;

pub use account::{AccountEnd, AccountMulti, AccountSummary, AccountTime, AccountValue, Pnl, PortfolioValue, Position, PositionsEnd};
pub use contract::{Contract, ContractData, ContractDetails};
pub use execution::{Commission, Execution, ExecutionReport, OrderBound, OrderStatus};
pub use fault::Fault;
pub use number::{Number, NumberError, Size};
pub use order::{CompletedOrder, Condition, OpenOrder, Order, OrderState, PlaceOrder};
pub use reply::{CompletedEnd, CurrentTime, ManagedAccounts, NextValidId, Notice, OpenOrdersEnd, Reply, RequestEnd};
pub use request::{
    AccountData, AccountDataMulti, AllOpenOrders, AutoOpenOrders, CancelById, CancelMarketData, CancelOrder, CancelPnl, CancelPositions,
    CompletedOrders, ContractQuery, ExecutionFilter, Executions, GlobalCancel, Ids, MarketData, MarketDataKind, OpenOrders, OrderCancel,
    PnlQuery, Positions, Request, RequestAccounts, RequestTime, StartApi, SummaryQuery,
};
pub use tick::{DataType, TickGeneric, TickParams, TickPrice, TickSize, TickString};
pub use told::Field;

/// How messages look on a connection, by the server version that was agreed on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Dialect {
    /// NUL-ended fields.
    Text(u16),
    /// Protocol buffers behind a message id of four bytes.
    Proto(u16),
}

/// The oldest and newest server version of the text dialect that are spoken here.
pub const TEXT_VERSIONS: std::ops::RangeInclusive<u16> = 176..=178;
/// The oldest and newest server version of the protobuf dialect that are spoken here: 213 is the first at which every
/// message is protobuf.
pub const PROTO_VERSIONS: std::ops::RangeInclusive<u16> = 213..=225;

impl Dialect {
    /// The dialect of a server version, where it is spoken here.
    #[must_use]
    pub fn of(version: u16) -> Option<Self> {
        if TEXT_VERSIONS.contains(&version) {
            Some(Self::Text(version))
        } else if PROTO_VERSIONS.contains(&version) {
            Some(Self::Proto(version))
        } else {
            None
        }
    }

    /// What a server that speaks both dialects agrees on with a client that offers `min` to `max`: the newest version
    /// that both speak. The versions between the dialects, where some messages are text and others are not, are
    /// passed over.
    #[must_use]
    pub fn agreed(min: u16, max: u16) -> Option<Self> {
        let version = if max >= *PROTO_VERSIONS.start() { max.min(*PROTO_VERSIONS.end()) } else { max.min(*TEXT_VERSIONS.end()) };
        Self::of(version).filter(|_| min <= version)
    }

    /// The server version.
    #[must_use]
    pub const fn version(self) -> u16 {
        match self {
            Self::Text(version) | Self::Proto(version) => version,
        }
    }
}

/// What a frame held.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Decoded<M> {
    /// A message.
    Message(M),
    /// A message id that is not known here, without the 200 that marks protobuf.
    Unknown(u32),
}

#[cfg(test)]
mod tests;
