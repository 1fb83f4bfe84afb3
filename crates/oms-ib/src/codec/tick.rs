//! Market data.

use super::{Number, Size};

/// The kind of tick that is the best bid.
pub const BID: i32 = 1;
/// The best offer.
pub const ASK: i32 = 2;
/// The last sale.
pub const LAST: i32 = 4;
/// The size of the best bid.
pub const BID_SIZE: i32 = 0;
/// The size of the best offer.
pub const ASK_SIZE: i32 = 3;
/// The size of the last sale.
pub const LAST_SIZE: i32 = 5;
/// What was traded today.
pub const VOLUME: i32 = 8;
/// When the last sale was, in seconds since 1970.
pub const LAST_TIME: i32 = 45;

message! {
    /// What market data of a request will be like.
    TickParams {
        /// Of the request.
        req_id: i32 = 1,
        /// The price increment.
        min_tick: Option<Size> = 2,
        /// Names the letters of exchanges.
        bbo_exchange: String = 3,
        /// Whether snapshots are permitted.
        permissions: i32 = 4,
    }
}
text!(TickParams { req_id, min_tick, bbo_exchange, permissions });
message! {
    /// Which market data a request gets: 1 live, 2 frozen, 3 delayed, 4 both.
    DataType {
        /// Of the request.
        req_id: i32 = 1,
        /// The kind.
        kind: i32 = 2,
    }
}
text!(DataType version "1" { req_id, kind });
message! {
    /// A price, with its size where it has one.
    TickPrice {
        /// Of the request.
        req_id: i32 = 1,
        /// [`BID`], [`ASK`], [`LAST`].
        kind: i32 = 2,
        /// The price; -1 where there is none.
        price: Number = 3,
        /// The size.
        size: Option<Size> = 4,
        /// What may be done with it.
        mask: i32 = 5,
    }
}
text!(TickPrice version "6" { req_id, kind, price, size, mask });
message! {
    /// A size.
    TickSize {
        /// Of the request.
        req_id: i32 = 1,
        /// [`BID_SIZE`], [`ASK_SIZE`], [`LAST_SIZE`], [`VOLUME`].
        kind: i32 = 2,
        /// The size.
        size: Size = 3,
    }
}
text!(TickSize version "6" { req_id, kind, size });
message! {
    /// Another figure.
    TickGeneric {
        /// Of the request.
        req_id: i32 = 1,
        /// Which.
        kind: i32 = 2,
        /// The figure.
        value: Number = 3,
    }
}
text!(TickGeneric version "1" { req_id, kind, value });
message! {
    /// Another text, such as [`LAST_TIME`].
    TickString {
        /// Of the request.
        req_id: i32 = 1,
        /// Which.
        kind: i32 = 2,
        /// The text.
        value: String = 3,
    }
}
text!(TickString version "1" { req_id, kind, value });
