//! Query strings: named parameters, and the one filter grammar of every list.

use axum::extract::Query;
use core::fmt::Display;
use core::str::FromStr;
use http::Uri;
use oms_model::{Code, Refusal};

/// The most items of a page.
pub const MAX_LIMIT: u32 = 500;
/// Items of a page where the request does not say.
pub const DEFAULT_LIMIT: u32 = 100;
/// The most parameters of a request.
const MAX_PARAMETERS: usize = 64;

/// The parameters of a request that nobody has taken yet.
pub struct Params {
    left: Vec<(String, String)>,
}

/// A parameter that is not as it should be.
#[must_use]
pub fn bad_parameter(name: &str, problem: impl Display) -> Refusal {
    Refusal::new(Code::ValidationError, format!("the parameter {name} {problem}")).with("parameter", name)
}

impl Params {
    /// The parameters of `uri`.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` where they are malformed, too many, or one is given twice.
    pub fn of(uri: &Uri) -> Result<Self, Refusal> {
        if uri.query().is_none_or(str::is_empty) {
            return Ok(Self { left: Vec::new() });
        }
        let Query(left) = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|error| Refusal::new(Code::ValidationError, format!("the query string is malformed: {error}")))?;
        if left.len() > MAX_PARAMETERS {
            return Err(Refusal::new(Code::ValidationError, format!("there are more than {MAX_PARAMETERS} parameters")));
        }
        let twice = left.iter().enumerate().find(|(at, (name, _))| left.iter().take(*at).any(|(other, _)| other == name));
        match twice {
            Some((_, (name, _))) => Err(bad_parameter(name, "is given twice")),
            None => Ok(Self { left }),
        }
    }

    /// Takes a parameter.
    pub fn take(&mut self, name: &str) -> Option<String> {
        let at = self.left.iter().position(|(key, _)| key == name)?;
        Some(self.left.swap_remove(at).1)
    }

    /// Takes a parameter that is an id, a term, a number.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` where it is not.
    pub fn parsed<T: FromStr<Err: Display>>(&mut self, name: &str) -> Result<Option<T>, Refusal> {
        self.take(name).map(|text| text.parse().map_err(|error| bad_parameter(name, error))).transpose()
    }

    /// Takes a comma-separated list.
    pub fn list(&mut self, name: &str) -> Option<Vec<String>> {
        self.take(name).map(|text| text.split(',').filter(|item| !item.is_empty()).map(str::to_owned).collect())
    }

    /// Takes `limit`.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` where it is not 1 to [`MAX_LIMIT`].
    pub fn limit(&mut self) -> Result<u32, Refusal> {
        match self.take("limit") {
            None => Ok(DEFAULT_LIMIT),
            Some(text) => match text.parse() {
                Ok(limit @ 1..=MAX_LIMIT) => Ok(limit),
                _ => Err(bad_parameter("limit", format_args!("must be 1 to {MAX_LIMIT}"))),
            },
        }
    }

    /// Takes `fields`; empty: all of them.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` naming a field that is not one of `known`.
    pub fn fields(&mut self, known: &[&str]) -> Result<Vec<String>, Refusal> {
        let fields = self.list("fields").unwrap_or_default();
        match fields.iter().find(|field| !known.contains(&field.as_str())) {
            Some(field) => {
                Err(bad_parameter("fields", format_args!("names {field}, which is not a field")).with("known", known.join(", ")))
            }
            None => Ok(fields),
        }
    }

    /// The parameters that are left.
    #[must_use]
    pub fn rest(self) -> Vec<(String, String)> {
        self.left
    }

    /// Every parameter was taken.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` naming one that was not: an unknown parameter is never ignored.
    pub fn end(self) -> Result<(), Refusal> {
        match self.left.first() {
            Some((name, _)) => Err(bad_parameter(name, "is not known here")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(query: &str) -> Result<Params, Refusal> {
        Params::of(&format!("/x?{query}").parse().unwrap())
    }

    #[test]
    fn nothing_is_ignored() {
        let mut params = params("limit=5&fields=a,b&x=1").unwrap();
        assert_eq!(params.limit().unwrap(), 5);
        assert_eq!(params.fields(&["a", "b"]).unwrap(), ["a", "b"]);
        let refusal = params.end().unwrap_err();
        assert!(refusal.message.contains("parameter x"), "{refusal}");
    }

    #[test]
    fn wrong_parameters_are_named() {
        assert!(params("a=1&a=2").is_err());
        assert!(params("limit=501").unwrap().limit().is_err());
        assert!(params("limit=0").unwrap().limit().is_err());
        assert!(params("fields=z").unwrap().fields(&["a"]).is_err());
        let many: Vec<String> = (0..65).map(|n| format!("p{n}=1")).collect();
        assert!(params(&many.join("&")).is_err());
    }
}
