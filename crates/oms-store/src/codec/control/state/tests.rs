use super::super::tests::{batch, every_kind, sealed};
use super::*;
use oms_identity::event::{ApiKeyRotated, InvitationAccepted, ProfileChanged, SessionRefreshed, UserCreated, UserErased};
use oms_identity::{Batch, Event};
use oms_model::{InvitationId, Time, UserId};

/// A state with everything in it that there can be.
fn full() -> State {
    let mut state = State::default();
    // Somebody who was erased, and one who came by an invitation, with their name and address sealed.
    let (erased, sealed_user) = (UserId::from_u128(100), UserId::from_u128(101));
    let gone = UserCreated { user_id: erased, email: "x@b.c".into(), name: "X".into(), password: None, break_glass: false };
    let mut people: Vec<Event> = vec![gone.into(), UserErased { user_id: erased }.into()];
    people.extend(sealed().into_iter().map(|event| match event {
        Event::UserCreated(e) => UserCreated { user_id: sealed_user, ..e }.into(),
        Event::ProfileChanged(e) => ProfileChanged { user_id: sealed_user, ..e }.into(),
        other => other,
    }));
    people.push(InvitationAccepted { invitation_id: InvitationId::from_u128(5), user_id: sealed_user }.into());
    state.apply(&Batch { time: Time(0), ..batch(people) });
    let plain = every_kind().into_iter().filter(|event| event.name() != "UserErased");
    for (n, event) in plain.enumerate() {
        // What takes something away again is left out.
        let kept = !matches!(
            event.name(),
            "TotpDisabled"
                | "MemberRemoved"
                | "InvitationAccepted"
                | "InvitationRevoked"
                | "BootstrapUsed"
                | "SessionRevoked"
                | "SignInCleared"
                | "ApiKeyRevoked"
                | "SigningKeyRetired"
                | "KeyDestroyed"
        );
        if kept {
            state.apply(&Batch { time: Time(n as i64), ..batch(vec![event]) });
        }
    }
    state
}

#[test]
fn every_part_of_a_state_is_stored() {
    let state = full();
    let stored = encode_control_state(state.clone());
    assert_eq!(decode_control_state(&stored).unwrap(), state);
    let mut fields = crate::codec::Fields::new("", &stored);
    let mut tags = std::collections::BTreeSet::new();
    while let Some(tag) = fields.next_tag().unwrap() {
        tags.insert(tag);
        match tag {
            1 => fields.merge(&mut 0_u64).unwrap(),
            _ => fields.skip_delimited().unwrap(),
        }
    }
    assert!(tags.into_iter().eq(StateParts::FIELDS.iter().map(|(tag, _)| *tag)), "a part was never there");
}

/// What is worked out again when a state is read serves as what was kept beside it: it goes on as the one that was stored.
#[test]
fn a_state_that_was_read_goes_on_as_the_one_that_was_stored() {
    let (mut state, mut read) = (full(), decode_control_state(&encode_control_state(full())).unwrap());
    let refreshed = SessionRefreshed { session_id: oms_model::SessionId::from_u128(3), generation: 3, expires_at: Time(77) };
    let rotated =
        ApiKeyRotated { api_key_id: oms_model::ApiKeyId::from_u128(4), prefix: String::new(), sha256: [9; 32], old_until: Time(99) };
    let more = every_kind().into_iter().rev().chain([refreshed.into(), rotated.into()]);
    // A key is made once.
    let more = more.chain(every_kind().into_iter().filter(|event| event.name() != "ApiKeyCreated"));
    for (n, event) in more.enumerate() {
        let batch = Batch { time: Time(40 + n as i64), ..batch(vec![event]) };
        state.apply(&batch);
        read.apply(&batch);
        assert_eq!(read, state);
        assert_eq!(decode_control_state(&encode_control_state(read.clone())).unwrap(), state);
    }
}

/// The form and the fold of this version. Where this differs [`CONTROL_STATE_SCHEMA`] is raised, and the file of the new
/// version is written with `OMS_BLESS=1`.
#[test]
fn the_golden_state_is_what_this_version_stores() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("test-data/control");
    let path = folder.join(format!("state-{CONTROL_STATE_SCHEMA:08x}.bin"));
    if std::env::var_os("OMS_BLESS").is_some_and(|value| value == "1") && !path.exists() {
        std::fs::write(&path, encode_control_state(full())).unwrap();
    }
    let stored = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(encode_control_state(full()), stored, "raise CONTROL_STATE_SCHEMA");
    assert_eq!(decode_control_state(&stored).unwrap(), full());
}

#[test]
fn bytes_of_something_else_are_refused() {
    let stored = encode_control_state(full());
    for end in 1..stored.len() {
        // A state that ends with a whole part is a smaller state: the digest of the snapshot tells that.
        if let Ok(read) = decode_control_state(&stored[..end]) {
            assert_eq!(encode_control_state(read), stored[..end], "{end}");
        }
    }
    assert!(decode_control_state(&[&stored[..], b"\x60\x01"].concat()).is_err(), "an unknown field");
}
