use super::*;

/// The example of the package `note` of Go's module `golang.org/x/mod/sumdb`.
const KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const SECRET: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const TEXT: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const NOTE: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

fn signer() -> SignerKey {
    let bytes = base64(SECRET).unwrap();
    SignerKey::new("PeterNeumann", bytes[1..].try_into().unwrap()).unwrap()
}

#[test]
fn notes_and_keys_are_those_of_other_programs() {
    let key = VerifierKey::parse(KEY).unwrap();
    assert_eq!(key.to_string(), KEY);
    assert_eq!(key.open(NOTE), Ok(TEXT));
    assert_eq!(signer().verifier(), key);
    assert_eq!(signer().sign(TEXT).unwrap(), NOTE);
    let text = format!("PRIVATE+KEY+PeterNeumann+c74f20a3+{SECRET}");
    assert_eq!(signer().secret_text(), text);
    assert_eq!(SignerKey::parse(&text).unwrap().verifier(), key);
    assert!(SignerKey::parse(&text.replace("c74f", "c74e")).is_err());
}

#[test]
fn every_other_byte_is_refused() {
    let key = VerifierKey::parse(KEY).unwrap();
    for at in 0..NOTE.len() {
        for bit in 0..8 {
            let mut bytes = NOTE.as_bytes().to_vec();
            bytes[at] ^= 1 << bit;
            if let Ok(text) = std::str::from_utf8(&bytes) {
                assert!(key.open(text).is_err(), "bit {bit} of byte {at}");
            }
        }
        assert!(NOTE.get(..at).is_none_or(|part| key.open(part).is_err()), "cut at {at}");
    }
    for at in 0..KEY.len() {
        let mut bytes = KEY.as_bytes().to_vec();
        bytes[at] ^= 1;
        assert_eq!(VerifierKey::parse(std::str::from_utf8(&bytes).unwrap()), Err(NoteError::BadKey), "byte {at}");
    }
}

#[test]
fn other_signatures_may_stand_beside_ours() {
    let witness = SignerKey::new("witness.example/w1", &[7; 32]).unwrap();
    let cosigned = witness.sign(TEXT).unwrap();
    let line = cosigned.rsplit_once("\n\n").unwrap().1;
    let both = format!("{NOTE}{line}");
    assert_eq!(VerifierKey::parse(KEY).unwrap().open(&both), Ok(TEXT));
    assert_eq!(witness.verifier().open(&both), Ok(TEXT));
    assert_eq!(VerifierKey::parse(KEY).unwrap().open(&cosigned), Err(NoteError::OtherKey { id: 0xc74f_20a3 }));
    // Twice ours could hide which one was meant.
    let ours = NOTE.rsplit_once("\n\n").unwrap().1;
    assert_eq!(VerifierKey::parse(KEY).unwrap().open(&format!("{NOTE}{ours}")), Err(NoteError::Malformed));
}

#[test]
fn a_private_key_is_not_printed() {
    let text = format!("{:?}", SignerKey::new("x", &[0xab; 32]).unwrap());
    assert!(!text.contains("171, 171") && !text.contains("abab"), "{text}");
    assert!(SignerKey::new("a b", &[0; 32]).is_err() && SignerKey::new("a+b", &[0; 32]).is_err() && SignerKey::new("", &[0; 32]).is_err());
}
