//! Values, fields and messages on the wire, over the primitives of `prost`.
//!
//! - A [`Value`] has bytes; a [`Field`] has a tag and may be missing or repeated; a [`Message`] is
//!   made of fields. [`message!`](crate::message) writes the third from a list of tags and names.

use std::collections::VecDeque;

use oms_model::OrderId;
use oms_model::children::Children;
use oms_model::seldom::{Seldom, Unset};
use prost::encoding::{WireType, encode_key};

use super::bytes::{delimited, put_delimited, varint};
use super::error::{DecodeError, Fault};

/// The highest tag that a [`Message`] may use.
pub const MAX_TAG: u32 = 63;

/// One value as it stands on the wire behind its key.
pub trait Value: Sized {
    /// Its wire type.
    const WIRE: WireType;
    /// Whether a plain field of it is always written; then zero is not one of its values on the wire.
    const ALWAYS: bool = false;
    /// What a missing field stands for; a mere placeholder where [`Value::ALWAYS`] holds.
    fn zero() -> Self;
    /// Whether a plain field that holds it is left out.
    fn is_zero(&self) -> bool;
    /// Appends it, with its length where the wire type has one.
    fn write(&self, out: &mut Vec<u8>);
    /// Takes it off the front of `input`.
    ///
    /// # Errors
    /// Where the bytes are not what [`Value::write`] writes.
    fn read(input: &mut &[u8]) -> Result<Self, DecodeError>;
}

/// What a message holds under one tag: a value, `Option` of one, or a list of them.
pub trait Field: Sized {
    /// Whether a message without it is damaged.
    const REQUIRED: bool = false;
    /// Whether its tag may stand more than once.
    const REPEATED: bool = false;
    /// What it is before anything was read.
    fn absent() -> Self;
    /// Appends key and value, or nothing where that says the same.
    fn put(&self, tag: u32, out: &mut Vec<u8>);
    /// Takes one value off the front of `input`.
    ///
    /// # Errors
    /// Where the bytes are not what [`Field::put`] writes behind the key.
    fn merge(&mut self, wire: WireType, input: &mut &[u8]) -> Result<(), DecodeError>;
}

/// A sequence of fields. Made by [`message!`](crate::message).
pub trait Message: Sized {
    /// Its name in the schema.
    const NAME: &'static str;
    /// Tag and name of every field, in the order of tags.
    const FIELDS: &'static [(u32, &'static str)];
    /// It before anything was read.
    fn blank() -> Self;
    /// Appends its fields, without a length.
    fn encode(&self, out: &mut Vec<u8>);
    /// Reads it from exactly these bytes, passing over the list under tag `SKIP`, which stays empty;
    /// 0 passes over nothing.
    ///
    /// # Errors
    /// Where the bytes are not what [`Message::encode`] writes; what is passed over is not looked at.
    fn decode_without<const SKIP: u32>(bytes: &[u8]) -> Result<Self, DecodeError>;
    /// Reads it from exactly these bytes.
    ///
    /// # Errors
    /// Where the bytes are not what [`Message::encode`] writes.
    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::decode_without::<0>(bytes)
    }
}

/// Makes structs into [`Message`]s: `message! { Leg { 1 order_id, 2 venue } }`.
///
/// Every field of the struct has to be named, so that a field more leads the compiler here. Tags rise,
/// are at most [`MAX_TAG`] and are never used again for something else.
#[macro_export]
macro_rules! message {
    ($($name:ident { $($tag:literal $field:ident),+ $(,)? })*) => {$(
        const _: () = assert!($crate::codec::are_tags(&[$($tag),+]), "tags rise, from 1 to 63");

        impl $crate::codec::Message for $name {
            const NAME: &'static str = stringify!($name);
            const FIELDS: &'static [(u32, &'static str)] = &[$(($tag, stringify!($field))),+];

            #[inline]
            fn blank() -> Self {
                Self { $($field: $crate::codec::Field::absent()),+ }
            }

            fn encode(&self, out: &mut Vec<u8>) {
                let Self { $($field),+ } = self;
                $($crate::codec::Field::put($field, $tag, out);)+
            }

            fn decode_without<const SKIP: u32>(bytes: &[u8]) -> Result<Self, $crate::codec::DecodeError> {
                let mut value = <Self as $crate::codec::Message>::blank();
                let required = 0 $(| $crate::codec::required(&value.$field, $tag))+;
                let mut fields = $crate::codec::Fields::new(<Self as $crate::codec::Message>::NAME, bytes);
                while let Some(tag) = fields.next_tag()? {
                    match tag {
                        _ if SKIP != 0 && tag == SKIP => fields.skip_delimited()?,
                        $($tag => fields.merge(&mut value.$field)?,)+
                        _ => return Err(fields.refuse($crate::codec::Fault::UnknownField)),
                    }
                }
                fields.finish(required)?;
                Ok(value)
            }
        }
    )*};
}

/// Whether tags rise within 1 to [`MAX_TAG`].
#[must_use]
pub const fn are_tags(mut tags: &[u32]) -> bool {
    let mut last = 0;
    while let [tag, rest @ ..] = tags {
        if *tag <= last || *tag > MAX_TAG {
            return false;
        }
        last = *tag;
        tags = rest;
    }
    true
}

/// The bit of `tag` where a message without this field is damaged; no bit otherwise.
#[inline]
#[must_use]
pub fn required<F: Field>(_: &F, tag: u32) -> u64 {
    if F::REQUIRED { 1 << (tag & MAX_TAG) } else { 0 }
}

/// Walks over the fields of one message and holds them to their order.
#[derive(Clone)]
pub struct Fields<'a> {
    message: &'static str,
    input: &'a [u8],
    tag: u32,
    wire: u8,
    again: bool,
    seen: u64,
}

impl<'a> Fields<'a> {
    /// The fields of `bytes`, for a message of this name.
    #[inline]
    #[must_use]
    pub fn new(message: &'static str, bytes: &'a [u8]) -> Self {
        Self { message, input: bytes, tag: 0, wire: 0, again: false, seen: 0 }
    }

    /// The tag of the next field; `None` at the end.
    ///
    /// # Errors
    /// Where there is no key, or its tag is lower than the one before.
    #[inline]
    pub fn next_tag(&mut self) -> Result<Option<u32>, DecodeError> {
        if self.input.is_empty() {
            return Ok(None);
        }
        let key = varint(&mut self.input).map_err(|e| e.within(self.message, 0))?;
        let tag = u32::try_from(key >> 3).map_err(|_| self.refuse(Fault::Range))?;
        if tag < self.tag {
            self.tag = tag;
            return Err(self.refuse(Fault::OutOfOrder));
        }
        self.again = tag == self.tag;
        self.tag = tag;
        self.wire = (key & 7) as u8;
        Ok(Some(tag))
    }

    /// Reads the value behind the key into `field`.
    ///
    /// # Errors
    /// Where it is not one, or stands there a second time.
    #[inline]
    pub fn merge<F: Field>(&mut self, field: &mut F) -> Result<(), DecodeError> {
        if self.again && !F::REPEATED {
            return Err(self.refuse(Fault::OutOfOrder));
        }
        self.seen |= 1 << (self.tag & MAX_TAG);
        let Some(wire) = wire_type(self.wire) else {
            return Err(self.refuse(Fault::UnknownWireType { found: self.wire }));
        };
        field.merge(wire, &mut self.input).map_err(|e| e.within(self.message, self.tag))
    }

    /// Passes over a value that has a length, without looking at it.
    ///
    /// # Errors
    /// Where it has none, or the input ends before it does.
    #[inline]
    pub fn skip_delimited(&mut self) -> Result<(), DecodeError> {
        self.take_delimited().map(|_| ())
    }

    /// Takes the bytes of a value that has a length.
    ///
    /// # Errors
    /// Where it has none, or the input ends before it does.
    #[inline]
    pub fn take_delimited(&mut self) -> Result<&'a [u8], DecodeError> {
        if self.wire != WireType::LengthDelimited as u8 {
            return Err(self.refuse(Fault::WireType { expected: WireType::LengthDelimited, found: self.wire }));
        }
        delimited(&mut self.input).map_err(|e| e.within(self.message, self.tag))
    }

    /// Ends the walk.
    ///
    /// # Errors
    /// Where a tag whose bit is set in `required` was not seen.
    #[inline]
    pub fn finish(&mut self, required: u64) -> Result<(), DecodeError> {
        let missing = required & !self.seen;
        if missing == 0 {
            return Ok(());
        }
        self.tag = missing.trailing_zeros();
        Err(self.refuse(Fault::Missing))
    }

    /// The error of the field that the walk is at.
    #[cold]
    #[must_use]
    pub fn refuse(&self, fault: Fault) -> DecodeError {
        DecodeError::from(fault).within(self.message, self.tag)
    }
}

#[inline]
fn wire_type(number: u8) -> Option<WireType> {
    // Groups (3 and 4) are not part of proto3.
    match number {
        0 => Some(WireType::Varint),
        1 => Some(WireType::SixtyFourBit),
        2 => Some(WireType::LengthDelimited),
        5 => Some(WireType::ThirtyTwoBit),
        _ => None,
    }
}

#[inline]
fn check_wire<T: Value>(wire: WireType) -> Result<(), DecodeError> {
    if wire == T::WIRE { Ok(()) } else { Err(Fault::WireType { expected: T::WIRE, found: wire as u8 }.into()) }
}

impl<T: Value> Field for T {
    const REQUIRED: bool = T::ALWAYS;

    #[inline]
    fn absent() -> Self {
        T::zero()
    }

    #[inline]
    fn put(&self, tag: u32, out: &mut Vec<u8>) {
        if T::ALWAYS || !self.is_zero() {
            encode_key(tag, T::WIRE, out);
            self.write(out);
        }
    }

    #[inline]
    fn merge(&mut self, wire: WireType, input: &mut &[u8]) -> Result<(), DecodeError> {
        check_wire::<T>(wire)?;
        *self = T::read(input)?;
        if !T::ALWAYS && self.is_zero() { Err(Fault::NotCanonical.into()) } else { Ok(()) }
    }
}

impl<T: Value> Field for Option<T> {
    #[inline]
    fn absent() -> Self {
        None
    }

    #[inline]
    fn put(&self, tag: u32, out: &mut Vec<u8>) {
        if let Some(value) = self {
            encode_key(tag, T::WIRE, out);
            value.write(out);
        }
    }

    #[inline]
    fn merge(&mut self, wire: WireType, input: &mut &[u8]) -> Result<(), DecodeError> {
        check_wire::<T>(wire)?;
        *self = Some(T::read(input)?);
        Ok(())
    }
}

macro_rules! lists {
    ($($list:ident $push:ident),*) => {$(
        impl<T: Value> Field for $list<T> {
            const REPEATED: bool = true;

            #[inline]
            fn absent() -> Self {
                Self::new()
            }

            #[inline]
            fn put(&self, tag: u32, out: &mut Vec<u8>) {
                // Lists of numbers would have to be packed to be proto3; none is stored.
                const { assert!(matches!(T::WIRE, WireType::LengthDelimited)) };
                for value in self {
                    encode_key(tag, T::WIRE, out);
                    value.write(out);
                }
            }

            #[inline]
            fn merge(&mut self, wire: WireType, input: &mut &[u8]) -> Result<(), DecodeError> {
                check_wire::<T>(wire)?;
                self.$push(T::read(input)?);
                Ok(())
            }
        }
    )*};
}
lists!(Vec push, VecDeque push_back);

impl Field for Children {
    const REPEATED: bool = true;

    #[inline]
    fn absent() -> Self {
        Self::new()
    }

    #[inline]
    fn put(&self, tag: u32, out: &mut Vec<u8>) {
        for child in self {
            encode_key(tag, OrderId::WIRE, out);
            child.write(out);
        }
    }

    #[inline]
    fn merge(&mut self, wire: WireType, input: &mut &[u8]) -> Result<(), DecodeError> {
        check_wire::<OrderId>(wire)?;
        self.push(OrderId::read(input)?);
        Ok(())
    }
}

/// Left out where nothing is set.
impl<T: Message + Unset> Field for Seldom<T> {
    #[inline]
    fn absent() -> Self {
        Self::default()
    }

    #[inline]
    fn put(&self, tag: u32, out: &mut Vec<u8>) {
        if **self != *T::UNSET {
            T::put(self, tag, out);
        }
    }

    #[inline]
    fn merge(&mut self, wire: WireType, input: &mut &[u8]) -> Result<(), DecodeError> {
        check_wire::<T>(wire)?;
        **self = T::read(input)?;
        if **self == *T::UNSET { Err(Fault::NotCanonical.into()) } else { Ok(()) }
    }
}

/// A message within another is always written, also where it is empty.
impl<T: Message> Value for T {
    const WIRE: WireType = WireType::LengthDelimited;
    const ALWAYS: bool = true;

    fn zero() -> Self {
        T::blank()
    }

    #[inline]
    fn is_zero(&self) -> bool {
        false
    }

    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        put_delimited(out, |out| self.encode(out));
    }

    #[inline]
    fn read(input: &mut &[u8]) -> Result<Self, DecodeError> {
        T::decode(delimited(input)?)
    }
}

impl<T: Message> Message for Box<T> {
    const NAME: &'static str = T::NAME;
    const FIELDS: &'static [(u32, &'static str)] = T::FIELDS;

    fn blank() -> Self {
        Self::new(T::blank())
    }

    #[inline]
    fn encode(&self, out: &mut Vec<u8>) {
        T::encode(self, out);
    }

    #[inline]
    fn decode_without<const SKIP: u32>(bytes: &[u8]) -> Result<Self, DecodeError> {
        T::decode_without::<SKIP>(bytes).map(Self::new)
    }
}

/// A pair is a message with the fields 1 and 2.
impl<A: Field, B: Field> Message for (A, B) {
    const NAME: &'static str = "pair";
    const FIELDS: &'static [(u32, &'static str)] = &[(1, "0"), (2, "1")];

    fn blank() -> Self {
        (A::absent(), B::absent())
    }

    fn encode(&self, out: &mut Vec<u8>) {
        self.0.put(1, out);
        self.1.put(2, out);
    }

    fn decode_without<const SKIP: u32>(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut value = Self::blank();
        let mut fields = Fields::new(Self::NAME, bytes);
        while let Some(tag) = fields.next_tag()? {
            match tag {
                _ if SKIP != 0 && tag == SKIP => fields.skip_delimited()?,
                1 => fields.merge(&mut value.0)?,
                2 => fields.merge(&mut value.1)?,
                _ => return Err(fields.refuse(Fault::UnknownField)),
            }
        }
        fields.finish(required(&value.0, 1) | required(&value.1, 2))?;
        Ok(value)
    }
}
