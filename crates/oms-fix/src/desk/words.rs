//! FIX's words for ours, and ours for FIX's. The one place in which refusals become FIX's reasons.

use oms_model::command::NewOrder;
use oms_model::{Code, EndedBy, OrdStatus, OrdType, Refusal, Side, TimeInForce};

/// OrdRejReason(103) of a refusal.
#[must_use]
pub fn ord_rej_reason(code: Code) -> u64 {
    match code {
        Code::UnknownSymbol => 1,
        Code::MarketClosed | Code::TradingHalted | Code::InstrumentExpired => 2,
        Code::RiskLimitBreach | Code::SoftLimitBreach | Code::InsufficientBuyingPower | Code::RateLimited => 3,
        Code::QuoteNotLive => 8,
        Code::DuplicateClOrdId | Code::DuplicateOrder => 6,
        Code::OrderTypeUnsupported | Code::AssetClassRule => 11,
        Code::InvalidLot => 13,
        // Of what an order names and may not be there, symbols have a code of their own.
        Code::NotFound | Code::AccountDisabled | Code::Forbidden => 15,
        Code::Overloaded | Code::Internal | Code::NoRoute | Code::BrokerReject | Code::BrokerUnavailable | Code::KillSwitch => 0,
        _ => 99,
    }
}

/// CxlRejReason(102) of a refusal; `done` and `pending` say how the order stands.
#[must_use]
pub fn cxl_rej_reason(code: Code, done: bool, pending: bool) -> u64 {
    match code {
        Code::NotFound => 1,
        Code::StateConflict if done => 0,
        Code::StateConflict if pending => 3,
        Code::DuplicateClOrdId => 6,
        Code::ValidationError | Code::OrderTypeUnsupported | Code::InvalidTick | Code::InvalidLot | Code::StateConflict => 99,
        _ => 2,
    }
}

/// ExecRestatementReason(378): the broker's own decision.
pub const BROKER_OPTION: u64 = 4;

/// ExecRestatementReason(378) of an order that was canceled without a request of its client's session.
#[must_use]
pub fn restatement_reason(by: EndedBy) -> u64 {
    match by {
        // By its owner, at another door.
        EndedBy::Client => 2,
        EndedBy::Risk | EndedBy::Router | EndedBy::KillSwitch | EndedBy::Validation | EndedBy::Rules => BROKER_OPTION,
        EndedBy::DeadMan => 7,
        EndedBy::Venue => 8,
        EndedBy::Timer | EndedBy::NotSent | EndedBy::DayClose | EndedBy::Contingency | EndedBy::Algo => 99,
    }
}

/// Text(58) of a refusal.
#[must_use]
pub fn text(refusal: &Refusal) -> String {
    refusal.to_string()
}

/// OrdStatus(39).
#[must_use]
pub fn ord_status(status: OrdStatus) -> u8 {
    match status {
        OrdStatus::New | OrdStatus::Unack | OrdStatus::Live => b'0',
        OrdStatus::PartiallyFilled => b'1',
        OrdStatus::Filled => b'2',
        OrdStatus::Canceled => b'4',
        OrdStatus::PendingCancel => b'6',
        OrdStatus::Rejected => b'8',
        OrdStatus::Expired => b'C',
        OrdStatus::PendingReplace => b'E',
        // What it ended as was told before it was cleaned up.
        OrdStatus::Closed => b'B',
    }
}

/// Side(54).
#[must_use]
pub fn side(side: Side) -> u8 {
    match side {
        Side::Buy => b'1',
        Side::Sell => b'2',
        Side::SellShort => b'5',
        Side::SellShortExempt => b'6',
        Side::Subscribe => b'D',
        Side::Redeem => b'E',
    }
}

/// The side that Side(54) names; `None`: one that is not traded here.
#[must_use]
pub fn side_of(value: &[u8]) -> Option<Side> {
    Some(match value {
        b"1" => Side::Buy,
        b"2" => Side::Sell,
        b"5" => Side::SellShort,
        b"6" => Side::SellShortExempt,
        b"D" => Side::Subscribe,
        b"E" => Side::Redeem,
        _ => return None,
    })
}

/// OrdType(40) and TimeInForce(59). FIX 4.4 says by the time in force that an order is for the close.
#[must_use]
pub fn ord_type(ord_type: OrdType, time_in_force: TimeInForce) -> (u8, u8) {
    let tif = match time_in_force {
        TimeInForce::Day => b'0',
        TimeInForce::Gtc => b'1',
        TimeInForce::Opg => b'2',
        TimeInForce::Ioc => b'3',
        TimeInForce::Fok => b'4',
        TimeInForce::Gtd => b'6',
    };
    match ord_type {
        OrdType::Market => (b'1', tif),
        OrdType::Limit => (b'2', tif),
        OrdType::Stop => (b'3', tif),
        OrdType::StopLimit => (b'4', tif),
        OrdType::TrailingStop | OrdType::TrailingStopLimit | OrdType::Pegged => (b'P', tif),
        OrdType::MarketOnClose => (b'1', b'7'),
        OrdType::LimitOnClose => (b'2', b'7'),
        OrdType::MarketToLimit => (b'K', tif),
        OrdType::PreviouslyQuoted => (b'D', tif),
    }
}

/// Takes OrdType(40), TimeInForce(59) and whether a peg is a trailing stop into an order.
///
/// # Errors
/// `ORDER_TYPE_UNSUPPORTED`.
pub fn read_type(order: &mut NewOrder, ord_type: &[u8], time_in_force: Option<&[u8]>, trails: bool) -> Result<(), Refusal> {
    let unsupported = |what: &str| Err(Refusal::new(Code::OrderTypeUnsupported, format!("{what} is not offered")));
    let at_close = time_in_force == Some(b"7");
    order.ord_type = match (ord_type, at_close) {
        (b"1", true) => OrdType::MarketOnClose,
        (b"2", true) => OrdType::LimitOnClose,
        (_, true) => return unsupported("this OrdType(40) with TimeInForce(59)=7"),
        (b"1", _) => OrdType::Market,
        (b"2", _) => OrdType::Limit,
        (b"3", _) => OrdType::Stop,
        (b"4", _) => OrdType::StopLimit,
        (b"D", _) => OrdType::PreviouslyQuoted,
        (b"K", _) => OrdType::MarketToLimit,
        (b"P", _) if trails => OrdType::TrailingStop,
        (b"P", _) => OrdType::Pegged,
        _ => return unsupported("this OrdType(40)"),
    };
    order.time_in_force = match time_in_force {
        None | Some(b"0" | b"7") => TimeInForce::Day,
        Some(b"1") => TimeInForce::Gtc,
        Some(b"2") => TimeInForce::Opg,
        Some(b"3") => TimeInForce::Ioc,
        Some(b"4") => TimeInForce::Fok,
        Some(b"6") => TimeInForce::Gtd,
        Some(_) => return unsupported("this TimeInForce(59)"),
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_come_back_as_they_were_sent() {
        for &one in OrdType::ALL {
            for &tif in TimeInForce::ALL {
                let close = matches!(one, OrdType::MarketOnClose | OrdType::LimitOnClose);
                // FIX 4.4 has no word for a trailing stop with a limit.
                if one == OrdType::TrailingStopLimit || close && tif != TimeInForce::Day {
                    continue;
                }
                let (code, code_tif) = ord_type(one, tif);
                let mut order = NewOrder::default();
                read_type(&mut order, &[code], Some(&[code_tif]), one == OrdType::TrailingStop).unwrap();
                assert_eq!((order.ord_type, order.time_in_force), (one, tif));
            }
        }
        for &one in Side::ALL {
            assert_eq!(side_of(&[side(one)]), Some(one));
        }
    }

    #[test]
    fn every_reason_is_one_that_fix_has() {
        let dictionary = crate::dictionary::fix44();
        let known =
            |tag: i32, value: u64| dictionary.field(tag).unwrap().values.iter().any(|known| known.as_ref() == value.to_string().as_bytes());
        for &code in Code::ALL {
            assert!(known(103, ord_rej_reason(code)), "{code}");
            for (done, pending) in [(false, false), (true, false), (false, true)] {
                assert!(known(102, cxl_rej_reason(code, done, pending)), "{code}");
            }
        }
        for &by in EndedBy::ALL {
            assert!(known(378, restatement_reason(by)), "{by}");
        }
        for &status in OrdStatus::ALL {
            assert!(dictionary.field(39).unwrap().values.iter().any(|known| known.as_ref() == [ord_status(status)]), "{status}");
        }
    }
}
