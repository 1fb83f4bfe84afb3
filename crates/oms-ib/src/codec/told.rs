//! A message field by field, for people to read.

use super::{Number, Size};

/// What a field is called and what it says.
pub type Field = (String, String);

/// What can be told of. As on the wire, what is zero, false or empty says nothing and is left out; amounts are told always.
pub(super) trait Tell {
    fn tell(&self, name: &str, out: &mut Vec<Field>);
}

/// The name of a field within what has a name of its own.
pub(super) fn within(outer: &str, name: &str) -> String {
    if outer.is_empty() { name.to_owned() } else { format!("{outer}.{name}") }
}

fn put(name: &str, value: impl ToString, out: &mut Vec<Field>) {
    out.push((name.to_owned(), value.to_string()));
}

impl Tell for String {
    fn tell(&self, name: &str, out: &mut Vec<Field>) {
        if !self.is_empty() {
            put(name, self, out);
        }
    }
}

impl Tell for bool {
    fn tell(&self, name: &str, out: &mut Vec<Field>) {
        if *self {
            put(name, self, out);
        }
    }
}

impl Tell for i64 {
    fn tell(&self, name: &str, out: &mut Vec<Field>) {
        if *self != 0 {
            put(name, self, out);
        }
    }
}

impl Tell for i32 {
    fn tell(&self, name: &str, out: &mut Vec<Field>) {
        i64::from(*self).tell(name, out);
    }
}

impl Tell for Number {
    fn tell(&self, name: &str, out: &mut Vec<Field>) {
        put(name, self, out);
    }
}

impl Tell for Size {
    fn tell(&self, name: &str, out: &mut Vec<Field>) {
        put(name, self, out);
    }
}

macro_rules! optional {
    ($($ty:ty),*) => { $(
        impl Tell for Option<$ty> {
            fn tell(&self, name: &str, out: &mut Vec<Field>) {
                if let Some(value) = self {
                    put(name, value, out);
                }
            }
        }
    )* };
}
optional!(i32, Number, Size);

impl Tell for Vec<(String, String)> {
    fn tell(&self, name: &str, out: &mut Vec<Field>) {
        for (key, value) in self {
            put(&within(name, key), value, out);
        }
    }
}
