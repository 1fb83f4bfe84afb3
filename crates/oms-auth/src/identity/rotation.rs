//! The keys of the installation: made when they are missing, replaced when their time is over.

use super::{Identity, entropy, internal, lock};
use crate::jwt;
use crate::log::ControlLog;
use crate::mac::Maker;
use crate::seal::SecretBox;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oms_identity::event::{MacKeySet, SigningKeyAdded};
use oms_identity::state::SECOND;
use oms_identity::{Asked, Command};
use oms_model::{Refusal, TraceId};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A new key is published so long before it signs, so that whoever keeps the keys for a while has it in time.
const PUBLISH_S: i64 = 3_600;
/// What was signed is proven for so long beyond its life: clocks differ.
const SLACK_S: i64 = 3_600;
const MAC_AAD: &str = "control/mac";

/// The opened signing keys, by what tokens call them.
pub(super) type Signers = BTreeMap<String, Arc<Ed25519KeyPair>>;

fn signing_aad(kid: &str) -> String {
    format!("control/signing/{kid}")
}

/// The key that refresh tokens and cookies are authenticated with; made where there is none.
pub(super) async fn mac_key(log: &ControlLog, secrets: &dyn SecretBox) -> Result<Maker, Refusal> {
    let known = log.state().mac_key().map(<[u8]>::to_vec);
    if let Some(sealed) = known {
        return secrets.open(MAC_AAD, &sealed).map(|key| Maker::new(&key)).map_err(|error| internal(&error));
    }
    let key: [u8; 32] = entropy()?;
    let secret = secrets.seal(MAC_AAD, &key).map_err(|error| internal(&error))?;
    log.execute(Asked::console(), TraceId::default(), Command::SetMacKey(MacKeySet { secret })).await?;
    Ok(Maker::new(&key))
}

impl Identity {
    /// Looks after the keys: adds the next signing key in time, and destroys those of people who are erased. To be called now and
    /// then.
    ///
    /// # Errors
    /// `INTERNAL`, `OVERLOADED`.
    pub async fn tend(&self) -> Result<(), Refusal> {
        self.destroy_keys().await?;
        let now = self.now();
        let life = self.config().signing_s * SECOND;
        let newest = self.state().signing_keys().map(|(_, key)| key.sign_from).max();
        match newest {
            None => self.add_signing_key(0).await,
            Some(from) if from.plus(life) <= now.plus(PUBLISH_S * SECOND) => self.add_signing_key(PUBLISH_S).await,
            Some(_) => Ok(()),
        }
    }

    /// Adds a signing key that signs after so many seconds.
    ///
    /// # Errors
    /// As [`Identity::tend`].
    pub async fn add_signing_key(&self, after_s: i64) -> Result<(), Refusal> {
        let seed: [u8; 32] = entropy()?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|error| internal(&error))?;
        let public: [u8; 32] = pair.public_key().as_ref().try_into().map_err(|_| internal(&"a key of another size"))?;
        let kid = URL_SAFE_NO_PAD.encode(entropy::<12>()?);
        let secret = self.inner.secrets.seal(&signing_aad(&kid), &seed).map_err(|error| internal(&error))?;
        let sign_from = self.now().plus(after_s * SECOND);
        let config = self.config();
        // The next key signs from the end of this one's life on, and what this one signed last is good for a token's life.
        let good_s = config.signing_s + PUBLISH_S + config.access_s + SLACK_S;
        let added = SigningKeyAdded { kid, public, secret, sign_from, good_until: sign_from.plus(good_s * SECOND) };
        self.execute_as_console(Command::AddSigningKey(added)).await.map(drop)
    }

    /// A token with these claims, signed with the key whose turn it is.
    pub(super) fn sign(&self, typ: &str, claims: &Value) -> Result<String, Refusal> {
        let now = self.now();
        let (kid, sealed, public) = {
            let state = self.state();
            let (kid, key) = state.signing_key(now).ok_or_else(|| internal(&"there is no signing key"))?;
            (kid.to_owned(), key.secret.clone(), key.public)
        };
        let mut signers = lock(&self.inner.signers);
        let pair = match signers.get(&kid) {
            Some(pair) => Arc::clone(pair),
            None => {
                let seed = self.inner.secrets.open(&signing_aad(&kid), &sealed).map_err(|error| internal(&error))?;
                let pair = Ed25519KeyPair::from_seed_and_public_key(&seed, &public).map_err(|error| internal(&error))?;
                let pair = Arc::new(pair);
                signers.clear();
                signers.insert(kid.clone(), Arc::clone(&pair));
                pair
            }
        };
        drop(signers);
        Ok(jwt::sign(&pair, &kid, typ, claims))
    }

    /// The public keys (RFC 7517), also those that sign later.
    #[must_use]
    pub fn jwks(&self) -> String {
        let now = self.now();
        let state = self.state();
        let keys: Vec<Value> =
            state.signing_keys().filter(|(_, key)| now < key.good_until).map(|(kid, key)| jwt::jwk(kid, &key.public)).collect();
        json!({"keys": keys}).to_string()
    }
}
