//! Ranges of addresses.

use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;

/// Every address that begins with the first `prefix` bits of `address`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Net {
    /// Its bits behind the prefix are zero.
    pub address: IpAddr,
    /// How many bits count; at most 32 for IPv4 and 128 for IPv6.
    pub prefix: u32,
}

/// It is not an address, nor one with a prefix such as `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotNet;

/// The bits of an address, highest first, and how many it has.
fn bits(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()) << 96, 32),
        IpAddr::V6(v6) => (v6.to_bits(), 128),
    }
}

/// An IPv4 address that is written as an IPv6 one is the IPv4 one.
fn plain(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

fn mask(prefix: u32) -> u128 {
    u128::MAX.checked_shl(128_u32.saturating_sub(prefix)).unwrap_or(0)
}

impl Net {
    /// The range with this prefix.
    ///
    /// # Errors
    /// The prefix is longer than the address, or bits behind it are set.
    pub fn new(address: IpAddr, prefix: u32) -> Result<Self, NotNet> {
        let (value, size) = bits(address);
        let fits = prefix <= size && value & !mask(prefix) == 0 && plain(address) == address;
        if fits { Ok(Self { address, prefix }) } else { Err(NotNet) }
    }

    /// Whether the address is one of them.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let ((own, size), (other, other_size)) = (bits(self.address), bits(plain(address)));
        size == other_size && (own ^ other) & mask(self.prefix) == 0
    }
}

/// Whether a list lets an address through: an empty list lets everything through, another one nothing that has no address.
#[must_use]
pub fn lets_in(list: &[Net], address: Option<IpAddr>) -> bool {
    list.is_empty() || address.is_some_and(|address| list.iter().any(|net| net.contains(address)))
}

/// What counts as one place of attack: an IPv4 address, or the first 64 bits of an IPv6 address, as one network has them all.
#[must_use]
pub fn place(address: IpAddr) -> IpAddr {
    match plain(address) {
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & mask(64)).into()),
        v4 => v4,
    }
}

impl fmt::Display for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl FromStr for Net {
    type Err = NotNet;

    fn from_str(text: &str) -> Result<Self, NotNet> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) if prefix.len() <= 3 && prefix.bytes().all(|b| b.is_ascii_digit()) => {
                (address, Some(prefix.parse().map_err(|_| NotNet)?))
            }
            Some(_) => return Err(NotNet),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NotNet)?;
        Self::new(address, prefix.unwrap_or_else(|| bits(address).1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_its_addresses_and_no_others() {
        let net: Net = "10.1.0.0/16".parse().unwrap();
        let inside = |text: &str| net.contains(text.parse().unwrap());
        assert!(inside("10.1.255.255") && inside("::ffff:10.1.2.3"));
        assert!(!inside("10.2.0.0") && !inside("a01::"));
        let one: Net = "2001:db8::1".parse().unwrap();
        assert!(one.contains("2001:db8::1".parse().unwrap()) && !one.contains("2001:db8::2".parse().unwrap()));
        assert!("0.0.0.0/0".parse::<Net>().unwrap().contains("255.1.2.3".parse().unwrap()));
        for bad in ["10.1.0.1/16", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/+8", "x", "", "::ffff:1.2.3.4/128"] {
            assert_eq!(bad.parse::<Net>(), Err(NotNet), "{bad}");
        }
        assert_eq!(net.to_string(), "10.1.0.0/16");
    }

    #[test]
    fn a_list_lets_in_what_is_on_it() {
        let list = ["10.0.0.0/8".parse().unwrap()];
        assert!(lets_in(&[], None) && lets_in(&list, Some("10.9.9.9".parse().unwrap())));
        assert!(!lets_in(&list, None) && !lets_in(&list, Some("11.0.0.1".parse().unwrap())));
        assert_eq!(place("2001:db8:0:1:2:3:4:5".parse().unwrap()), "2001:db8:0:1::".parse::<IpAddr>().unwrap());
    }
}
