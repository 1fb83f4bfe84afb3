//! JSON Web Tokens (RFC 7515, 7519, 9068): written with Ed25519 alone, read with the algorithms of a closed list. The key
//! decides the algorithm, never the token: a token that names another one than its key's is refused, and so is one that
//! brings or points at a key (`jwk`, `jku`, `x5u`, `x5c`) or wants an extension (`crit`).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{self, Ed25519KeyPair, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::{Value, json};

/// The longest token that is looked at.
pub const MAX_TOKEN: usize = 8 * 1024;

/// Why a token is not taken. Whoever sent it is told only that it is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bad {
    /// It is not a signed token in compact form.
    Form,
    /// Its header asks for what is not offered.
    Header,
    /// Its key is not known.
    Key,
    /// Its key has another algorithm.
    Algorithm,
    /// It was not signed with its key.
    Signature,
    /// What it says is not for here, or not now.
    Claims,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    #[serde(default)]
    typ: Option<String>,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    #[allow(dead_code, reason = "issuers may say it; nothing follows from it")]
    cty: Option<String>,
}

/// A public key with the one algorithm that it is used with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// Ed25519 (RFC 8037).
    EdDsa([u8; 32]),
    /// ECDSA on P-256 with SHA-256: the uncompressed point.
    Es256(Vec<u8>),
    /// RSA PKCS#1 v1.5 with SHA-256: modulus and exponent.
    Rs256(Vec<u8>, Vec<u8>),
}

impl PublicKey {
    /// The algorithm's name.
    #[must_use]
    pub const fn alg(&self) -> &'static str {
        match self {
            Self::EdDsa(_) => "EdDSA",
            Self::Es256(_) => "ES256",
            Self::Rs256(..) => "RS256",
        }
    }

    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::EdDsa(key) => UnparsedPublicKey::new(&signature::ED25519, key).verify(message, signature),
            Self::Es256(point) => UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point).verify(message, signature),
            // Moduli below 2048 bits are refused.
            Self::Rs256(n, e) => RsaPublicKeyComponents { n, e }.verify(&signature::RSA_PKCS1_2048_8192_SHA256, message, signature),
        }
        .is_ok()
    }

    /// The key of a JWK (RFC 7517), where it is one that signs and of the closed list.
    #[must_use]
    pub fn of_jwk(jwk: &Value) -> Option<Self> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let bytes = |name: &str| text(name).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        if text("use").is_some_and(|usage| usage != "sig") {
            return None;
        }
        let key = match (text("kty")?, text("crv")) {
            ("OKP", Some("Ed25519")) => Self::EdDsa(bytes("x")?.try_into().ok()?),
            ("EC", Some("P-256")) => {
                let (x, y) = (bytes("x")?, bytes("y")?);
                if x.len() != 32 || y.len() != 32 {
                    return None;
                }
                Self::Es256([vec![4], x, y].concat())
            }
            ("RSA", None) => Self::Rs256(bytes("n")?, bytes("e")?),
            _ => return None,
        };
        text("alg").is_none_or(|alg| alg == key.alg()).then_some(key)
    }
}

/// A token that was taken apart, and proves nothing yet.
pub struct Unproven<'t> {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    message: &'t str,
    signature: Vec<u8>,
    claims: Value,
}

impl<'t> Unproven<'t> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// [`Bad::Form`], [`Bad::Header`].
    pub fn read(token: &'t str) -> Result<Self, Bad> {
        if token.len() > MAX_TOKEN {
            return Err(Bad::Form);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(Bad::Form)?;
        let (header, claims) = message.split_once('.').ok_or(Bad::Form)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Bad::Form);
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| Bad::Header)?;
        let claims: Value = serde_json::from_slice(&decode(claims)?).map_err(|_| Bad::Form)?;
        if !claims.is_object() {
            return Err(Bad::Form);
        }
        Ok(Self { alg: header.alg, kid: header.kid, typ: header.typ, message, signature: decode(signature)?, claims })
    }

    /// Who is said to have made it: to find the keys that it must be proven with.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.claims.get("iss").and_then(Value::as_str)
    }

    /// Which key it names.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Which type it says it is.
    #[must_use]
    pub fn typ(&self) -> Option<&str> {
        self.typ.as_deref()
    }

    /// What it says, once this key has proven it.
    ///
    /// # Errors
    /// [`Bad::Algorithm`], [`Bad::Signature`].
    pub fn proven(self, key: &PublicKey) -> Result<Value, Bad> {
        if self.alg != key.alg() {
            return Err(Bad::Algorithm);
        }
        if key.verifies(self.message.as_bytes(), &self.signature) { Ok(self.claims) } else { Err(Bad::Signature) }
    }
}

/// A token with these claims, signed.
#[must_use]
pub fn sign(key: &Ed25519KeyPair, kid: &str, typ: &str, claims: &Value) -> String {
    let header = json!({"alg": "EdDSA", "typ": typ, "kid": kid});
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()));
    format!("{message}.{signature}")
}

/// A public key of ours as a JWK.
#[must_use]
pub fn jwk(kid: &str, public: &[u8; 32]) -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": kid, "x": URL_SAFE_NO_PAD.encode(public)})
}

/// Whether the claims are for this audience and of this issuer, and hold at `now` (seconds since 1970) give or take `skew`.
///
/// # Errors
/// [`Bad::Claims`].
pub fn check_claims(claims: &Value, issuer: &str, audience: &str, now: i64, skew: i64) -> Result<(), Bad> {
    let number = |name: &str| claims.get(name).and_then(Value::as_i64);
    let for_us = match claims.get("aud") {
        Some(Value::String(one)) => one == audience,
        Some(Value::Array(many)) => many.iter().any(|one| one.as_str() == Some(audience)),
        _ => false,
    };
    let from_them = claims.get("iss").and_then(Value::as_str) == Some(issuer);
    let not_over = number("exp").is_some_and(|exp| now < exp.saturating_add(skew));
    let begun = |name: &str| claims.get(name).is_none_or(|_| number(name).is_some_and(|at| at <= now.saturating_add(skew)));
    if for_us && from_them && not_over && begun("nbf") && begun("iat") { Ok(()) } else { Err(Bad::Claims) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::KeyPair as _;

    fn pair(seed: u8) -> (Ed25519KeyPair, PublicKey) {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let public = PublicKey::EdDsa(pair.public_key().as_ref().try_into().unwrap());
        (pair, public)
    }

    fn forged(header: &Value, claims: &Value, signature: &[u8]) -> String {
        let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn read(token: &str, key: &PublicKey) -> Result<Value, Bad> {
        Unproven::read(token).and_then(|unproven| unproven.proven(key))
    }

    #[test]
    fn a_token_is_proven_by_its_key_alone() {
        let ((pair_1, key_1), (_, key_2)) = (pair(1), pair(2));
        let claims = json!({"iss": "us", "sub": "x"});
        let token = sign(&pair_1, "k", "at+jwt", &claims);
        assert_eq!(read(&token, &key_1), Ok(claims.clone()));
        assert_eq!(read(&token, &key_2), Err(Bad::Signature));
        for at in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            assert!(read(&String::from_utf8(bytes).unwrap(), &key_1).is_err(), "{at}");
        }
        assert_eq!(PublicKey::of_jwk(&jwk("k", &[7; 32])), Some(PublicKey::EdDsa([7; 32])));
    }

    #[test]
    fn the_key_decides_the_algorithm() {
        let (pair, key) = pair(1);
        let claims = json!({"iss": "us"});
        let PublicKey::EdDsa(public) = &key else { unreachable!() };
        for none in ["none", "None", "NONE", ""] {
            assert_eq!(read(&forged(&json!({"alg": none}), &claims, b""), &key), Err(Bad::Algorithm));
        }
        // The public key as the secret of HS256, the classic confusion.
        let header = json!({"alg": "HS256", "typ": "at+jwt", "kid": "k"});
        let message = forged(&header, &claims, b"");
        let message = message.trim_end_matches('.');
        let mac = ring::hmac::sign(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, public), message.as_bytes());
        assert_eq!(read(&format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac)), &key), Err(Bad::Algorithm));
        // A key that the token brings itself.
        for (name, value) in
            [("jwk", jwk("k", public)), ("jku", json!("https://evil")), ("x5u", json!("https://evil")), ("crit", json!(["x"]))]
        {
            let mut header = json!({"alg": "EdDSA", "kid": "k"});
            header[name] = value;
            assert_eq!(read(&forged(&header, &claims, b""), &key), Err(Bad::Header), "{name}");
        }
        let token = sign(&pair, "k", "at+jwt", &claims);
        assert_eq!(read(&token, &PublicKey::Es256(vec![4; 65])), Err(Bad::Algorithm));
        for bad in ["", ".", "..", "a.b", "a.b.c", &token[1..], &format!("{token}.x"), &"a".repeat(MAX_TOKEN + 1)] {
            assert!(read(bad, &key).is_err(), "{bad}");
        }
    }

    #[test]
    fn claims_hold_here_and_now() {
        let good = json!({"iss": "us", "aud": ["x", "oms"], "exp": 100, "nbf": 10, "iat": 10});
        let check = |claims: &Value, now| check_claims(claims, "us", "oms", now, 0);
        assert_eq!((check(&good, 10), check(&good, 99)), (Ok(()), Ok(())));
        assert_eq!((check(&good, 9), check(&good, 100)), (Err(Bad::Claims), Err(Bad::Claims)));
        for (name, value) in [("iss", json!("them")), ("aud", json!("x")), ("aud", json!(7)), ("exp", json!("later")), ("nbf", json!("x"))]
        {
            let mut bad = good.clone();
            bad[name] = value;
            assert_eq!(check(&bad, 50), Err(Bad::Claims), "{name}");
        }
        assert_eq!(check(&json!({"iss": "us", "aud": "oms"}), 50), Err(Bad::Claims), "it must end some time");
    }
}
