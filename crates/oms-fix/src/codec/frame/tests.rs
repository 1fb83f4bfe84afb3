use super::*;
use proptest::prelude::*;

/// A message with `|` for the separator; length and checksum are filled in.
fn message(fields: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let writer = crate::codec::encode::Writer::begin(&mut out, b"FIX.4.4");
    out.extend(fields.replace('|', "\u{1}").into_bytes());
    writer.end(&mut out);
    out
}

fn raw(text: &str) -> Vec<u8> {
    text.replace('|', "\u{1}").into_bytes()
}

/// Everything that a stream is cut into: messages as text, garbled ones as their reason.
fn cuts(framer: &mut Framer) -> Vec<String> {
    let mut found = Vec::new();
    loop {
        match framer.cut() {
            Cut::Message(place) => found.push(String::from_utf8_lossy(framer.bytes(&place)).replace('\u{1}', "|")),
            Cut::Garbled(why) => found.push(format!("{why:?}")),
            Cut::More => return found,
        }
    }
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace('\u{1}', "|")
}

#[test]
fn messages_are_cut_wherever_the_reads_end() {
    let (one, two) = (message("35=0|34=2|"), message("35=1|34=3|112=HELLO|"));
    let stream = [one.clone(), two.clone()].concat();
    for size in 1..stream.len() {
        let (mut framer, mut found) = (Framer::new(1024), Vec::new());
        for part in stream.chunks(size) {
            framer.push(part);
            found.extend(cuts(&mut framer));
        }
        assert_eq!(found, [shown(&one), shown(&two)], "reads of {size}");
    }
}

#[test]
fn a_wrong_checksum_costs_that_message_alone() {
    let good = message("35=0|34=2|");
    let mut bad = good.clone();
    let digit = bad.len() - 2;
    bad[digit] ^= 1;
    let mut framer = Framer::new(1024);
    framer.push(&[bad, raw("8=FIX.4.4|9=5|35=0|10=256|"), good.clone()].concat());
    assert_eq!(cuts(&mut framer), ["CheckSum".to_owned(), "CheckSum".to_owned(), shown(&good)]);
}

#[test]
fn a_length_that_is_too_short_costs_that_message_alone() {
    let good = message("35=0|34=2|");
    let mut framer = Framer::new(1024);
    framer.push(&[raw("8=FIX.4.4|9=7|35=D|34=2|55=MSFT|10=123|"), good.clone()].concat());
    assert_eq!(cuts(&mut framer), ["BodyLength".to_owned(), shown(&good)]);
}

#[test]
fn a_length_that_is_too_long_takes_the_next_message_with_it() {
    let (next, good) = (message("35=0|34=2|"), message("35=0|34=3|"));
    let mut framer = Framer::new(1024);
    framer.push(&[raw("8=FIX.4.4|9=30|35=D|34=2|55=MSFT|10=123|"), next, good.clone()].concat());
    assert_eq!(cuts(&mut framer), ["BodyLength".to_owned(), shown(&good)]);
}

#[test]
fn junk_is_skipped_and_counted() {
    let good = message("35=0|34=2|");
    let mut framer = Framer::new(1024);
    framer.push(&[raw("GET / HTTP/1.1 8=FI 8= 35=0|"), good.clone(), raw("8=FIX.4.4|35=0|9=5|"), good.clone()].concat());
    assert_eq!(cuts(&mut framer), [shown(&good), "NoBodyLength".to_owned(), shown(&good)]);
    assert!(28 <= framer.junk());
}

#[test]
fn the_declared_length_is_refused_before_it_is_buffered() {
    let mut framer = Framer::new(4096);
    framer.push(&raw("8=FIX.4.4|9=900000000|35=A|"));
    assert_eq!(framer.cut(), Cut::Garbled(Garbled::TooLong));
    for _ in 0..10_000 {
        framer.push(&[b'x'; 4096]);
        assert_eq!(framer.cut(), Cut::More);
    }
    assert!(framer.capacity() < 64 << 10, "{}", framer.capacity());
}

#[test]
fn a_trailer_that_never_comes_is_not_waited_for_beyond_the_limit() {
    let mut framer = Framer::new(4096);
    framer.push(&raw("8=FIX.4.4|9=10|35=A|"));
    let mut found = Vec::new();
    for _ in 0..10_000 {
        framer.push(b"x");
        found.extend(cuts(&mut framer));
    }
    assert_eq!(found, ["BodyLength"]);
    assert!(framer.waiting() <= 4096 + MAX_CHUNK);
}

#[test]
fn a_busy_stream_is_read_in_larger_pieces() {
    let mut framer = Framer::new(64 << 10);
    let mut sizes = Vec::new();
    for _ in 0..8 {
        let size = framer.space().len();
        framer.filled(size);
        while framer.cut() != Cut::More {}
        sizes.push(size >> 10);
    }
    assert_eq!(sizes, [4, 8, 16, 32, 64, 64, 64, 64]);
}

proptest! {
    #[test]
    fn any_bytes_leave_the_buffer_bounded(parts in prop::collection::vec(
        prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            Just(b"8=FIX.4.4\x019=".to_vec()),
            Just(b"12\x0135=0\x01".to_vec()),
            Just(b"\x0110=123\x01".to_vec()),
            Just(message("35=0|34=2|")),
        ], 0..60)) {
        let mut framer = Framer::new(512);
        for part in parts {
            framer.push(&part);
            while framer.cut() != Cut::More {}
            prop_assert!(framer.waiting() < 512 + 200);
            prop_assert!(framer.capacity() <= 4 * FIRST_CHUNK);
        }
    }

    #[test]
    fn a_good_message_is_found_after_any_complete_garbage(garbage in "[a-z0-9|=]{0,80}") {
        let good = message("35=0|34=2|");
        let mut framer = Framer::new(512);
        framer.push(&[raw(&garbage.replace("8=", "")), good.clone()].concat());
        prop_assert_eq!(cuts(&mut framer).pop(), Some(shown(&good)));
    }
}
