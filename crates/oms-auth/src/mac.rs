//! Refresh tokens, session cookies and CSRF tokens: the id of a session and a MAC of 256 bits that only this installation can
//! make. So nothing of them is stored, an old refresh token proves that it is an old one, and the successor can be told again.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oms_model::SessionId;
use ring::hmac;

const REFRESH: &str = "oms_rt_";
const COOKIE: &str = "oms_sc_";

/// Makes and checks them.
pub struct Maker {
    key: hmac::Key,
}

impl Maker {
    /// With this key.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key) }
    }

    fn mac(&self, purpose: &str, session: SessionId, generation: u64) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(purpose.as_bytes());
        context.update(&session.as_u128().to_be_bytes());
        context.update(&generation.to_be_bytes());
        context.sign()
    }

    fn make(&self, prefix: &str, session: SessionId, generation: u64) -> String {
        let mut bytes = session.as_u128().to_be_bytes().to_vec();
        bytes.extend_from_slice(&generation.to_be_bytes());
        bytes.extend_from_slice(self.mac(prefix, session, generation).as_ref());
        format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    fn read(&self, prefix: &str, token: &str) -> Option<(SessionId, u64)> {
        let bytes = URL_SAFE_NO_PAD.decode(token.strip_prefix(prefix)?).ok()?;
        let (session, rest) = bytes.split_first_chunk::<16>()?;
        let (generation, mac) = rest.split_first_chunk::<8>()?;
        let (session, generation) = (SessionId::from_u128(u128::from_be_bytes(*session)), u64::from_be_bytes(*generation));
        crate::same(self.mac(prefix, session, generation).as_ref(), mac).then_some((session, generation))
    }

    /// The refresh token with this number.
    #[must_use]
    pub fn refresh(&self, session: SessionId, generation: u64) -> String {
        self.make(REFRESH, session, generation)
    }

    /// Session and number of a refresh token of ours.
    #[must_use]
    pub fn read_refresh(&self, token: &str) -> Option<(SessionId, u64)> {
        self.read(REFRESH, token)
    }

    /// The cookie of a session.
    #[must_use]
    pub fn cookie(&self, session: SessionId) -> String {
        self.make(COOKIE, session, 0)
    }

    /// The session of a cookie of ours.
    #[must_use]
    pub fn read_cookie(&self, value: &str) -> Option<SessionId> {
        self.read(COOKIE, value).map(|(session, _)| session)
    }

    /// The CSRF token of a session.
    #[must_use]
    pub fn csrf(&self, session: SessionId) -> String {
        URL_SAFE_NO_PAD.encode(self.mac("csrf", session, 0))
    }

    /// Whether it is the CSRF token of a session.
    #[must_use]
    pub fn is_csrf(&self, session: SessionId, given: &str) -> bool {
        crate::same(self.csrf(session).as_bytes(), given.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_made_here_is_read() {
        let (maker, other, session) = (Maker::new(&[1; 32]), Maker::new(&[2; 32]), SessionId::from_u128(7));
        let token = maker.refresh(session, 3);
        assert_eq!(maker.read_refresh(&token), Some((session, 3)));
        assert_eq!((other.read_refresh(&token), maker.read_cookie(&token)), (None, None));
        assert_eq!(maker.read_cookie(&token.replace(REFRESH, COOKIE)), None, "a token of one kind is none of another");
        let body = REFRESH.len();
        for at in body..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'Q' } else { b'A' };
            assert_eq!(maker.read_refresh(&String::from_utf8(bytes).unwrap()), None, "{at}");
        }
        assert_eq!(maker.read_cookie(&maker.cookie(session)), Some(session));
        assert!(maker.is_csrf(session, &maker.csrf(session)) && !maker.is_csrf(SessionId::from_u128(8), &maker.csrf(session)));
    }
}
