//! The market and the charges of the paper venues: the same settings in process, behind FIX and behind the simulated gateway,
//! so that one scenario ends with the same figures on every way.

use crate::config::Paper;
use crate::exit::Failure;
use oms_model::Price;
use oms_venues::replay::Recording;
use std::path::Path;

/// The recorded market that the settings name, or the one that ships with the program.
///
/// # Errors
/// [`Failure::Usage`] where the file cannot be read or is none.
pub fn recording(paper: &Paper) -> Result<Recording, Failure> {
    match paper.market.as_str() {
        "" => Recording::embedded().map_err(|error| Failure::Fault(format!("the recorded market: {error}"))),
        path => Recording::open(Path::new(path)).map_err(|error| Failure::Usage(format!("paper.market: {error}"))),
    }
}

/// What a share costs everywhere; `None`: each venue has its own charges.
///
/// # Errors
/// [`Failure::Usage`].
pub fn fee(paper: &Paper) -> Result<Option<Price>, Failure> {
    let wrong = |error: &dyn std::fmt::Display| Failure::Usage(format!("paper.fee_per_share: {:?}: {error}", paper.fee_per_share));
    match paper.fee_per_share.as_str() {
        "" => Ok(None),
        text => {
            let fee: Price = text.parse().map_err(|error| wrong(&error))?;
            if fee < Price::ZERO { Err(wrong(&"a charge is not below zero")) } else { Ok(Some(fee)) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn read(text: &str) -> Paper {
        config::tests::only(text).unwrap().settings.paper
    }

    #[test]
    fn charges_are_each_venues_own_until_the_settings_say_one_for_all() {
        assert_eq!(fee(&read("")).unwrap(), None);
        assert_eq!(fee(&read("[paper]\nfee_per_share = \"0.003\"")).unwrap(), Some("0.003".parse().unwrap()));
        assert_eq!(fee(&read("[paper]\nfee_per_share = \"0\"")).unwrap(), Some(Price::ZERO));
        for text in ["-0.001", "much"] {
            let refused = fee(&read(&format!("[paper]\nfee_per_share = {text:?}")));
            assert!(matches!(&refused, Err(Failure::Usage(why)) if why.contains("paper.fee_per_share") && why.contains(text)), "{text}");
        }
    }

    #[test]
    fn a_market_that_is_not_there_is_refused_by_name() {
        assert!(recording(&read("")).is_ok());
        let refused = recording(&read("[paper]\nmarket = \"no/such.slice\""));
        assert!(matches!(&refused, Err(Failure::Usage(why)) if why.contains("paper.market") && why.contains("no/such.slice")));
    }
}
