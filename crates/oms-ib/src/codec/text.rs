//! The text dialect: fields that each end with a NUL.

use super::{Fault, Number, Size};

/// What the wire says in place of an integer that is not set.
const UNSET_INT: &str = "2147483647";

/// Writes the fields of one message.
pub(super) struct TextOut<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> TextOut<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }

    /// A field. A NUL would end it early and shift every field behind it: it is left out.
    pub(super) fn raw(&mut self, text: &str) -> &mut Self {
        self.out.extend(text.bytes().filter(|byte| *byte != 0));
        self.out.push(0);
        self
    }

    /// Fields as they are.
    pub(super) fn all(&mut self, texts: &[&str]) -> &mut Self {
        for text in texts {
            self.raw(text);
        }
        self
    }

    /// A field.
    pub(super) fn put(&mut self, field: &impl TextField) -> &mut Self {
        field.write(self);
        self
    }

    fn display(&mut self, value: impl std::fmt::Display) {
        self.raw(&value.to_string());
    }
}

/// Reads the fields of one message.
pub(super) struct TextIn<'a> {
    rest: &'a [u8],
    /// The number of the next field.
    at: u32,
}

impl<'a> TextIn<'a> {
    pub(super) fn new(body: &'a [u8]) -> Self {
        Self { rest: body, at: 0 }
    }

    /// The next field as it is. What follows the last NUL is no field.
    pub(super) fn raw(&mut self) -> Result<&'a [u8], Fault> {
        let end = self.rest.iter().position(|byte| *byte == 0).ok_or(Fault::Short(self.at))?;
        let (field, rest) = self.rest.split_at(end);
        self.rest = rest.get(1..).unwrap_or_default();
        self.at += 1;
        Ok(field)
    }

    /// The next field, of its type.
    pub(super) fn get<T: TextField>(&mut self) -> Result<T, Fault> {
        T::read(self)
    }

    /// Passes over fields.
    pub(super) fn skip(&mut self, fields: usize) -> Result<(), Fault> {
        for _ in 0..fields {
            self.raw()?;
        }
        Ok(())
    }

    /// The length of a list whose elements take `each` fields or more. A list cannot be longer than what is left.
    pub(super) fn count(&mut self, each: usize) -> Result<usize, Fault> {
        let at = self.at;
        let count: i32 = self.get()?;
        let count = usize::try_from(count).map_err(|_| Fault::Malformed(at))?;
        if count.saturating_mul(each) > self.rest.len() { Err(Fault::Count(at)) } else { Ok(count) }
    }

    fn text(&mut self) -> Result<(&'a str, Fault), Fault> {
        let fault = Fault::Malformed(self.at);
        let text = std::str::from_utf8(self.raw()?).map_err(|_| fault)?;
        Ok((text, fault))
    }
}

/// A type of field.
pub(super) trait TextField: Sized {
    fn write(&self, out: &mut TextOut<'_>);
    fn read(input: &mut TextIn<'_>) -> Result<Self, Fault>;
}

impl TextField for String {
    fn write(&self, out: &mut TextOut<'_>) {
        out.raw(self);
    }
    /// Text is for people; a byte that is no UTF-8 does not make a message unreadable.
    fn read(input: &mut TextIn<'_>) -> Result<Self, Fault> {
        Ok(Self::from_utf8_lossy(input.raw()?).into_owned())
    }
}

impl TextField for bool {
    fn write(&self, out: &mut TextOut<'_>) {
        out.raw(if *self { "1" } else { "0" });
    }
    fn read(input: &mut TextIn<'_>) -> Result<Self, Fault> {
        match input.text()? {
            ("1" | "true", _) => Ok(true),
            ("" | "0" | "false", _) => Ok(false),
            (_, fault) => Err(fault),
        }
    }
}

macro_rules! integer {
    ($($int:ty),*) => { $(
        impl TextField for $int {
            fn write(&self, out: &mut TextOut<'_>) {
                out.display(self);
            }
            /// Empty is zero, as every client has it.
            fn read(input: &mut TextIn<'_>) -> Result<Self, Fault> {
                match input.text()? {
                    ("", _) => Ok(0),
                    (text, fault) => text.parse().map_err(|_| fault),
                }
            }
        }
    )* };
}
integer!(i32, i64);

impl TextField for Option<i32> {
    fn write(&self, out: &mut TextOut<'_>) {
        match self {
            Some(value) => out.display(value),
            None => drop(out.raw("")),
        }
    }
    fn read(input: &mut TextIn<'_>) -> Result<Self, Fault> {
        match input.text()? {
            ("" | UNSET_INT, _) => Ok(None),
            (text, fault) => text.parse().map(Some).map_err(|_| fault),
        }
    }
}

macro_rules! decimal {
    ($($number:ty),*) => { $(
        impl TextField for $number {
            fn write(&self, out: &mut TextOut<'_>) {
                out.display(self);
            }
            /// Required: empty and unset are faults, never zero.
            fn read(input: &mut TextIn<'_>) -> Result<Self, Fault> {
                let (text, fault) = input.text()?;
                text.parse().map_err(|_| fault)
            }
        }
        impl TextField for Option<$number> {
            fn write(&self, out: &mut TextOut<'_>) {
                match self {
                    Some(value) => out.display(value),
                    None => drop(out.raw("")),
                }
            }
            fn read(input: &mut TextIn<'_>) -> Result<Self, Fault> {
                match input.text()? {
                    ("", _) => Ok(None),
                    (text, _) if Number::is_unset(text) => Ok(None),
                    (text, fault) => text.parse().map(Some).map_err(|_| fault),
                }
            }
        }
    )* };
}
decimal!(Number, Size);

impl TextField for Vec<(String, String)> {
    fn write(&self, out: &mut TextOut<'_>) {
        out.display(self.len());
        for (tag, value) in self {
            out.raw(tag).raw(value);
        }
    }
    fn read(input: &mut TextIn<'_>) -> Result<Self, Fault> {
        let count = input.count(2)?;
        (0..count).map(|_| Ok((input.get()?, input.get()?))).collect()
    }
}
