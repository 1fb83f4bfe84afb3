//! What every input must leave true, for the fuzzer and for the bounded test that runs everywhere.
#![allow(dead_code, reason = "each target uses one of them")]

use std::sync::Arc;

use oms_fix::codec::SOH;
use oms_fix::codec::encode::Writer;
use oms_fix::codec::frame::{Cut, Framer, Garbled};
use oms_fix::codec::scan::{View, scan};
use oms_fix::dictionary::{Checks, fix44, validate};
use oms_fix::session::config::{Config, Role, SessionId};
use oms_fix::session::outbox::{Outbox, Outgoing, Page};
use oms_fix::session::{Input, Now, Phase, Session, Stored};

const MAX_MESSAGE: usize = 4096;

/// A stream of any bytes: bounded memory, whole fields, no panic.
pub fn codec(data: &[u8]) {
    let (mut framer, mut spans) = (Framer::new(MAX_MESSAGE), Vec::new());
    let size = data.first().map_or(1, |first| usize::from(*first) + 1);
    for part in data.chunks(size) {
        framer.push(part);
        loop {
            let message = match framer.cut() {
                Cut::More => break,
                Cut::Garbled(_) => continue,
                Cut::Message(place) => framer.bytes(&place).to_vec(),
            };
            assert!(message.len() <= MAX_MESSAGE);
            read(&message, &mut spans);
        }
        assert!(framer.waiting() <= MAX_MESSAGE + size && framer.capacity() <= 1 << 16);
    }
    // The same bytes as one message that is whole.
    read(&whole(data), &mut spans);
}

fn read(message: &[u8], spans: &mut Vec<oms_fix::codec::scan::Span>) {
    if scan(message, fix44(), 500, spans).is_err() {
        return;
    }
    let view = View::new(message, spans);
    let length: usize = spans.iter().map(|span| view.field(span).len()).sum();
    assert_eq!(length, message.len(), "fields are the whole message");
    let valid = validate(fix44(), Checks::default(), &view).is_ok();
    let parts = fix44().body(&view);
    if valid && fix44().message(view.msg_type()).is_some() {
        let fields: usize = parts.iter().map(|part| part.fields.len()).sum();
        assert!(fields <= spans.len());
    }
}

/// Bytes as a message with the right length and checksum.
fn whole(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let writer = Writer::begin(&mut out, b"FIX.4.4");
    out.extend_from_slice(body);
    if out.last() != Some(&SOH) {
        out.push(SOH);
    }
    writer.end(&mut out);
    out
}

/// Lines are messages of a counterparty; `|` stands for the separator, `@` for the number that is
/// expected. Lines that start with `!` are what happens otherwise. Numbers never go back without a
/// reset, nothing is delivered twice, nothing grows.
pub fn session(data: &[u8]) {
    let mut config =
        Config::new(SessionId::fix44("US", "THEM"), if data.first() == Some(&b'i') { Role::Initiator } else { Role::Acceptor });
    (config.sending_time_window, config.checks.user_defined) = (None, false);
    (config.bounds.stash, config.bounds.stash_bytes, config.bounds.resends) = (50, 20_000, 4);
    (config.next_expected, config.resend_chunk) = (data.get(1) == Some(&b'n'), (data.get(1) == Some(&b'c')).then_some(3));
    let mut session = Session::new(Arc::new(config), Stored::default());
    let (mut out, mut now) = (Outbox::default(), Now { mono: 1 << 30, utc: 1_795_780_800_000_000_000 });
    let mut last = 0;
    for line in data.split(|byte| *byte == b'\n').take(200) {
        now.mono += 1_000_000;
        match line {
            [b'!', b'c', ..] if session.phase() == Phase::Down => session.step(Input::Connected, now, &mut out),
            [b'!', b'd', ..] => session.step(Input::Disconnected, now, &mut out),
            [b'!', b't', seconds, ..] => {
                now.mono += u64::from(*seconds) * 100_000_000;
                now.utc += i64::from(*seconds) * 100_000_000;
                session.step(Input::Timer, now, &mut out);
            }
            [b'!', b'l', ..] => session.step(Input::Logout("bye"), now, &mut out),
            [b'!', b'r', ..] => session.step(Input::Reset, now, &mut out),
            [b'!', b'g', ..] => session.step(Input::Garbled(Garbled::CheckSum), now, &mut out),
            [b'!', b'p', ..] => session.step(Input::Page(&Page { messages: Vec::new(), to: session.next_out() }), now, &mut out),
            [b'!', b's', ..] => drop(session.send(Outgoing::new(b"D"), now, &mut out)),
            line => session.step(Input::Received(&message(line, session.next_in())), now, &mut out),
        }
        if out.batch.reset.is_some() {
            last = 0;
        }
        for delivery in &out.deliveries {
            assert!(last < delivery.seq, "{} after {last}", delivery.seq);
            last = delivery.seq;
        }
        assert!(session.stashed_bytes() <= 20_000);
        assert!(1 <= session.next_in() && 1 <= session.next_out());
        assert!(out.wire.len() < 1 << 20);
        let mut framer = Framer::new(1 << 20);
        framer.push(&out.wire);
        loop {
            match framer.cut() {
                Cut::Message(_) => (),
                Cut::Garbled(why) => panic!("a message that was sent is garbled: {why}"),
                Cut::More => break,
            }
        }
        assert_eq!(framer.waiting(), 0);
        out.clear();
        // Numbers that were set back by a counterparty's leave are no duplicates.
        last = last.min(session.next_in() - 1);
    }
}

fn message(line: &[u8], next_in: u64) -> Vec<u8> {
    let mut body = Vec::with_capacity(line.len() + 64);
    for byte in line {
        match byte {
            b'|' => body.push(SOH),
            b'@' => body.extend_from_slice(next_in.to_string().as_bytes()),
            b'~' => body.extend_from_slice(b"49=THEM\x0152=20261127-12:00:00\x0156=US\x01"),
            byte => body.push(*byte),
        }
    }
    whole(&body)
}
