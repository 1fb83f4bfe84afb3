use super::*;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::LazyLock;

/// A box for tests of what uses one.
pub(crate) fn any() -> Box<dyn SecretBox> {
    static ANY: LazyLock<Arc<VaultBox>> = LazyLock::new(|| {
        let home = Home::new("any");
        let opened = VaultBox::open_dir(&home.0, &home.0, None).unwrap();
        // Its keys are read once and held from then on.
        opened.seal("first", b"use").unwrap();
        Arc::new(opened)
    });
    Box::new(Arc::clone(&ANY))
}

struct Home(PathBuf);

impl Home {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("oms-seal-{}-{name}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    fn open(&self, master: Option<Arc<dyn Master>>) -> Result<VaultBox, SealError> {
        VaultBox::open_dir(&self.0.join("vault"), &self.0, master)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

fn master(version: u32) -> Arc<dyn Master> {
    Arc::new(LocalMaster::parse(&LocalMaster::generate(version).unwrap()).unwrap())
}

/// The key and a value of a desk from before there was a vault: AES-256-GCM by ring, nonce from the system.
fn before(key: [u8; 32], aad: &str, plain: &[u8]) -> Vec<u8> {
    use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).unwrap());
    let (mut nonce, mut body) = ([0; 12], plain.to_vec());
    getrandom::fill(&mut nonce).unwrap();
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad.as_bytes()), &mut body).unwrap();
    [&[1], nonce.as_slice(), &body].concat()
}

#[test]
fn what_is_sealed_opens_for_its_purpose_alone() {
    let (home, other) = (Home::new("purpose"), Home::new("other"));
    let one = home.open(None).unwrap();
    let sealed = one.seal("totp:7", b"secret").unwrap();
    assert!(!sealed.windows(6).any(|window| window == b"secret"));
    assert_eq!(one.open("totp:7", &sealed).unwrap(), b"secret");
    assert!(one.open("totp:8", &sealed).is_err() && other.open(None).unwrap().open("totp:7", &sealed).is_err());
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(one.open("totp:7", &changed).is_err(), "byte {at}");
    }
    assert!(one.open("totp:7", &[]).is_err() && one.open("totp:7", &sealed[..20]).is_err());
    assert_ne!(one.seal("a", b"x").unwrap(), one.seal("a", b"x").unwrap());
    assert_eq!(home.open(None).unwrap().open("totp:7", &sealed).unwrap(), b"secret", "after a restart too");
}

#[test]
fn the_own_key_is_its_owners_alone() {
    let home = Home::new("own");
    drop(home.open(None).unwrap());
    let path = home.0.join(OWN);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(home.open(None), Err(SealError::Key { .. })));
}

#[test]
fn a_desk_from_before_there_was_a_vault_opens() {
    let home = Home::new("before");
    write(&home.0.join(OWN), &[7; 32]).unwrap();
    let old = before([7; 32], "totp:7", b"secret");
    let without = home.open(None).unwrap();
    assert_eq!(without.open("totp:7", &old).unwrap(), b"secret");
    assert!(without.open("totp:8", &old).is_err());
    let new = without.seal("signing:1", b"seed").unwrap();
    drop(without);

    // A master key is set: whatever was sealed opens by it alone, and the own key lies nowhere any more.
    let named = master(3);
    for _ in 0..2 {
        let with = home.open(Some(Arc::clone(&named))).unwrap();
        assert_eq!((with.open("totp:7", &old).unwrap(), with.open("signing:1", &new).unwrap()), (b"secret".to_vec(), b"seed".to_vec()));
    }
    assert!(!home.0.join(OWN).exists() && fs::read(home.0.join(OWN_SEALED)).unwrap().windows(32).all(|window| window != [7; 32]));
    assert!(home.open(Some(master(3))).is_err(), "another master key opens nothing");
    assert!(home.open(None).is_err(), "nor does none: a new own key would open nothing either");
}

#[test]
fn a_hand_over_that_was_interrupted_is_finished() {
    let home = Home::new("interrupted");
    let sealed = home.open(None).unwrap().seal("a", b"x").unwrap();
    let (own, named) = (fs::read(home.0.join(OWN)).unwrap(), master(1));
    drop(home.open(Some(Arc::clone(&named))).unwrap());
    // As if the power had failed before the own key was taken away.
    write(&home.0.join(OWN), &own).unwrap();
    assert_eq!(home.open(Some(named)).unwrap().open("a", &sealed).unwrap(), b"x");
    assert!(!home.0.join(OWN).exists());
}
