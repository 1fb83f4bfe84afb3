//! From where connections are taken.

use std::net::IpAddr;
use std::str::FromStr;

/// A text that is no network.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0} is no address or network (as 10.1.0.0/16)")]
pub struct AddressError(String);

/// An address, or all addresses with the same first bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    /// Whether an address is in it. An IPv4 address counts also where it comes as an IPv6 one.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address.to_canonical(), address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => (own.to_bits() ^ other.to_bits()).leading_zeros() >= self.bits,
            (IpAddr::V6(own), IpAddr::V6(other)) => (own.to_bits() ^ other.to_bits()).leading_zeros() >= self.bits,
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let wrong = || AddressError(text.to_owned());
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), |bits| bits.parse().ok().filter(|bits| *bits <= most).ok_or_else(wrong))?;
        Ok(Self { address, bits })
    }
}

/// Whether a list takes an address; an empty one takes all.
pub(super) fn allows(list: &[Network], address: IpAddr) -> bool {
    list.is_empty() || list.iter().any(|network| network.contains(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_contain_their_addresses() {
        let network = |text: &str| text.parse::<Network>();
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let ten = network("10.1.0.0/16").unwrap();
        assert!(ten.contains(address("10.1.255.1")) && !ten.contains(address("10.2.0.1")) && ten.contains(address("::ffff:10.1.2.3")));
        assert!(network("::1").unwrap().contains(address("::1")) && !network("::1").unwrap().contains(address("::2")));
        assert!(
            network("0.0.0.0/0").unwrap().contains(address("1.2.3.4")) && !network("0.0.0.0/0").unwrap().contains(address("2001:db8::1"))
        );
        for wrong in ["", "10.0.0.0/33", "10.0.0/8", "name"] {
            assert!(network(wrong).is_err(), "{wrong}");
        }
        assert!(allows(&[], address("1.2.3.4")) && !allows(&[ten], address("1.2.3.4")));
    }
}
