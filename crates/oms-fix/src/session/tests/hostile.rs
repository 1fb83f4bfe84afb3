//! Messages that are wrong in every way: no panic, no growth, nothing delivered twice.

use proptest::prelude::*;

use super::play::{Peer, acceptor, message};
use crate::session::{Input, Phase};

fn field() -> impl Strategy<Value = String> {
    let tags = prop_oneof![
        Just(34),
        Just(43),
        Just(7),
        Just(16),
        Just(36),
        Just(123),
        Just(122),
        Just(52),
        Just(49),
        Just(108),
        Just(141),
        Just(789),
        Just(11),
        1..1000_i32
    ];
    let values = prop_oneof![
        Just("Y".to_owned()),
        Just("N".to_owned()),
        Just("0".to_owned()),
        Just("1".to_owned()),
        (0_u64..40).prop_map(|number| number.to_string()),
        Just("18446744073709551615".to_owned()),
        Just("9223372036854775807".to_owned()),
        Just("1152921504606846976".to_owned()),
        Just("20261127-15:00:00".to_owned()),
        "[ -~]{0,8}",
    ];
    (tags, values).prop_map(|(tag, value)| format!("{tag}={}|", value.replace('|', "")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn wrong_messages_are_borne(messages in prop::collection::vec(
        ("[0-5A8DFjdC*]", 0_u64..30, prop::collection::vec(field(), 0..8), prop::collection::vec(field(), 0..3)), 1..60)) {
        let mut config = acceptor();
        config.bounds.stash = 20;
        config.bounds.stash_bytes = 4000;
        let mut peer = Peer::new(config);
        let mut next_in = 1;
        for (msg_type, seq, body, header) in messages {
            if peer.session.phase() == Phase::Down {
                peer.connect();
                let next = peer.session.next_in();
                peer.receive("A", next, "98=0|108=30|", "");
                next_in = peer.session.next_in();
                peer.delivered.clear();
            }
            let message = message(&msg_type, seq, &body.concat(), &header.concat(), peer.now.utc);
            peer.step(Input::Received(&message));
            prop_assert!(peer.session.stashed_bytes() <= 4000);
            let mut seen = peer.delivered.clone();
            seen.dedup();
            // A reset starts the numbers again; without one none comes twice.
            if next_in <= peer.session.next_in() {
                prop_assert_eq!(&seen, &peer.delivered);
            } else {
                peer.delivered.clear();
            }
            next_in = peer.session.next_in();
        }
    }
}
