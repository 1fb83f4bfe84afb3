use super::*;
use crate::codec::frame::{Cut, Framer};
use proptest::prelude::*;

fn message(body: &[u8]) -> Vec<u8> {
    let mut out = b"before".to_vec();
    let writer = Writer::begin(&mut out, b"FIX.4.4");
    out.extend_from_slice(b"35=0\x01");
    out.extend_from_slice(body);
    let place = writer.end(&mut out);
    out[place].to_vec()
}

#[test]
fn length_and_checksum_are_those_of_the_bytes() {
    assert_eq!(message(b"112=A\x01"), b"8=FIX.4.4\x019=11\x0135=0\x01112=A\x0110=227\x01");
}

#[test]
fn a_separator_in_a_value_does_not_make_a_field() {
    let mut fields = Fields::new();
    fields.text(58, "a\u{1}11=forged").uint(38, 100).flag(43, true).data(95, 96, b"x\x01y").amount(44, "1.5");
    assert_eq!(fields.as_bytes(), b"58=a\x0138=100\x0143=Y\x0195=3\x0196=x\x01y\x0144=1.5\x01");
}

proptest! {
    #[test]
    fn whatever_is_written_is_cut_off_again(length in 0_usize..3000) {
        let mut body = Vec::new();
        put_field(&mut body, 58, &vec![b'x'; length]);
        let written = message(&body);
        let mut framer = Framer::new(1 << 16);
        framer.push(&written);
        let cut = framer.cut();
        prop_assert_eq!(&cut, &Cut::Message(0..written.len()));
        prop_assert_eq!(framer.cut(), Cut::More);
    }
}
