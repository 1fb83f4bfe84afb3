//! How messages are declared: one struct, its protobuf tags and the order of its text fields.

/// A struct and its protobuf form: `field: Type = tag`. A field without a tag is carried by the text dialect alone.
macro_rules! message {
    ($(#[$doc:meta])* $name:ident { $( $(#[$fdoc:meta])* $field:ident: $ty:ty $(= $tag:literal)? ),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Debug, Default)]
        pub struct $name { $( $(#[$fdoc])* pub $field: $ty, )* }

        impl $crate::codec::proto::ProtoMessage for $name {
            #[allow(unused_variables, reason = "a message may have no fields")]
            fn put_fields(&self, out: &mut Vec<u8>) {
                $( $( $crate::codec::proto::ProtoField::put(&self.$field, $tag, out); )? )*
            }
            #[allow(unused_mut, unused_assignments, unused_variables, reason = "a message may have no fields")]
            fn read_fields(bytes: &[u8]) -> Result<Self, $crate::codec::Fault> {
                let (mut message, mut seen) = (Self::default(), 0_u128);
                let mut fields = $crate::codec::proto::ProtoIn::new(bytes);
                while let Some((tag, value)) = fields.next()? {
                    match tag {
                        $( $( $tag => $crate::codec::proto::ProtoField::take(&mut message.$field, tag, value)?, )? )*
                        _ => (),
                    }
                    seen |= 1_u128.checked_shl(tag).unwrap_or(0);
                }
                $( $(
                    if <$ty as $crate::codec::proto::ProtoField>::REQUIRED && seen & 1 << $tag == 0 {
                        return Err($crate::codec::Fault::Missing(stringify!($field)));
                    }
                )? )*
                Ok(message)
            }
        }

        impl $crate::codec::told::Tell for $name {
            #[allow(unused_variables, reason = "a message may have no fields")]
            fn tell(&self, name: &str, out: &mut Vec<$crate::codec::told::Field>) {
                $( $(
                    let _ = $tag;
                    $crate::codec::told::Tell::tell(&self.$field, &$crate::codec::told::within(name, stringify!($field)), out);
                )? )*
            }
        }

        #[cfg(test)]
        impl $crate::codec::tests::sample::Sample for $name {
            #[allow(unused_variables, reason = "a message may have no fields")]
            fn sample(dice: &mut $crate::codec::tests::sample::Dice, dialect: $crate::codec::Dialect) -> Self {
                Self { $( $field: message!(@sample dice, dialect, $ty $(, $tag)?), )* }
            }
        }
    };
    (@sample $dice:ident, $dialect:ident, $ty:ty, $tag:literal) => {
        <$ty as $crate::codec::tests::sample::Sample>::sample($dice, $dialect)
    };
    // What protobuf does not carry is not set there.
    (@sample $dice:ident, $dialect:ident, $ty:ty) => {
        match $dialect {
            $crate::codec::Dialect::Text(_) => <$ty as $crate::codec::tests::sample::Sample>::sample($dice, $dialect),
            $crate::codec::Dialect::Proto(_) => <$ty>::default(),
        }
    };
}

/// The text form of a message: its fields in order, behind a constant message version where it has one. Fields that are
/// not named are not carried by text.
macro_rules! text {
    ($name:ident $(version $version:literal)? { $( $field:ident ),* $(,)? }) => {
        impl $crate::codec::layout::Wire for $name {
            fn write_text(&self, _: u16, out: &mut $crate::codec::text::TextOut<'_>) {
                $( out.raw($version); )?
                $( out.put(&self.$field); )*
                let _ = out;
            }
            #[allow(clippy::needless_update, reason = "some messages name all of their fields")]
            fn read_text(_: u16, input: &mut $crate::codec::text::TextIn<'_>) -> Result<Self, $crate::codec::Fault> {
                $( let _ = $version; input.skip(1)?; )?
                let _ = &input;
                Ok(Self { $( $field: input.get()?, )* ..Self::default() })
            }
        }
    };
}

/// The messages of one direction, by their ids.
macro_rules! direction {
    ($(#[$doc:meta])* $name:ident { $( $(#[$vdoc:meta])* $variant:ident($ty:ident) = $id:literal ),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Debug)]
        #[allow(clippy::large_enum_variant, reason = "messages are handled one at a time; a box would cost more than the room")]
        pub enum $name { $( $(#[$vdoc])* $variant($ty), )* }

        #[cfg(test)]
        impl $name {
            /// One of each message.
            pub(in crate::codec) fn samples(dice: &mut $crate::codec::tests::sample::Dice, dialect: $crate::codec::Dialect) -> Vec<Self> {
                vec![ $( Self::$variant($crate::codec::tests::sample::Sample::sample(dice, dialect)), )* ]
            }
        }

        impl $name {
            /// The message id, without the 200 that marks protobuf.
            #[must_use]
            pub const fn id(&self) -> u32 {
                match self { $( Self::$variant(_) => $id, )* }
            }

            /// What it is called here.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self { $( Self::$variant(_) => stringify!($variant), )* }
            }

            /// Its fields as the protobuf dialect carries them, by name; those of a part of it behind the name of the part.
            #[must_use]
            pub fn fields(&self) -> Vec<$crate::codec::told::Field> {
                let mut out = Vec::new();
                match self { $( Self::$variant(message) => $crate::codec::told::Tell::tell(message, "", &mut out), )* }
                out
            }

            /// Appends the message as one frame.
            pub fn encode(&self, dialect: $crate::codec::Dialect, out: &mut Vec<u8>) {
                $crate::codec::frame::put_frame(out, |out| match dialect {
                    $crate::codec::Dialect::Text(version) => {
                        let mut fields = $crate::codec::text::TextOut::new(out);
                        fields.raw(&self.id().to_string());
                        match self { $( Self::$variant(message) => $crate::codec::layout::Wire::write_text(message, version, &mut fields), )* }
                    }
                    $crate::codec::Dialect::Proto(_) => {
                        out.extend_from_slice(&(self.id() + $crate::codec::frame::PROTO_MARK).to_be_bytes());
                        match self { $( Self::$variant(message) => $crate::codec::proto::ProtoMessage::put_fields(message, out), )* }
                    }
                });
            }

            /// Reads the body of a frame.
            ///
            /// # Errors
            /// What is wrong with it.
            pub fn decode(dialect: $crate::codec::Dialect, body: &[u8]) -> Result<$crate::codec::Decoded<Self>, $crate::codec::Fault> {
                use $crate::codec::{Decoded, Dialect, Fault, layout::Wire, proto::ProtoMessage, text::TextIn};
                match dialect {
                    Dialect::Text(version) => {
                        let mut fields = TextIn::new(body);
                        let id: i32 = fields.get().map_err(|_| Fault::NoId)?;
                        let id = u32::try_from(id).map_err(|_| Fault::NoId)?;
                        Ok(Decoded::Message(match id {
                            $( $id => Self::$variant(<$ty as Wire>::read_text(version, &mut fields)?), )*
                            _ => return Ok(Decoded::Unknown(id)),
                        }))
                    }
                    Dialect::Proto(_) => {
                        let (id, payload) = body.split_first_chunk().ok_or(Fault::NoId)?;
                        let id = u32::from_be_bytes(*id);
                        Ok(Decoded::Message(match id.checked_sub($crate::codec::frame::PROTO_MARK) {
                            $( Some($id) => Self::$variant(<$ty as ProtoMessage>::read_fields(payload)?), )*
                            Some(id) => return Ok(Decoded::Unknown(id)),
                            // Text within the protobuf dialect: no message that is known here is sent so.
                            None => return Ok(Decoded::Unknown(id)),
                        }))
                    }
                }
            }
        }
    };
}

/// A message of a frame.
pub(super) trait Wire: super::proto::ProtoMessage {
    fn write_text(&self, version: u16, out: &mut super::text::TextOut<'_>);
    fn read_text(version: u16, input: &mut super::text::TextIn<'_>) -> Result<Self, super::Fault>;
}
