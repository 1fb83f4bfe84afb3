//! From messages to the JSON of REST and back. Nothing is decided here: what a field means, and whether it may be as it is, is
//! the business of whoever reads the JSON.

use super::schema::{Field, Holds, SCHEMA, Shape, given, shape_of};
use crate::json::read::{Object, Value};
use crate::json::write::{quote, rfc3339};
use jiff::Timestamp;
use oms_model::{Code, Refusal, Time};
use prost::encoding::{WireType, encode_key, encode_varint};
use prost_reflect::{DynamicMessage, Value as Given};
use std::io::Write as _;

/// The largest whole number that a float holds without a gap below it.
const EXACT: f64 = 9_007_199_254_740_992.0;

fn bad(field: &str, problem: &str) -> Refusal {
    Refusal::new(Code::ValidationError, format!("{field} {problem}")).with("field", field)
}

/// A message that REST would be sent as JSON. Fields that stand for headers are left out, and so are those that `without` takes.
///
/// # Errors
/// `VALIDATION_ERROR` naming what this server does not know of: it is never passed over.
pub fn document(message: &DynamicMessage, without: &dyn Fn(&Field) -> bool) -> Result<Vec<u8>, Refusal> {
    let mut out = Vec::with_capacity(512);
    write_message(&mut out, message, "", without)?;
    Ok(out)
}

/// The value of one field as JSON.
///
/// # Errors
/// As [`document`].
pub fn value_of(field: &Field, value: &Given) -> Result<Vec<u8>, Refusal> {
    let mut out = Vec::with_capacity(256);
    write_field(&mut out, field, value, &field.name)?;
    Ok(out)
}

fn write_message(out: &mut Vec<u8>, message: &DynamicMessage, at: &str, without: &dyn Fn(&Field) -> bool) -> Result<(), Refusal> {
    let shape = known(message, at)?;
    out.push(b'{');
    let mut first = true;
    for (field, value) in given(message, shape) {
        if field.header.is_some() || without(field) {
            continue;
        }
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        quote(out, &field.rest);
        out.push(b':');
        write_field(out, field, &value, &format!("{at}{}", field.name))?;
    }
    out.push(b'}');
    Ok(())
}

/// What a message is made of, where every field of it is known: a newer client may mean something by the others.
///
/// # Errors
/// `VALIDATION_ERROR` naming the field.
pub fn known(message: &DynamicMessage, at: &str) -> Result<&'static Shape, Refusal> {
    if let Some(unknown) = message.unknown_fields().next() {
        let text = format!("{at}{} is a field that this server does not know", unknown.number());
        return Err(Refusal::new(Code::ValidationError, text).with("field", format_args!("{at}{}", unknown.number())));
    }
    shape_of(message).map(std::convert::AsRef::as_ref).ok_or_else(|| bad(at, "is of another package"))
}

fn write_field(out: &mut Vec<u8>, field: &Field, value: &Given, at: &str) -> Result<(), Refusal> {
    let Given::List(items) = value else { return write_one(out, field, value, at) };
    out.push(b'[');
    for (n, item) in items.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        write_one(out, field, item, at)?;
    }
    out.push(b']');
    Ok(())
}

fn write_one(out: &mut Vec<u8>, field: &Field, value: &Given, at: &str) -> Result<(), Refusal> {
    match (&field.holds, value) {
        (Holds::Term(terms), Given::EnumNumber(number)) => {
            let name = terms.name(*number).ok_or_else(|| bad(at, &format!("has no term {number}")))?;
            quote(out, name);
        }
        (Holds::Time, Given::Message(time)) => quote(out, &rfc3339(time_of(time, at)?)),
        (Holds::Document, Given::Message(document)) => write_struct(out, document, at)?,
        (Holds::Message(_), Given::Message(message)) => write_message(out, message, &format!("{at}."), &|_| false)?,
        (_, Given::String(text)) => quote(out, text),
        (_, Given::Bool(said)) => plain(out, said),
        (_, Given::U32(n)) => plain(out, n),
        (_, Given::U64(n)) => plain(out, n),
        (_, Given::I64(n)) => plain(out, n),
        (_, Given::Map(texts)) => {
            out.push(b'{');
            for (n, (name, text)) in texts.iter().enumerate() {
                if n > 0 {
                    out.push(b',');
                }
                quote(out, name.as_str().unwrap_or_default());
                out.push(b':');
                quote(out, text.as_str().unwrap_or_default());
            }
            out.push(b'}');
        }
        _ => return Err(bad(at, "is not of its type")),
    }
    Ok(())
}

fn plain(out: &mut Vec<u8>, value: impl std::fmt::Display) {
    // Writing to memory does not fail.
    let _written = write!(out, "{value}");
}

fn time_of(message: &DynamicMessage, at: &str) -> Result<Time, Refusal> {
    let seconds = message.get_field_by_name("seconds").and_then(|value| value.as_i64()).unwrap_or_default();
    let nanos = message.get_field_by_name("nanos").and_then(|value| value.as_i32()).unwrap_or_default();
    let proper = (0..1_000_000_000).contains(&nanos);
    let whole = seconds.checked_mul(1_000_000_000).and_then(|whole| whole.checked_add(nanos.into()));
    whole.filter(|_| proper).map(Time).ok_or_else(|| bad(at, "is no time that can be told in nanoseconds"))
}

/// A `google.protobuf.Struct` as the object that it is.
fn write_struct(out: &mut Vec<u8>, document: &DynamicMessage, at: &str) -> Result<(), Refusal> {
    let fields = document.get_field_by_name("fields");
    let Some(fields) = fields.as_deref().and_then(Given::as_map) else { return Err(bad(at, "is no object")) };
    // In one order, whatever the order of the wire: the same document is the same payload.
    let mut sorted: Vec<(&str, &Given)> = fields.iter().map(|(name, value)| (name.as_str().unwrap_or_default(), value)).collect();
    sorted.sort_unstable_by_key(|(name, _)| *name);
    out.push(b'{');
    for (n, (name, value)) in sorted.into_iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        quote(out, name);
        out.push(b':');
        write_any(out, value, &format!("{at}.{name}"))?;
    }
    out.push(b'}');
    Ok(())
}

/// A `google.protobuf.Value`.
fn write_any(out: &mut Vec<u8>, value: &Given, at: &str) -> Result<(), Refusal> {
    let Given::Message(value) = value else { return Err(bad(at, "is no value")) };
    let set = value.fields().next();
    match set {
        Some((_, Given::String(text))) => quote(out, text),
        Some((_, Given::Bool(said))) => plain(out, said),
        Some((_, Given::F64(n))) => write_number(out, *n, at)?,
        Some((field, Given::Message(inner))) if field.name() == "struct_value" => write_struct(out, inner, at)?,
        Some((_, Given::Message(list))) => {
            out.push(b'[');
            let values = list.get_field_by_name("values");
            for (n, item) in values.as_deref().and_then(Given::as_list).unwrap_or_default().iter().enumerate() {
                if n > 0 {
                    out.push(b',');
                }
                write_any(out, item, at)?;
            }
            out.push(b']');
        }
        _ => out.extend_from_slice(b"null"),
    }
    Ok(())
}

/// A number of a document. Amounts are text; what is a number here is a count.
fn write_number(out: &mut Vec<u8>, n: f64, at: &str) -> Result<(), Refusal> {
    if n.fract() != 0.0 || n.abs() > EXACT {
        return Err(bad(at, "is no whole number that a float can hold; amounts are given as text"));
    }
    plain(out, n);
    Ok(())
}

/// An answer of REST as the message `shape`, encoded. What REST tells beyond it is not told; a test holds that there is nothing.
///
/// # Errors
/// `INTERNAL` where a value is not what the schema says.
pub fn encode(shape: &Shape, object: &Object<'_>, out: &mut Vec<u8>) -> Result<(), Refusal> {
    for (name, value) in &object.fields {
        if let Some(field) = shape.rest(name) {
            encode_field(field, value, out)?;
        }
    }
    Ok(())
}

/// A field of an answer.
///
/// # Errors
/// As [`encode`].
pub fn encode_field(field: &Field, value: &Value<'_>, out: &mut Vec<u8>) -> Result<(), Refusal> {
    match (field.repeated, value) {
        (_, Value::Null) => Ok(()),
        (true, Value::Array(items)) => items.iter().try_for_each(|item| encode_one(field, item, out)),
        (false, value) => encode_one(field, value, out),
        (true, _) => Err(untold(field)),
    }
}

fn untold(field: &Field) -> Refusal {
    Refusal::new(Code::Internal, format!("the answer has no proper {}", field.rest))
}

fn encode_one(field: &Field, value: &Value<'_>, out: &mut Vec<u8>) -> Result<(), Refusal> {
    match (&field.holds, value) {
        (Holds::Text, Value::String(text)) => encode_bytes(field.number, text.as_bytes(), out),
        (Holds::Text, Value::Number(text)) => encode_bytes(field.number, text.as_bytes(), out),
        (Holds::Count, Value::Number(text)) => encode_number(field.number, text.parse().map_err(|_| untold(field))?, out),
        (Holds::Whole, Value::Number(text)) => {
            let n: i64 = text.parse().map_err(|_| untold(field))?;
            encode_number(field.number, n.cast_unsigned(), out);
        }
        (Holds::Bool, Value::Bool(said)) => encode_number(field.number, (*said).into(), out),
        (Holds::Term(terms), Value::String(name)) => {
            let number = terms.number(name).and_then(|number| u64::try_from(number).ok()).ok_or_else(|| untold(field))?;
            encode_number(field.number, number, out);
        }
        (Holds::Time, Value::String(text)) => {
            let at: Timestamp = text.parse().map_err(|_| untold(field))?;
            encode_bytes(field.number, &encode_time(at), out);
        }
        (Holds::Document, Value::Object(object)) => encode_bytes(field.number, &encode_struct(object), out),
        (Holds::Texts, Value::Object(object)) => {
            for (name, text) in &object.fields {
                let Value::String(text) = text else { return Err(untold(field)) };
                let mut entry = Vec::with_capacity(name.len() + text.len() + 8);
                encode_bytes(1, name.as_bytes(), &mut entry);
                encode_bytes(2, text.as_bytes(), &mut entry);
                encode_bytes(field.number, &entry, out);
            }
        }
        (Holds::Message(name), Value::Object(object)) => {
            let shape = SCHEMA.shape(name).ok_or_else(|| untold(field))?;
            let mut inner = Vec::with_capacity(256);
            encode(shape, object, &mut inner)?;
            encode_bytes(field.number, &inner, out);
        }
        _ => return Err(untold(field)),
    }
    Ok(())
}

/// A length-delimited field.
pub fn encode_bytes(number: u32, bytes: &[u8], out: &mut Vec<u8>) {
    encode_key(number, WireType::LengthDelimited, out);
    encode_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// A number.
pub fn encode_number(number: u32, value: u64, out: &mut Vec<u8>) {
    encode_key(number, WireType::Varint, out);
    encode_varint(value, out);
}

fn encode_time(at: Timestamp) -> Vec<u8> {
    // Nanoseconds of this form are never negative: what lies before 1970 counts up from the second below.
    let nanos = at.as_nanosecond();
    let (seconds, nanos) = (nanos.div_euclid(1_000_000_000), nanos.rem_euclid(1_000_000_000));
    let mut out = Vec::with_capacity(16);
    encode_number(1, i64::try_from(seconds).unwrap_or_default().cast_unsigned(), &mut out);
    encode_number(2, u64::try_from(nanos).unwrap_or_default(), &mut out);
    out
}

/// A `google.protobuf.Struct`.
fn encode_struct(object: &Object<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    for (name, value) in &object.fields {
        let mut entry = Vec::with_capacity(64);
        encode_bytes(1, name.as_bytes(), &mut entry);
        encode_bytes(2, &encode_any(value), &mut entry);
        encode_bytes(1, &entry, &mut out);
    }
    out
}

/// A `google.protobuf.Value`. A number that a float cannot hold is told as text.
fn encode_any(value: &Value<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(32);
    match value {
        Value::Null => encode_number(1, 0, &mut out),
        Value::Number(text) => match text.parse::<f64>() {
            Ok(n) if n.abs() <= EXACT => {
                encode_key(2, WireType::SixtyFourBit, &mut out);
                out.extend_from_slice(&n.to_le_bytes());
            }
            _ => encode_bytes(3, text.as_bytes(), &mut out),
        },
        Value::String(text) => encode_bytes(3, text.as_bytes(), &mut out),
        Value::Bool(said) => encode_number(4, (*said).into(), &mut out),
        Value::Object(object) => encode_bytes(5, &encode_struct(object), &mut out),
        Value::Array(items) => {
            let mut list = Vec::with_capacity(64);
            items.iter().for_each(|item| encode_bytes(1, &encode_any(item), &mut list));
            encode_bytes(6, &list, &mut out);
        }
    }
    out
}
