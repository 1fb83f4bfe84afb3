//! What the connector's log keeps, so that a killed desk knows what left and what was said.
//!
//! Orders and what the gateway tells are kept as frames of the codec, in the dialect that carries most.

use oms_model::{IntentKind, OrderId, WireId};

use crate::codec::{CancelOrder, Decoded, Dialect, Field, OrderCancel, PlaceOrder, Reply, Request};
use crate::reconcile::book::Entry;

/// In which dialect frames are kept.
const KEPT: Dialect = Dialect::Proto(225);
/// Bytes of the length in front of a frame.
const LENGTH: usize = 4;

/// An entry of the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Record {
    /// Order ids up to this one were used or seen.
    Ids(i32),
    /// An order, or new terms of one, is about to leave under this id.
    Placed(WireId, Box<PlaceOrder>),
    /// A cancel is about to leave under this id, of the order with that order id.
    Cancel(WireId, i32),
    /// A request was refused here, without leaving.
    Refused(WireId, IntentKind, String),
    /// The gateway said something of an order.
    Heard(Box<Reply>),
    /// Every execution of this day of the gateway's, and of those before that are not named as missing, was asked for and told.
    Covered(i64),
    /// Between two days executions may be missing, and cannot be asked for any more.
    Hole,
    /// A reconciliation has run, or a break of it has changed.
    Reconciled(Entry),
    /// A whole look has shown every order of the gateway's under this one's id, after everything of it had left.
    LookedAt(OrderId),
    /// The desk has durably what was told of the execution of somebody else with this root of its id.
    Told(String),
}

/// A message of an entry, as it is shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// Whether it was sent; it came otherwise.
    pub sent: bool,
    /// What it is called here.
    pub name: &'static str,
    /// Its fields, by name.
    pub fields: Vec<Field>,
    /// Message id and content, in the dialect in which entries are kept.
    pub frame: Vec<u8>,
}

/// An entry cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("an entry of the connector's log is damaged")]
pub struct Damaged;

fn put_text(out: &mut Vec<u8>, text: &str) {
    // Ids are short, and words are cut before they come here.
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(text.as_bytes().get(..usize::from(length)).unwrap_or_default());
}

/// A frame without its length.
fn body(encode: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut frame = Vec::new();
    encode(&mut frame);
    frame.split_off(LENGTH.min(frame.len()))
}

struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn text(&mut self) -> Option<&'b str> {
        let length = usize::from(u16::from_be_bytes(self.array()?));
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }

    fn wire_id(&mut self) -> Option<WireId> {
        WireId::new(self.text()?).ok()
    }
}

impl Record {
    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Ids(id) => {
                out.push(1);
                out.extend_from_slice(&id.to_be_bytes());
            }
            Self::Placed(wire_id, place) => {
                out.push(2);
                put_text(&mut out, wire_id.as_str());
                Request::PlaceOrder((**place).clone()).encode(KEPT, &mut out);
            }
            Self::Cancel(wire_id, order_id) => {
                out.push(3);
                put_text(&mut out, wire_id.as_str());
                out.extend_from_slice(&order_id.to_be_bytes());
            }
            Self::Refused(wire_id, kind, text) => {
                out.extend_from_slice(&[4, kind.code()]);
                put_text(&mut out, wire_id.as_str());
                put_text(&mut out, text);
            }
            Self::Heard(reply) => {
                out.push(5);
                reply.encode(KEPT, &mut out);
            }
            Self::Covered(day) => {
                out.push(6);
                out.extend_from_slice(&day.to_be_bytes());
            }
            Self::Hole => out.push(7),
            Self::Reconciled(entry) => {
                out.push(8);
                out.extend_from_slice(&entry.bytes());
            }
            Self::LookedAt(order_id) => {
                out.push(9);
                out.extend_from_slice(&order_id.as_u128().to_be_bytes());
            }
            Self::Told(base) => {
                out.push(10);
                put_text(&mut out, base);
            }
        }
        out
    }

    /// The message that was sent or came, where the entry is of one.
    #[must_use]
    pub fn message(&self) -> Option<Message> {
        let sent = |request: &Request| Message {
            sent: true,
            name: request.name(),
            fields: request.fields(),
            frame: body(|out| request.encode(KEPT, out)),
        };
        match self {
            Self::Placed(_, place) => Some(sent(&Request::PlaceOrder((**place).clone()))),
            Self::Cancel(_, ib_id) => Some(sent(&Request::CancelOrder(CancelOrder { order_id: *ib_id, cancel: OrderCancel::default() }))),
            Self::Heard(reply) => {
                let frame = body(|out| reply.encode(KEPT, out));
                Some(Message { sent: false, name: reply.name(), fields: reply.fields(), frame })
            }
            Self::Ids(_) | Self::Refused(..) | Self::Covered(_) | Self::Hole | Self::Reconciled(_) | Self::LookedAt(_) | Self::Told(_) => {
                None
            }
        }
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`Damaged`].
    pub fn read(bytes: &[u8]) -> Result<Self, Damaged> {
        Self::parse(bytes).ok_or(Damaged)
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let mut reader = Reader(rest);
        Some(match kind {
            1 => Self::Ids(i32::from_be_bytes(reader.array()?)),
            2 => {
                let wire_id = reader.wire_id()?;
                match Request::decode(KEPT, reader.0.get(LENGTH..)?).ok()? {
                    Decoded::Message(Request::PlaceOrder(place)) => Self::Placed(wire_id, Box::new(place)),
                    _ => return None,
                }
            }
            3 => Self::Cancel(reader.wire_id()?, i32::from_be_bytes(reader.array()?)),
            4 => {
                let [kind] = reader.array()?;
                Self::Refused(reader.wire_id()?, IntentKind::from_code(kind)?, reader.text()?.to_owned())
            }
            5 => match Reply::decode(KEPT, reader.0.get(LENGTH..)?).ok()? {
                Decoded::Message(reply) => Self::Heard(Box::new(reply)),
                Decoded::Unknown(_) => return None,
            },
            6 => Self::Covered(i64::from_be_bytes(reader.array()?)),
            7 => Self::Hole,
            8 => Self::Reconciled(Entry::read(reader.0)?),
            9 => Self::LookedAt(OrderId::from_u128(u128::from_be_bytes(reader.array()?))),
            10 => Self::Told(reader.text()?.to_owned()),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{Commission, Contract, Number, Order, Size};

    #[test]
    fn entries_are_read_back_and_damage_is_told() {
        let wire_id = WireId::derive(OrderId::from_u128(9), 2);
        let order = Order { quantity: Size(Number::whole(5)), limit: Some("184.25".parse().unwrap()), ..Order::default() };
        let contract = Contract { symbol: "IBM".to_owned(), ..Contract::default() };
        let commission = Commission { exec_id: "a.1".to_owned(), amount: "1.05".parse().unwrap(), ..Commission::default() };
        for record in [
            Record::Ids(41),
            Record::Placed(wire_id.clone(), Box::new(PlaceOrder { order_id: 3, contract, order })),
            Record::Cancel(wire_id.clone(), 3),
            Record::Refused(wire_id, IntentKind::Replace, "no".to_owned()),
            Record::Heard(Box::new(Reply::Commission(commission))),
            Record::Covered(20_770),
            Record::Hole,
            Record::LookedAt(OrderId::from_u128(9)),
            Record::Told("6b0970e4.00000004.01".to_owned()),
        ] {
            let bytes = record.bytes();
            assert_eq!(Record::read(&bytes), Ok(record.clone()), "{record:?}");
            assert!(record == Record::Hole || Record::read(&bytes[..bytes.len() - 1]) != Ok(record.clone()), "{record:?}");
        }
        assert_eq!(Record::read(&[]), Err(Damaged));
        assert_eq!(Record::read(&[99]), Err(Damaged));
    }
}
