use super::*;
use crate::master::LocalMaster;

const TENANT: Owner = Owner::Tenant(1);
const PERSON: Owner = Owner::Subject(7);
const PLACE: Place<'static> = Place { tenant: "1", table: "UserCreated", column: "email", row: "7" };

fn folder(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("oms-vault-{name}-{}", std::process::id()));
    let _gone = std::fs::remove_dir_all(&dir);
    dir
}

fn line(version: u32, byte: u8) -> String {
    use base64::Engine as _;
    format!("{version}:{}\n", base64::engine::general_purpose::STANDARD.encode([byte; 32]))
}

fn master(lines: &[String]) -> Arc<dyn Master> {
    Arc::new(LocalMaster::parse(&Secret::of(&lines.concat())).unwrap())
}

#[test]
fn each_owner_has_keys_of_its_own_and_they_outlive_the_process() {
    let (dir, lines) = (folder("own"), [line(1, 3)]);
    let keys = Keys::open(&dir, master(&lines)).unwrap();
    let sealed = keys.seal(TENANT, &PLACE, &Secret::of("x")).unwrap();
    assert!(matches!(keys.open_sealed(Owner::Tenant(2), &PLACE, &sealed), Err(VaultError::NoKey(_))));
    keys.seal(Owner::Tenant(2), &PLACE, &Secret::of("x")).unwrap();
    assert!(matches!(keys.open_sealed(Owner::Tenant(2), &PLACE, &sealed), Err(VaultError::Refused)));
    let again = Keys::open(&dir, master(&lines)).unwrap();
    assert_eq!(again.open_sealed(TENANT, &PLACE, &sealed).unwrap().expose(), b"x");
    // One tenant's key file under another's name opens nothing.
    std::fs::copy(dir.join(format!("{TENANT}.keys")), dir.join(format!("{}.keys", Owner::Tenant(3)))).unwrap();
    assert!(matches!(again.open_sealed(Owner::Tenant(3), &PLACE, &sealed), Err(VaultError::Malformed(_))));
    let moved =
        std::fs::read_to_string(dir.join(format!("{TENANT}.keys"))).unwrap().replace(&TENANT.to_string(), &Owner::Tenant(3).to_string());
    std::fs::write(dir.join(format!("{}.keys", Owner::Tenant(3))), moved).unwrap();
    assert!(matches!(again.open_sealed(Owner::Tenant(3), &PLACE, &sealed), Err(VaultError::Refused)));
    std::fs::remove_dir_all(dir).unwrap();
}

#[test]
fn what_earlier_keys_encrypted_can_still_be_read() {
    let dir = folder("renew");
    let keys = Keys::open(&dir, master(&[line(1, 3)])).unwrap();
    let first = keys.seal(TENANT, &PLACE, &Secret::of("old")).unwrap();
    assert_eq!(keys.renew(TENANT).unwrap(), 2);
    let second = keys.seal(TENANT, &PLACE, &Secret::of("new")).unwrap();
    assert_eq!((first.key_version(), second.key_version()), (1, 2));
    assert_eq!(keys.open_sealed(TENANT, &PLACE, &first).unwrap().expose(), b"old");
    assert_eq!(keys.open_sealed(TENANT, &PLACE, &second).unwrap().expose(), b"new");
    std::fs::remove_dir_all(dir).unwrap();
}

#[test]
fn a_new_master_key_takes_the_place_of_the_old_one() {
    let dir = folder("rewrap");
    let keys = Keys::open(&dir, master(&[line(1, 3)])).unwrap();
    let sealed = keys.seal(TENANT, &PLACE, &Secret::of("x")).unwrap();
    keys.seal(PERSON, &PLACE, &Secret::of("y")).unwrap();
    keys.renew(PERSON).unwrap();
    keys.destroy(8).unwrap();
    // Both versions are there until everything was wrapped anew; then the old one can go.
    let both = Keys::open(&dir, master(&[line(1, 3), line(2, 4)])).unwrap();
    assert_eq!(both.rewrap().unwrap(), Rewrapped { rewrapped: 3, current: 0, destroyed: 1 });
    assert_eq!(both.rewrap().unwrap(), Rewrapped { rewrapped: 0, current: 3, destroyed: 1 });
    let new = Keys::open(&dir, master(&[line(2, 4)])).unwrap();
    assert_eq!(new.open_sealed(TENANT, &PLACE, &sealed).unwrap().expose(), b"x");
    let old = Keys::open(&dir, master(&[line(1, 3)])).unwrap();
    assert!(matches!(old.open_sealed(TENANT, &PLACE, &sealed), Err(VaultError::NoKey(_))));
    std::fs::remove_dir_all(dir).unwrap();
}

#[test]
fn a_person_is_erased_by_destroying_the_keys() {
    let dir = folder("erase");
    let keys = Keys::open(&dir, master(&[line(1, 3)])).unwrap();
    let (hers, his) =
        (keys.seal(PERSON, &PLACE, &Secret::of("her")).unwrap(), keys.seal(Owner::Subject(9), &PLACE, &Secret::of("his")).unwrap());
    let before = std::fs::read_to_string(dir.join(format!("{PERSON}.keys"))).unwrap();
    keys.destroy(7).unwrap();
    keys.destroy(7).unwrap();
    for keys in [&keys, &Keys::open(&dir, master(&[line(1, 3)])).unwrap()] {
        assert!(matches!(keys.open_sealed(PERSON, &PLACE, &hers), Err(VaultError::Destroyed)));
        assert!(matches!(keys.seal(PERSON, &PLACE, &Secret::of("her")), Err(VaultError::Destroyed)), "no new key under the old name");
        assert!(matches!(keys.renew(PERSON), Err(VaultError::Destroyed)));
        assert_eq!(keys.open_sealed(Owner::Subject(9), &PLACE, &his).unwrap().expose(), b"his");
    }
    // No file of the folder holds the wrapped key any more.
    let wrapped = before.lines().nth(2).unwrap().rsplit(' ').next().unwrap().to_owned();
    for entry in std::fs::read_dir(&dir).unwrap() {
        assert!(!std::fs::read_to_string(entry.unwrap().path()).unwrap().contains(&wrapped));
    }
    std::fs::remove_dir_all(dir).unwrap();
}

#[test]
fn neither_keys_nor_secrets_lie_open() {
    use std::os::unix::fs::PermissionsExt;
    let dir = folder("closed");
    let keys = Keys::open(&dir, master(&[line(1, 3)])).unwrap();
    keys.seal(TENANT, &PLACE, &Secret::of("x")).unwrap();
    let path = dir.join(format!("{TENANT}.keys"));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&path).unwrap();
    let raw = keys.kept().get(&TENANT).unwrap().get(&1).unwrap().to_vec();
    use base64::Engine as _;
    assert!(!text.contains(&base64::engine::general_purpose::STANDARD.encode(raw)));
    for wrong in ["", "oms data keys 1\n", "oms data keys 2\nowner x\nkey 1 a b\n"] {
        std::fs::write(&path, wrong).unwrap();
        let again = Keys::open(&dir, master(&[line(1, 3)])).unwrap();
        assert!(matches!(again.seal(TENANT, &PLACE, &Secret::of("x")), Err(VaultError::Malformed(_))), "{wrong:?}");
    }
    std::fs::remove_dir_all(dir).unwrap();
}
