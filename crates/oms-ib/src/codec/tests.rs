mod foreign;
mod golden;
pub mod sample;

use std::collections::BTreeSet;

use proptest::prelude::*;
use sample::Dice;

use super::*;

const DIALECTS: [Dialect; 5] = [Dialect::Text(176), Dialect::Text(177), Dialect::Text(178), Dialect::Proto(213), Dialect::Proto(225)];

/// The body of the only frame.
fn body(frame: &[u8]) -> &[u8] {
    let mut framer = frame::Framer::client(frame::MAX_REPLY);
    framer.push(frame);
    let place = framer.cut().unwrap().unwrap();
    assert_eq!(framer.cut(), Ok(None));
    &frame[place]
}

fn order_as_text(order: &mut Order) {
    if order.algo_strategy.is_empty() {
        order.algo_params.clear();
    }
    if order.conditions.is_empty() {
        (order.conditions_ignore_rth, order.conditions_cancel) = (false, false);
    }
}

/// Takes away what the dialect does not carry.
fn request_on(dialect: Dialect, mut request: Request) -> Request {
    if let Dialect::Text(_) = dialect {
        match &mut request {
            Request::Executions(executions) => executions.filter.last_days = None,
            Request::PlaceOrder(PlaceOrder { order_id, order, .. }) => {
                order_as_text(order);
                (order.order_id, order.client_id, order.perm_id) = (*order_id, 0, 0);
            }
            _ => (),
        }
    }
    request
}

/// Takes away what the dialect does not carry.
fn reply_on(dialect: Dialect, mut reply: Reply) -> Reply {
    let Dialect::Text(version) = dialect else { return reply };
    match &mut reply {
        Reply::Notice(notice) => notice.time = 0,
        Reply::Execution(report) => {
            report.contract.primary_exchange.clear();
            report.execution.revision_pending &= version >= 178;
        }
        Reply::Position(position) => position.contract.primary_exchange.clear(),
        Reply::PortfolioValue(row) => row.contract.exchange.clear(),
        Reply::OpenOrder(OpenOrder { order_id, contract, order, state }) => {
            order_as_text(order);
            contract.primary_exchange.clear();
            (order.order_id, order.transmit) = (*order_id, true);
            (state.reject_reason, state.completed_time, state.completed_status) = Default::default();
        }
        Reply::CompletedOrder(CompletedOrder { contract, order, state, .. }) => {
            order_as_text(order);
            contract.primary_exchange.clear();
            (order.order_id, order.client_id, order.parent_id, order.what_if, order.transmit) = (0, 0, 0, false, true);
            *state = OrderState {
                status: state.status.clone(),
                completed_time: state.completed_time.clone(),
                completed_status: state.completed_status.clone(),
                ..OrderState::default()
            };
        }
        _ => (),
    }
    reply
}

fn requests(dice: &mut Dice, dialect: Dialect) -> Vec<Request> {
    Request::samples(dice, dialect).into_iter().map(|request| request_on(dialect, request)).collect()
}

fn replies(dice: &mut Dice, dialect: Dialect) -> Vec<Reply> {
    Reply::samples(dice, dialect).into_iter().map(|reply| reply_on(dialect, reply)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_message_of_both_directions_is_read_back_in_every_version(seed: u64) {
        for dialect in DIALECTS {
            let mut dice = Dice::new(seed);
            for request in requests(&mut dice, dialect) {
                let mut out = Vec::new();
                request.encode(dialect, &mut out);
                prop_assert_eq!(Request::decode(dialect, body(&out)), Ok(Decoded::Message(request)));
            }
            for reply in replies(&mut dice, dialect) {
                let mut out = Vec::new();
                reply.encode(dialect, &mut out);
                prop_assert_eq!(Reply::decode(dialect, body(&out)), Ok(Decoded::Message(reply)));
            }
        }
    }

    /// Whatever a peer sends: no panic, and what is read is read the same again after it was written.
    #[test]
    fn damaged_messages_are_refused_or_read_and_never_panic(seed: u64) {
        let mut dice = Dice::new(seed);
        for dialect in DIALECTS {
            let mut frames: Vec<Vec<u8>> = Vec::new();
            for request in requests(&mut dice, dialect) {
                frames.push(Vec::new());
                request.encode(dialect, frames.last_mut().unwrap());
            }
            for reply in replies(&mut dice, dialect) {
                frames.push(Vec::new());
                reply.encode(dialect, frames.last_mut().unwrap());
            }
            for frame in frames {
                let mut bytes = body(&frame).to_vec();
                for _ in 0..=dice.below(3) {
                    damage(&mut dice, &mut bytes);
                }
                if let Ok(Decoded::Message(request)) = Request::decode(dialect, &bytes) {
                    stays(&request_on(dialect, request.clone()), |out| request.encode(dialect, out), |body| Request::decode(dialect, body));
                }
                if let Ok(Decoded::Message(reply)) = Reply::decode(dialect, &bytes) {
                    stays(&reply_on(dialect, reply.clone()), |out| reply.encode(dialect, out), |body| Reply::decode(dialect, body));
                }
            }
        }
    }
}

fn stays<M: PartialEq + std::fmt::Debug>(
    message: &M,
    encode: impl FnOnce(&mut Vec<u8>),
    decode: impl FnOnce(&[u8]) -> Result<Decoded<M>, Fault>,
) {
    let mut out = Vec::new();
    encode(&mut out);
    match decode(body(&out)) {
        Ok(Decoded::Message(again)) => assert_eq!(&again, message),
        other => panic!("{message:?} was not read back: {other:?}"),
    }
}

fn damage(dice: &mut Dice, bytes: &mut Vec<u8>) {
    let at = usize::try_from(dice.below(bytes.len() as u64 + 1)).unwrap();
    match dice.below(5) {
        0 => bytes.truncate(at),
        1 => bytes.insert(at, *dice.pick(&[0, b'1', b'-', b'e', 0x80, 0xff])),
        2 if at < bytes.len() => drop(bytes.remove(at)),
        3 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
        _ => {
            let tail = bytes[at..].to_vec();
            bytes.extend_from_slice(&tail);
        }
    }
}

#[test]
fn a_dialect_is_agreed_on_from_what_the_client_offers() {
    for ((min, max), agreed) in [
        ((157, 176), Some(Dialect::Text(176))),
        ((157, 178), Some(Dialect::Text(178))),
        ((100, 203), Some(Dialect::Text(178))),
        ((100, 187), Some(Dialect::Text(178))),
        ((100, 225), Some(Dialect::Proto(225))),
        ((213, 226), Some(Dialect::Proto(225))),
        ((213, 213), Some(Dialect::Proto(213))),
        ((100, 175), None),
        ((179, 200), None),
        ((226, 230), None),
    ] {
        assert_eq!(Dialect::agreed(min, max), agreed, "{min}..{max}");
    }
}

#[test]
fn ids_that_are_not_known_are_told_and_are_no_fault() {
    assert_eq!(Request::decode(Dialect::Text(178), b"106\0whatever\0"), Ok(Decoded::Unknown(106)));
    assert_eq!(Reply::decode(Dialect::Text(176), b"17\x001\0"), Ok(Decoded::Unknown(17)));
    assert_eq!(Request::decode(Dialect::Proto(225), &[0, 0, 1, 50, 0xff]), Ok(Decoded::Unknown(106)));
    assert_eq!(Request::decode(Dialect::Proto(225), &[0, 0, 0, 3]), Ok(Decoded::Unknown(3)));
    assert_eq!(Request::decode(Dialect::Proto(225), &[0, 0, 1]), Err(Fault::NoId));
    assert_eq!(Request::decode(Dialect::Text(178), b"x\0"), Err(Fault::NoId));
}

#[test]
fn a_quantity_that_is_missing_is_a_fault_and_never_zero() {
    let text = Dialect::Text(178);
    let status = |filled: &str| format!("3\x007\0Submitted\0{filled}\x0010\x000\x001\x000\x000\x000\0\x000\0");
    assert!(Reply::decode(text, status("0").as_bytes()).is_ok());
    assert_eq!(Reply::decode(text, status("").as_bytes()), Err(Fault::Malformed(3)));
    assert_eq!(Reply::decode(text, status("1.7976931348623157E308").as_bytes()), Err(Fault::Malformed(3)));
    // orderStatus with nothing but an order id.
    assert_eq!(Reply::decode(Dialect::Proto(225), &[0, 0, 0, 203, 8, 7]), Err(Fault::Missing("filled")));
}

#[test]
fn lists_are_not_believed_beyond_the_message() {
    let mut place = Vec::new();
    let order = Order { algo_strategy: "Adaptive".to_owned(), algo_params: vec![("a".to_owned(), "b".to_owned())], ..Order::default() };
    Request::PlaceOrder(PlaceOrder { order, ..PlaceOrder::default() }).encode(Dialect::Text(178), &mut place);
    let text = String::from_utf8(body(&place).to_vec()).unwrap();
    let huge = text.replace("Adaptive\x001\0", "Adaptive\x002000000000\0");
    assert_ne!(huge, text);
    assert!(matches!(Request::decode(Dialect::Text(178), huge.as_bytes()), Err(Fault::Count(_))));
    let negative = text.replace("Adaptive\x001\0", "Adaptive\x00-1\0");
    assert!(matches!(Request::decode(Dialect::Text(178), negative.as_bytes()), Err(Fault::Malformed(_))));
}

#[test]
fn rows_have_as_many_fields_as_the_clients_count() {
    let fields = |reply: Reply, version| {
        let mut out = Vec::new();
        reply.encode(Dialect::Text(version), &mut out);
        body(&out).iter().filter(|byte| **byte == 0).count()
    };
    let open = || Reply::OpenOrder(OpenOrder::default());
    assert_eq!((fields(open(), 178), fields(open(), 176)), (135, 136));
    for (reply, count) in [
        (Reply::ManagedAccounts(ManagedAccounts::default()), 3),
        (Reply::NextValidId(NextValidId::default()), 3),
        (Reply::TickPrice(TickPrice::default()), 7),
        (Reply::Commission(Commission::default()), 8),
        (Reply::Position(Position::default()), 16),
        (Reply::PortfolioValue(PortfolioValue::default()), 20),
    ] {
        assert_eq!(fields(reply, 178), count);
    }
    let mut out = Vec::new();
    Request::PlaceOrder(PlaceOrder::default()).encode(Dialect::Text(178), &mut out);
    assert_eq!(body(&out).iter().filter(|byte| **byte == 0).count(), 114);
}

#[test]
fn a_nul_in_a_text_does_not_shift_what_follows() {
    let mut out = Vec::new();
    let order = Order { order_ref: "a\0b".to_owned(), ..Order::default() };
    Request::PlaceOrder(PlaceOrder { order, ..PlaceOrder::default() }).encode(Dialect::Text(178), &mut out);
    let Ok(Decoded::Message(Request::PlaceOrder(place))) = Request::decode(Dialect::Text(178), body(&out)) else { panic!() };
    assert_eq!(place.order.order_ref, "ab");
}

#[test]
fn every_id_is_used_once_in_its_direction() {
    let mut dice = Dice::new(1);
    let requests: Vec<u32> = Request::samples(&mut dice, DIALECTS[0]).iter().map(Request::id).collect();
    let replies: Vec<u32> = Reply::samples(&mut dice, DIALECTS[0]).iter().map(Reply::id).collect();
    assert_eq!((requests.len(), replies.len()), (25, 33));
    assert_eq!(requests.iter().collect::<BTreeSet<_>>().len(), requests.len());
    assert_eq!(replies.iter().collect::<BTreeSet<_>>().len(), replies.len());
}
