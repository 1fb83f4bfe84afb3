//! Bytes that nobody prints.

use std::fmt;
use zeroize::Zeroizing;

/// A secret. It has no `Display`, its `Debug` tells nothing, and its memory is wiped when it is dropped.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Keeps these bytes.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Keeps a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self::new(text.as_bytes().to_vec())
    }

    /// The bytes, for whoever must have them. Every call is a place to look at.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// As text, where it is one.
    #[must_use]
    pub fn expose_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_never_printed() {
        #[derive(Debug)]
        struct Holder {
            _secret: Secret,
        }
        let text = format!("{:?} {:#?}", Holder { _secret: Secret::of("hunter2") }, Some(Secret::of("hunter2")));
        assert!(!text.contains("hunter2") && !text.contains("104"), "{text}");
        assert_eq!(Secret::of("hunter2").expose_text(), Some("hunter2"));
        assert_eq!(Secret::new(vec![0xff]).expose_text(), None);
    }
}
