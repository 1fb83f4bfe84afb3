use super::*;

fn checkpoint() -> Checkpoint {
    Checkpoint {
        origin: "oms.example/desk".to_owned(),
        size: 1203,
        root: [3; 32],
        previous: 1180,
        sequence: 5120,
        time_ns: 1_764_275_045_000_000_000,
        chain: [9; 32],
        schema: 2,
        partition: 0,
    }
}

fn key() -> SignerKey {
    SignerKey::new("oms.example/desk", &[5; 32]).unwrap()
}

#[test]
fn a_checkpoint_is_read_as_it_was_signed() {
    let note = checkpoint().sign(&key()).unwrap();
    assert_eq!(Checkpoint::open(&note, &key().verifier()), Ok(checkpoint()));
    assert_eq!(note, checkpoint().sign(&key()).unwrap(), "made again it is the same to the byte");
    let other = SignerKey::new("oms.example/other", &[5; 32]).unwrap();
    assert_eq!(checkpoint().sign(&other), Err(NoteError::BadKey));
    assert!(Checkpoint::open(&note, &other.verifier()).is_err());
}

#[test]
fn a_text_that_says_the_same_in_another_way_is_none() {
    let text = checkpoint().text();
    assert_eq!(Checkpoint::parse(&text), Ok(checkpoint()));
    for (from, to) in
        [("\n1203\n", "\n01203\n"), ("\n1203\n", "\n+1203\n"), ("schema 2", "schema  2"), ("partition 0\n", "partition 0\nmore\n")]
    {
        assert_eq!(Checkpoint::parse(&text.replace(from, to)), Err(NoteError::Malformed), "{from:?} as {to:?}");
    }
    assert_eq!(Checkpoint::parse(text.trim_end()), Err(NoteError::Malformed));
    // One that follows itself could hide another.
    let stuck = Checkpoint { previous: 1203, ..checkpoint() };
    assert!(Checkpoint::open(&stuck.sign(&key()).unwrap(), &key().verifier()).is_err());
}
