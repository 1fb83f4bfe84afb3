//! A strict JSON reader (RFC 8259) whose strings and numbers borrow from the input.

use core::fmt;
use std::borrow::Cow;

/// A JSON value. Numbers keep their text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as it was written.
    Number(&'a str),
    /// A string, unescaped.
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Value<'a>>),
    /// An object.
    Object(Object<'a>),
}

/// A JSON object. No key occurs twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object<'a> {
    /// As it was written.
    pub raw: &'a str,
    /// In the order of the document.
    pub fields: Vec<(Cow<'a, str>, Value<'a>)>,
}

impl Value<'_> {
    /// What kind of value it is, in words.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

/// Why a document was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Something else was expected there.
    Expected(&'static str),
    /// The document ends too early.
    Ended,
    /// Not UTF-8.
    NotUtf8,
    /// A key occurs twice in one object.
    DuplicateKey(String),
    /// Nested deeper than the bound.
    TooDeep(usize),
    /// A control character, a bad escape or a lone surrogate in a string.
    BadString,
    /// Something follows the document.
    Trailing,
}

/// Why and where a document was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// Bytes before it.
    pub at: usize,
    /// What is wrong.
    pub problem: Problem,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problem {
            Problem::Expected(what) => write!(f, "expected {what}")?,
            Problem::Ended => f.write_str("the document ends too early")?,
            Problem::NotUtf8 => f.write_str("the document is not UTF-8")?,
            Problem::DuplicateKey(key) => write!(f, "the key \"{key}\" occurs twice")?,
            Problem::TooDeep(bound) => write!(f, "nested deeper than {bound} levels")?,
            Problem::BadString => f.write_str("a string holds a control character or a bad escape")?,
            Problem::Trailing => f.write_str("something follows the document")?,
        }
        write!(f, " at byte {}", self.at)
    }
}

/// Reads one document nested at most `max_depth` deep.
///
/// # Errors
/// See [`Problem`].
pub fn parse(bytes: &[u8], max_depth: usize) -> Result<Value<'_>, ReadError> {
    let text = core::str::from_utf8(bytes).map_err(|e| ReadError { at: e.valid_up_to(), problem: Problem::NotUtf8 })?;
    let mut reader = Reader { text, bytes, at: 0, max_depth };
    reader.space();
    let value = reader.value(0)?;
    reader.space();
    if reader.at == bytes.len() { Ok(value) } else { Err(reader.error(Problem::Trailing)) }
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    max_depth: usize,
}

impl<'a> Reader<'a> {
    fn error(&self, problem: Problem) -> ReadError {
        ReadError { at: self.at, problem }
    }

    fn expected(&self, what: &'static str) -> ReadError {
        self.error(if self.at >= self.bytes.len() { Problem::Ended } else { Problem::Expected(what) })
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn slice(&self, from: usize) -> &'a str {
        // Both ends lie next to ASCII characters, so the slice is always there.
        self.text.get(from..self.at).unwrap_or_default()
    }

    fn value(&mut self, depth: usize) -> Result<Value<'a>, ReadError> {
        match self.peek() {
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.array(depth + 1),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number().map(Value::Number),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => Err(self.expected("a value")),
        }
    }

    fn word(&mut self, word: &'static str, value: Value<'a>) -> Result<Value<'a>, ReadError> {
        if self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(word.as_bytes())) {
            self.at += word.len();
            return Ok(value);
        }
        Err(self.expected(word))
    }

    fn digits(&mut self) -> Result<(), ReadError> {
        let from = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == from { Err(self.expected("a digit")) } else { Ok(()) }
    }

    fn number(&mut self) -> Result<&'a str, ReadError> {
        let from = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(self.slice(from))
    }

    fn string(&mut self) -> Result<Cow<'a, str>, ReadError> {
        self.at += 1;
        let from = self.at;
        loop {
            match self.peek() {
                None => return Err(self.error(Problem::Ended)),
                Some(b'"') => {
                    let text = self.slice(from);
                    self.at += 1;
                    return Ok(Cow::Borrowed(text));
                }
                Some(b'\\') => break,
                Some(0..=0x1f) => return Err(self.error(Problem::BadString)),
                Some(_) => self.at += 1,
            }
        }
        self.escaped(self.slice(from).to_owned()).map(Cow::Owned)
    }

    /// The rest of a string whose first escape is next.
    fn escaped(&mut self, mut text: String) -> Result<String, ReadError> {
        let mut from = self.at;
        loop {
            match self.peek() {
                None => return Err(self.error(Problem::Ended)),
                Some(b'"') => {
                    text.push_str(self.slice(from));
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => {
                    text.push_str(self.slice(from));
                    self.at += 1;
                    let character = self.escape()?;
                    text.push(character);
                    from = self.at;
                }
                Some(0..=0x1f) => return Err(self.error(Problem::BadString)),
                Some(_) => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Result<char, ReadError> {
        let letter = self.peek().ok_or_else(|| self.error(Problem::Ended))?;
        self.at += 1;
        Ok(match letter {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            _ => return Err(self.error(Problem::BadString)),
        })
    }

    fn unicode(&mut self) -> Result<char, ReadError> {
        let first = self.hex4()?;
        let scalar = if (0xD800..0xDC00).contains(&first) {
            if self.bytes.get(self.at..self.at + 2) != Some(b"\\u") {
                return Err(self.error(Problem::BadString));
            }
            self.at += 2;
            let second = self.hex4()?;
            if !(0xDC00..0xE000).contains(&second) {
                return Err(self.error(Problem::BadString));
            }
            0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)
        } else {
            first
        };
        char::from_u32(scalar).ok_or_else(|| self.error(Problem::BadString))
    }

    fn hex4(&mut self) -> Result<u32, ReadError> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|b| char::from(b).to_digit(16));
            code = code << 4 | digit.ok_or_else(|| self.error(Problem::BadString))?;
            self.at += 1;
        }
        Ok(code)
    }

    fn enter(&mut self, depth: usize) -> Result<(), ReadError> {
        if depth > self.max_depth {
            return Err(self.error(Problem::TooDeep(self.max_depth)));
        }
        self.at += 1;
        self.space();
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Result<Value<'a>, ReadError> {
        self.enter(depth)?;
        let mut items = Vec::new();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value(depth)?);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Value::Array(items));
                }
                _ => return Err(self.expected("\",\" or \"]\"")),
            }
            self.space();
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value<'a>, ReadError> {
        let from = self.at;
        self.enter(depth)?;
        let mut fields = Vec::with_capacity(8);
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Object(Object { raw: self.slice(from), fields }));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.expected("a key"));
            }
            let key = self.string()?;
            self.space();
            if self.peek() != Some(b':') {
                return Err(self.expected("\":\""));
            }
            self.at += 1;
            self.space();
            fields.push((key, self.value(depth)?));
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    self.no_duplicates(&fields)?;
                    return Ok(Value::Object(Object { raw: self.slice(from), fields }));
                }
                _ => return Err(self.expected("\",\" or \"}\"")),
            }
            self.space();
        }
    }

    fn no_duplicates(&self, fields: &[(Cow<'a, str>, Value<'a>)]) -> Result<(), ReadError> {
        let twice = if fields.len() <= 16 {
            fields.iter().enumerate().find(|(at, (key, _))| fields.iter().take(*at).any(|(other, _)| other == key)).map(|(_, (key, _))| key)
        } else {
            let mut keys: Vec<&Cow<'a, str>> = fields.iter().map(|(key, _)| key).collect();
            keys.sort_unstable();
            keys.windows(2).find_map(|pair| match pair {
                [one, other] if one == other => Some(*one),
                _ => None,
            })
        };
        match twice {
            Some(key) => Err(self.error(Problem::DuplicateKey(key.to_string()))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
