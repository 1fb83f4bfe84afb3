//! The very bytes, and what is refused with which words.

use oms_model::event::{BrokerSession, OrderClosed, OrderEnded, RequestRejected};
use oms_model::instrument::Account;
use oms_model::order::Terms;
use oms_model::policy::{SorPolicy, Weights};
use oms_model::{Batch, Decimal, Mic, Notional, OrderId, Price, Qty, Time};

use crate::codec::{DecodeError, Fault, Field, Message, Value, are_tags, decode_batch, encode_batch};

fn bytes_of<F: Field>(field: &F) -> Vec<u8> {
    let mut out = Vec::new();
    field.put(1, &mut out);
    out
}

fn field(message: &'static str, tag: u32, fault: Fault) -> DecodeError {
    DecodeError::Field { message, tag, fault }
}

#[test]
fn amounts_have_these_bytes() {
    assert_eq!(bytes_of(&Price::from_raw(-1)), [0x08, 0x01]);
    assert_eq!(bytes_of(&Qty::ZERO), []);
    assert_eq!(bytes_of(&Some(Qty::ZERO)), [0x0A, 0x00]);
    assert_eq!(bytes_of(&Qty::from_units(100).unwrap()), [0x0A, 0x03, 0x08, 0xC8, 0x01]);
    assert_eq!(bytes_of(&"-0.000000002".parse::<Decimal>().unwrap()), [0x0A, 0x02, 0x10, 0x03]);
    assert_eq!(bytes_of(&"17725.000000000000000001".parse::<Notional>().unwrap()), [0x0A, 0x06, 0x08, 0xFA, 0x94, 0x02, 0x10, 0x02]);
    assert_eq!(bytes_of(&Time(1)), [0x09, 1, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(bytes_of(&Mic::of(b"XNAS")), *b"\x0A\x04XNAS");
    assert_eq!(bytes_of(&Some(OrderId::default()))[..3], [0x0A, 0x10, 0x00]);
}

#[test]
fn amounts_beyond_64_bits_of_units_come_back() {
    let edge = i128::from(i64::MAX) * 1_000_000_000 + 999_999_999;
    for raw in [0, 1, -1, edge, edge + 1, -edge - 1_000_000_000, -edge - 1_000_000_001, i128::MAX, i128::MIN] {
        for sign in [1, -1_i128] {
            let Some(raw) = raw.checked_mul(sign) else { continue };
            let mut out = Vec::new();
            Qty::from_raw(raw).write(&mut out);
            assert_eq!(Qty::read(&mut &out[..]).unwrap().raw(), raw);
            let mut out = Vec::new();
            Notional::from_raw(raw).write(&mut out);
            assert_eq!(Notional::read(&mut &out[..]).unwrap().raw(), raw);
        }
    }
}

#[test]
fn a_missing_field_is_zero_and_not_the_models_default() {
    let zero = SorPolicy { version: 0, price_range_bps: 0, weights: Weights { price: 0, ..Weights::default() }, ..SorPolicy::default() };
    let mut bytes = Vec::new();
    zero.encode(&mut bytes);
    assert_eq!(SorPolicy::decode(&bytes).unwrap(), zero);
}

#[test]
fn lengths_of_every_width_come_back() {
    for len in [0, 1, 126, 127, 128, 129, 16_383, 16_384, 2_097_151, 2_097_152] {
        let session = Some(BrokerSession { venue: Mic::default(), reason: "r".repeat(len) });
        let bytes = bytes_of(&session);
        let mut again = None::<BrokerSession>;
        again.merge(prost::encoding::WireType::LengthDelimited, &mut &bytes[1..]).unwrap();
        assert_eq!(again, session, "{len}");
    }
}

#[test]
fn what_is_not_canonical_is_refused_with_its_place() {
    let cases: &[(&[u8], DecodeError)] = &[
        (&[0x0A, 0x04, 0x08, 0xC8, 0x01, 0x00], field("DecimalParts", 0, Fault::OutOfOrder)),
        (&[0x0A, 0x02, 0x08, 0x00], field("DecimalParts", 1, Fault::NotCanonical)),
        (&[0x0A, 0x00], field("Terms", 1, Fault::NotCanonical)),
        (&[0x0A, 0x04, 0x08, 0x02, 0x10, 0x01], field("Terms", 1, Fault::NotCanonical)),
        (&[0x0A, 0x03, 0x08, 0x82, 0x00], field("DecimalParts", 1, Fault::NotCanonical)),
        (&[0x0A, 0x06, 0x10, 0x80, 0xA8, 0xD6, 0xB9, 0x07], field("Terms", 1, Fault::Range)),
        (&[0x18, 0x02, 0x10, 0x02], field("Terms", 2, Fault::OutOfOrder)),
        (&[0x10, 0x02, 0x10, 0x02], field("Terms", 2, Fault::OutOfOrder)),
        (&[0x20, 0x02], field("Terms", 4, Fault::UnknownField)),
        (&[0x12, 0x00], field("Terms", 2, Fault::WireType { expected: prost::encoding::WireType::Varint, found: 2 })),
        (&[0x13, 0x14], field("Terms", 2, Fault::UnknownWireType { found: 3 })),
        (&[0x0A, 0x05, 0x08], field("Terms", 1, Fault::Truncated { needed: 5, left: 1 })),
        (&[0x10], field("Terms", 2, Fault::Varint)),
        (&[0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], field("Terms", 2, Fault::Varint)),
    ];
    for (bytes, error) in cases {
        assert_eq!(Terms::decode(bytes), Err(*error), "{bytes:02x?}");
    }
}

#[test]
fn values_outside_their_type_are_refused_with_their_place() {
    let text = field("OrderEnded", 3, Fault::Text);
    assert_eq!(OrderEnded::decode(&[0x10, 0x01, 0x1A, 0x01, 0xFF]), Err(text));
    assert_eq!(OrderEnded::decode(&[]), Err(field("OrderEnded", 2, Fault::Missing)));
    assert_eq!(OrderEnded::decode(&[0x10, 0x00]), Err(field("OrderEnded", 2, Fault::UnknownCode { code: 0 })));
    assert_eq!(RequestRejected::decode(&[0x10, 0x81, 0x02]), Err(field("RequestRejected", 2, Fault::UnknownCode { code: 257 })));
    assert_eq!(OrderClosed::decode(&[0x0A, 0x01, 0x07]), Err(field("OrderClosed", 1, Fault::Length { expected: 16, found: 1 })));
    assert_eq!(BrokerSession::decode(b"\x0A\x04xnas"), Err(field("BrokerSession", 1, Fault::Text)));
    assert_eq!(Account::decode(b"\x1A\x03USD\x20\x02"), Err(field("Account", 4, Fault::Range)));
    assert_eq!(Account::decode(b"\x20\x01"), Err(field("Account", 3, Fault::Missing)));
    assert_eq!(text.to_string(), "OrderEnded, field 3: not valid text");
}

#[test]
fn other_versions_and_kinds_are_refused() {
    let newer = DecodeError::Version { found: 3, newest: 2 };
    assert_eq!(decode_batch(&[0x08, 0x03, 0xFF, 0xFF]), Err(newer), "nothing else of a newer version is read");
    assert_eq!(newer.to_string(), "schema version 3 cannot be read; this program reads 1 to 2");
    assert_eq!(decode_batch(&[]), Err(DecodeError::Version { found: 0, newest: 2 }));
    assert_eq!(decode_batch(&[0x10, 0x01]), Err(DecodeError::Version { found: 0, newest: 2 }));
    let mut bytes = Vec::new();
    encode_batch(&Batch::default(), &mut bytes);
    bytes.extend([0x52, 0x05, 0x08, 0xE7, 0x07, 0x12, 0x00]);
    assert_eq!(decode_batch(&bytes), Err(field("Event", 1, Fault::UnknownCode { code: 999 })));
}

#[test]
#[should_panic(expected = "is not a market identifier code")]
fn what_could_not_be_read_again_is_not_written() {
    bytes_of(&Mic::of(b"xnas"));
}

#[test]
fn tags_rise() {
    assert!(are_tags(&[1, 2, 63]));
    for tags in [&[0][..], &[1, 1], &[2, 1], &[64]] {
        assert!(!are_tags(tags), "{tags:?}");
    }
}
