use super::*;

#[test]
fn a_stream_is_cut_the_same_however_it_comes_in() {
    let mut stream = Vec::new();
    put_offer(157, 178, &mut stream);
    put_frame(&mut stream, |out| out.extend_from_slice(b"71\x002\x000\0\0"));
    for chunk in 1..=stream.len() {
        let (mut framer, mut bodies) = (Framer::server(), Vec::new());
        for bytes in stream.chunks(chunk) {
            framer.push(bytes);
            while let Some(place) = framer.cut().unwrap() {
                bodies.push(framer.bytes(&place).to_vec());
            }
        }
        assert_eq!(bodies, [&b"v157..178"[..], b"71\x002\x000\0\0"], "chunks of {chunk}");
    }
}

#[test]
fn a_length_is_checked_before_anything_is_held_for_it() {
    let mut framer = Framer::client(1000);
    framer.push(&1001_u32.to_be_bytes());
    assert_eq!(framer.cut(), Err(StreamFault::TooLong { length: 1001, max: 1000 }));
    let mut framer = Framer::client(MAX_REPLY);
    framer.push(&u32::try_from(MAX_REPLY).unwrap().to_be_bytes());
    assert_eq!(framer.cut(), Ok(None));
    assert!(framer.capacity() < 1024);
    let mut framer = Framer::client(1000);
    framer.push(&[0; 4]);
    assert_eq!(framer.cut(), Err(StreamFault::Empty));
}

#[test]
fn a_stream_that_does_not_begin_with_the_greeting_is_refused_at_its_first_wrong_byte() {
    let mut framer = Framer::server();
    framer.push(b"AP");
    assert_eq!(framer.cut(), Ok(None));
    framer.push(b"P");
    assert_eq!(framer.cut(), Err(StreamFault::NoGreeting));
    let mut framer = Framer::server();
    framer.push(b"GET / HTTP/1.1\r\n");
    assert_eq!(framer.cut(), Err(StreamFault::NoGreeting));
}

#[test]
fn offers_and_agreements_are_read_back() {
    assert_eq!(read_offer(b"v157..178"), Ok((157, 178)));
    assert_eq!(read_offer(b"v100..225 +PACEAPI"), Ok((100, 225)));
    assert_eq!(read_offer(b"v213"), Ok((213, 213)));
    for junk in [&b"157..178"[..], b"v", b"v1..", b"v..9", b"v99999..1", b"\xff"] {
        assert_eq!(read_offer(junk), Err(StreamFault::Handshake));
    }
    let mut out = Vec::new();
    put_agreement(Dialect::Text(178), "20261121 09:30:00 UTC", &mut out);
    assert_eq!(read_agreement(&out[4..]), Ok((178, "20261121 09:30:00 UTC".to_owned())));
}
