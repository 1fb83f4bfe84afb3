//! The second factor: time-based one-time passwords (RFC 6238, SHA-1, 30 s, six digits, as every authenticator has them).

use ring::hmac;

/// Seconds of a step.
pub const STEP_S: i64 = 30;
/// Bytes of a secret: as many as the hash has (RFC 4226).
pub const SECRET_LEN: usize = 20;
/// Recovery codes that are handed out.
pub const RECOVERY_CODES: usize = 10;
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The time step of a moment, seconds since 1970.
#[must_use]
pub fn step_at(unix_s: i64) -> u64 {
    u64::try_from(unix_s.div_euclid(STEP_S)).unwrap_or_default()
}

/// The code of a step: six digits.
#[must_use]
pub fn code(secret: &[u8], step: u64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let bytes = tag.as_ref();
    // RFC 4226 section 5.3: the last four bits say where the 31 bits are.
    let offset = usize::from(bytes.last().copied().unwrap_or_default() & 0xf);
    let word = bytes.get(offset..offset + 4).and_then(|word| <[u8; 4]>::try_from(word).ok()).map_or(0, u32::from_be_bytes);
    format!("{:06}", (word & 0x7fff_ffff) % 1_000_000)
}

/// The step whose code this is, of the current one and its two neighbours: clocks differ a little.
#[must_use]
pub fn matching_step(secret: &[u8], given: &str, unix_s: i64) -> Option<u64> {
    let now = step_at(unix_s);
    let mut found = None;
    // All three are compared, whichever fits.
    for step in [now.saturating_sub(1), now, now + 1] {
        if crate::same(code(secret, step).as_bytes(), given.as_bytes()) {
            found = Some(step);
        }
    }
    found
}

/// RFC 4648 base 32 without padding, as authenticators read it.
#[must_use]
pub fn base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 8 / 5 + 1);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in bytes {
        bits = bits << 8 | u32::from(*byte);
        held += 8;
        while held >= 5 {
            held -= 5;
            text.push(char::from(BASE32[(bits >> held & 31) as usize]));
        }
        bits &= (1 << held) - 1;
    }
    if held > 0 {
        text.push(char::from(BASE32[(bits << (5 - held) & 31) as usize]));
    }
    text
}

/// What an authenticator scans.
#[must_use]
pub fn uri(secret: &[u8], email: &str) -> String {
    let label: String = email.bytes().flat_map(percent).collect();
    format!("otpauth://totp/oms:{label}?secret={}&issuer=oms&algorithm=SHA1&digits=6&period={STEP_S}", base32(secret))
}

fn percent(byte: u8) -> Vec<char> {
    match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => vec![char::from(byte)],
        _ => format!("%{byte:02X}").chars().collect(),
    }
}

/// A recovery code of this entropy: 80 bits in four groups.
#[must_use]
pub fn recovery_code(entropy: [u8; 10]) -> String {
    let text = base32(&entropy).to_lowercase();
    text.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join("-")
}

/// A recovery code as it is hashed: however it was typed.
#[must_use]
pub fn plain_recovery_code(typed: &str) -> String {
    typed.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238 appendix B, the last six of its eight digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        let secret = b"12345678901234567890";
        for (time, expected) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"), (1_234_567_890, "005924"), (2_000_000_000, "279037")]
        {
            assert_eq!(code(secret, step_at(time)), expected);
            for (shift, found) in [(-60, time < 60), (-30, true), (0, true), (30, true), (60, false)] {
                assert_eq!(matching_step(secret, expected, time + shift).is_some(), found, "{time} {shift}");
            }
        }
        assert_eq!(matching_step(secret, "", 59), None);
    }

    #[test]
    fn secrets_are_written_as_authenticators_read_them() {
        for (bytes, text) in [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB")] {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
        assert!(uri(&[0; 20], "a+b@c.de").starts_with("otpauth://totp/oms:a%2Bb%40c.de?secret=AAAA"));
        let code = recovery_code([0xff; 10]);
        assert_eq!(code, "7777-7777-7777-7777");
        assert_eq!(plain_recovery_code(" 7777 7777-77777777"), "7777777777777777");
    }
}
