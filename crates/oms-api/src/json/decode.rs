//! From JSON values to the words of the model. Every refusal names the field.

use super::read::{Object, Value};
use core::fmt::Display;
use core::str::FromStr;
use oms_model::amount::AmountError;
use oms_model::{Code, Refusal, Time};

/// The fields of one object, none of which is unknown.
pub struct Fields<'v, 'a> {
    object: &'v Object<'a>,
    /// Where the object lies in the document: empty, or a path that ends with a dot.
    at: &'v str,
}

/// A field that is not as it should be.
#[must_use]
pub fn bad_field(at: &str, name: &str, problem: impl Display) -> Refusal {
    Refusal::new(Code::ValidationError, format!("{at}{name} {problem}")).with("field", format_args!("{at}{name}"))
}

impl<'v, 'a> Fields<'v, 'a> {
    /// The fields of `value`, which must be an object with no others than `known`.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` naming the first unknown field.
    pub fn of(value: &'v Value<'a>, at: &'v str, known: &[&str]) -> Result<Self, Refusal> {
        let Value::Object(object) = value else {
            let place = if at.is_empty() { "the body" } else { at.trim_end_matches('.') };
            return Err(Refusal::new(Code::ValidationError, format!("{place} must be an object, not {}", value.kind())));
        };
        match object.fields.iter().find(|(name, _)| !known.contains(&name.as_ref())) {
            Some((name, _)) => Err(bad_field(at, name, "is not a known field").with("known", known.join(", "))),
            None => Ok(Self { object, at }),
        }
    }

    /// The field's value; `None` where it is absent or null.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'v Value<'a>> {
        self.object.fields.iter().find(|(key, _)| key == name).map(|(_, value)| value).filter(|value| **value != Value::Null)
    }

    /// A refusal that names a field of this object.
    #[must_use]
    pub fn bad(&self, name: &str, problem: impl Display) -> Refusal {
        bad_field(self.at, name, problem)
    }

    /// The path of a field of this object.
    #[must_use]
    pub fn path(&self, name: &str) -> String {
        format!("{}{name}", self.at)
    }

    /// A field that must be there.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` naming it.
    pub fn required<T>(&self, name: &str, value: Option<T>) -> Result<T, Refusal> {
        value.ok_or_else(|| self.bad(name, "is required"))
    }

    /// A string.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` where it is something else.
    pub fn string(&self, name: &str) -> Result<Option<&'v str>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.bad(name, format_args!("must be a string, not {}", other.kind()))),
        }
    }

    /// A string that is an id or a term.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` where it is not.
    pub fn parsed<T: FromStr<Err: Display>>(&self, name: &str) -> Result<Option<T>, Refusal> {
        self.string(name)?.map(|text| text.parse().map_err(|error| self.bad(name, error))).transpose()
    }

    /// A list of strings that are ids or terms.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` where one is not.
    pub fn parsed_list<T: FromStr<Err: Display>>(&self, name: &str) -> Result<Vec<T>, Refusal> {
        self.array(name)?
            .unwrap_or_default()
            .iter()
            .map(|value| match value {
                Value::String(text) => text.parse().map_err(|error| self.bad(name, format_args!("holds an item that {error}"))),
                other => Err(self.bad(name, format_args!("must hold strings, not {}", other.kind()))),
            })
            .collect()
    }

    /// An exact amount: a string, or a number whose text says it exactly.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` where it is neither, is too precise, or is out of range.
    pub fn amount<T: FromStr<Err = AmountError>>(&self, name: &str) -> Result<Option<T>, Refusal> {
        let text = match self.get(name) {
            None => return Ok(None),
            Some(Value::String(text)) => text.as_ref(),
            Some(Value::Number(text)) if text.contains(['e', 'E']) => {
                return Err(self.bad(name, "must be written without an exponent"));
            }
            Some(Value::Number(text)) => text,
            Some(other) => return Err(self.bad(name, format_args!("must be a decimal, not {}", other.kind()))),
        };
        text.parse().map(Some).map_err(|error| self.bad(name, error))
    }

    /// A whole number.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` where it is something else or does not fit.
    pub fn count<T: TryFrom<u64>>(&self, name: &str) -> Result<Option<T>, Refusal> {
        let text = match self.get(name) {
            None => return Ok(None),
            Some(Value::Number(text)) => *text,
            Some(other) => return Err(self.bad(name, format_args!("must be a whole number, not {}", other.kind()))),
        };
        let number: Option<u64> = text.parse().ok();
        match number.and_then(|n| T::try_from(n).ok()) {
            Some(number) => Ok(Some(number)),
            None => Err(self.bad(name, "must be a whole number within its range")),
        }
    }

    /// true or false.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` where it is something else.
    pub fn bool(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(other) => Err(self.bad(name, format_args!("must be true or false, not {}", other.kind()))),
        }
    }

    /// An array.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` where it is something else.
    pub fn array(&self, name: &str) -> Result<Option<&'v [Value<'a>]>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(other) => Err(self.bad(name, format_args!("must be an array, not {}", other.kind()))),
        }
    }

    /// A time, RFC 3339.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` where it is something else.
    pub fn time(&self, name: &str) -> Result<Option<Time>, Refusal> {
        self.string(name)?.map(|text| time(text).ok_or_else(|| self.bad(name, "must be a time such as 2026-01-31T16:00:00Z"))).transpose()
    }
}

/// A time from RFC 3339 text; `None` where it is not one, or outside the range of [`Time`].
#[must_use]
pub fn time(text: &str) -> Option<Time> {
    let timestamp: jiff::Timestamp = text.parse().ok()?;
    i64::try_from(timestamp.as_nanosecond()).ok().map(Time)
}
