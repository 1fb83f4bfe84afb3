use super::*;
use oms_identity::Net;
use oms_model::{ApiKeyId, InvitationId, SessionId, TenantId, UserId};
use proptest::prelude::*;
use prost_reflect::prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage};

fn ids() -> (TenantId, UserId, SessionId, ApiKeyId) {
    (TenantId::from_u128(1), UserId::from_u128(2), SessionId::from_u128(3), ApiKeyId::from_u128(4))
}

/// One event of every kind, with everything in it.
pub(super) fn every_kind() -> Vec<Event> {
    let (tenant_id, user_id, session_id, api_key_id) = ids();
    let (invitation_id, at) = (InvitationId::from_u128(5), Time(6));
    let nets: Vec<Net> = ["10.0.0.0/8", "2001:db8::/32"].map(|net| net.parse().unwrap()).into();
    let (text, hash) = (str::to_owned as fn(&str) -> String, [7; 32]);
    let secret: Box<[u8]> = Box::new([8, 0, 9]);
    let ip = "192.0.2.1".parse().ok();
    // All that there were when the files were written.
    let scopes = Scopes::from_bits((1 << 22) - 1);
    vec![
        TenantCreated { tenant_id, name: text("desk") }.into(),
        TenantChanged { tenant_id, name: text("desk"), time_zone: text("UTC"), enabled: true }.into(),
        AllowListSet { tenant_id, nets: nets.clone() }.into(),
        UserCreated { user_id, email: "a@b.c".into(), name: "A".into(), password: Some(text("$argon2id$")), break_glass: true }.into(),
        ProfileChanged { user_id, name: "A".into(), time_zone: text("UTC") }.into(),
        PasswordChanged { user_id, password: text("$argon2id$"), rehashed: true }.into(),
        TotpEnrolled { user_id, secret: secret.clone() }.into(),
        TotpConfirmed { user_id, step: 1, recovery: vec![hash, [1; 32]] }.into(),
        TotpUsed { user_id, step: 2 }.into(),
        RecoveryCodeUsed { user_id, sha256: hash }.into(),
        TotpDisabled { user_id }.into(),
        MemberSet { tenant_id, user_id, role: Role::Trader, extra: scopes }.into(),
        MemberRemoved { tenant_id, user_id }.into(),
        Invited { invitation_id, tenant_id, email: "a@b.c".into(), role: Role::Admin, extra: Scopes::NONE, sha256: hash, expires_at: at }
            .into(),
        InvitationAccepted { invitation_id, user_id }.into(),
        InvitationRevoked { invitation_id }.into(),
        BootstrapIssued { sha256: hash, expires_at: at }.into(),
        BootstrapUsed { user_id }.into(),
        SessionOpened { session_id, user_id, tenant_id, cookie: true, mfa: true, expires_at: at }.into(),
        SessionRefreshed { session_id, generation: 2, expires_at: at }.into(),
        SessionRevoked { session_id, reason: text("x") }.into(),
        SessionSteppedUp { session_id }.into(),
        SignInFailed { account: hash, ip }.into(),
        SignInCleared { account: hash, ip: None }.into(),
        ApiKeyCreated {
            api_key_id,
            tenant_id,
            user_id,
            name: text("bot"),
            prefix: text("oms_live_x"),
            sha256: hash,
            scopes,
            expires_at: Some(at),
            nets,
        }
        .into(),
        ApiKeyRotated { api_key_id, prefix: text("oms_live_y"), sha256: hash, old_until: at }.into(),
        ApiKeyRevoked { api_key_id }.into(),
        ApiKeyUsed { api_key_id }.into(),
        SigningKeyAdded { kid: text("k"), public: hash, secret: secret.clone(), sign_from: at, good_until: Time(9) }.into(),
        SigningKeyRetired { kid: text("k") }.into(),
        MacKeySet { secret }.into(),
        BreakGlassUsed { user_id, session_id }.into(),
        UserErased { user_id }.into(),
        KeyDestroyed { subject: Subject(0) }.into(),
        TenantFounding { tenant_id, name: text("desk"), slug: text("d"), request: Some(0), fingerprint: hash }.into(),
    ]
}

/// Those that say who somebody is, with that sealed, as it is read.
pub(super) fn sealed() -> Vec<Event> {
    let mut events = every_kind();
    for event in &mut events {
        let each = event.each_personal(|subject, _, personal| {
            *personal = Personal::of_sealed(Box::new([SEALED, 0, 0xff, subject.0 as u8]));
            Ok::<(), ()>(())
        });
        each.unwrap();
    }
    events.retain(|event| !every_kind().contains(event));
    assert_eq!(events.iter().map(Event::name).collect::<Vec<_>>(), ["UserCreated", "ProfileChanged", "Invited"]);
    events
}

pub(super) fn batch(events: Vec<Event>) -> Batch {
    let (tenant_id, user_id, session_id, api_key_id) = ids();
    let by = By {
        tenant_id,
        user_id: Some(user_id),
        api_key_id: Some(api_key_id),
        session_id: Some(session_id),
        ip: "2001:db8::1".parse().ok(),
        user_agent: "curl".to_owned(),
        ..By::default()
    };
    Batch { time: Time(11), by, trace_id: TraceId::from_u128(12), events }
}

fn bytes(batch: &Batch) -> Vec<u8> {
    let mut out = Vec::new();
    encode_control(batch, &mut out);
    out
}

/// What each version wrote. `OMS_BLESS=1` writes the files of this version that are missing. It never writes over one that is
/// there.
#[test]
fn every_kind_is_read_as_it_ever_was() {
    let kinds = every_kind();
    assert_eq!(kinds.iter().map(|event| (event.code(), event.name())).collect::<Vec<_>>(), Event::KINDS);
    let plain = kinds.into_iter().map(|event| (format!("{:02}_{}.bin", event.code(), event.name()), event));
    let sealed = sealed().into_iter().map(|event| (format!("{:02}_{}_sealed.bin", event.code(), event.name()), event));
    let all: Vec<(String, Event)> = plain.chain(sealed).collect();
    // Version 1 had neither the last three kinds nor anything of people that was sealed.
    as_it_was(1, all.iter().filter(|(file, event)| event.code() <= 32 && !file.contains("sealed")));
    as_it_was(2, all.iter());
}

fn as_it_was<'e>(version: u32, kinds: impl Iterator<Item = &'e (String, Event)>) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("test-data/control/v{version}"));
    let newest = version == CONTROL_SCHEMA_VERSION;
    let mut expected = Vec::new();
    for (file, event) in kinds {
        let path = folder.join(file);
        expected.push(file.clone());
        let batch = batch(vec![event.clone()]);
        if newest && std::env::var_os("OMS_BLESS").is_some_and(|value| value == "1") && !path.exists() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, bytes(&batch)).unwrap();
        }
        let stored = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(decode_control(&stored).unwrap(), batch, "{}", path.display());
        let mut written = bytes(&batch);
        written[1] = version as u8;
        assert_eq!(written, stored, "{} is not what would be written today", path.display());
    }
    expected.sort();
    let mut found: Vec<String> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn what_is_cut_off_or_from_later_is_refused() {
    let whole = bytes(&batch(every_kind()));
    assert_eq!(decode_control(&whole).unwrap(), batch(every_kind()));
    // Where an event ends a shorter batch would stand: the log's checksums are what tells a cut there.
    let mut ends = decode_ends(&whole);
    ends.push(bytes(&Batch { trace_id: TraceId::default(), ..batch(Vec::new()) }).len());
    for end in (0..whole.len()).filter(|end| !ends.contains(end)) {
        assert!(decode_control(&whole[..end]).is_err(), "{end}");
    }
    let mut later = whole.clone();
    later[1] = 3;
    assert!(matches!(decode_control(&later), Err(DecodeError::Version { found: 3, newest: 2 })));
    assert!(decode_control(&[&whole[..], b"\x38\x01"].concat()).is_err(), "an unknown field");
}

/// Where a prefix with fewer events ends.
fn decode_ends(whole: &[u8]) -> Vec<usize> {
    (0..=every_kind().len())
        .map(|count| bytes(&batch(every_kind().into_iter().take(count).collect())).len())
        .filter(|end| *end <= whole.len())
        .collect()
}

proptest! {
    #[test]
    fn bytes_that_are_read_are_written_again(damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut stored = bytes(&batch(every_kind()));
        for (at, byte) in damage {
            let at = at.index(stored.len());
            stored[at] = byte;
        }
        if let Ok(read) = decode_control(&stored) {
            // An older version is written as today's.
            stored[1] = CONTROL_SCHEMA_VERSION as u8;
            prop_assert_eq!(bytes(&read), stored);
        }
    }
}

fn pool() -> DescriptorPool {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/proto");
    let set = protox::compile([root.join("oms/control/v1/events.proto")], [root]).unwrap();
    DescriptorPool::from_file_descriptor_set(set).unwrap()
}

/// Reads bytes by the schema alone; nothing is left over, and writing gives the same bytes.
fn by_schema(pool: &DescriptorPool, message: &str, bytes: &[u8]) -> DynamicMessage {
    let descriptor = pool.get_message_by_name(&format!("oms.control.v1.{message}")).unwrap_or_else(|| panic!("no {message}"));
    let value = DynamicMessage::decode(descriptor, bytes).unwrap();
    assert_eq!(value.unknown_fields().count(), 0, "the schema lacks a field of {message}");
    assert_eq!(value.encode_to_vec(), bytes, "{message}: {value}");
    value
}

#[test]
fn the_schema_describes_every_kind() {
    let pool = pool();
    let kinds = pool.get_enum_by_name("oms.control.v1.ControlEventKind").unwrap();
    assert_eq!(kinds.values().count(), Event::KINDS.len() + 1);
    for event in every_kind().into_iter().chain(sealed()) {
        let (code, name) = (event.code(), event.name());
        let stored = by_schema(&pool, "ControlBatch", &bytes(&batch(vec![event])));
        let by = stored.get_field_by_name("by").unwrap();
        assert_eq!(by.as_message().unwrap().unknown_fields().count(), 0);
        let events = stored.get_field_by_name("events").unwrap();
        let one = events.as_list().unwrap()[0].as_message().unwrap();
        assert_eq!(one.get_field_by_name("kind").unwrap().as_enum_number(), i32::try_from(code).ok(), "{name}");
        let screaming = kinds.get_value(code as i32).unwrap().name().trim_start_matches("CONTROL_EVENT_KIND_").replace('_', "");
        assert_eq!(screaming, name.to_uppercase());
        let body = one.get_field_by_name("body").unwrap();
        by_schema(&pool, name, body.as_bytes().unwrap());
    }
}

macro_rules! fields {
    ($($name:ident { $($tag:literal $field:ident),+ $(,)? })*) => {
        /// The name and the fields of each message.
        fn stored() -> Vec<(&'static str, &'static [(u32, &'static str)])> {
            vec![$((<$name as Message>::NAME, <$name as Message>::FIELDS)),*]
        }
    };
}
control_messages!(fields);

#[test]
fn the_schema_of_the_control_log_has_the_same_fields() {
    let pool = pool();
    for (name, fields) in stored() {
        let described = pool.get_message_by_name(&format!("oms.control.v1.{name}")).unwrap_or_else(|| panic!("no {name}"));
        let described: Vec<_> = described.fields().map(|field| (field.number(), field.name().to_owned())).collect();
        let fields: Vec<_> = fields.iter().map(|(tag, field)| (*tag, (*field).to_owned())).collect();
        assert_eq!(described, fields, "{name}");
    }
}
