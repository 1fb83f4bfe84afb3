//! Why a frame could not be read.

/// What is wrong with the body of a frame. The frame is dropped whole; the connection goes on, since the next frame
/// begins where its length says.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
pub enum Fault {
    /// No message id.
    #[error("the message has no id")]
    NoId,
    /// It ended before this field (text), counted from the message id.
    #[error("the message ends before field {0}")]
    Short(u32),
    /// This field (text: counted from the message id; protobuf: its number) is not what it must be.
    #[error("field {0} is malformed")]
    Malformed(u32),
    /// A list is longer than what follows, from this field (text).
    #[error("the list at field {0} is longer than the message")]
    Count(u32),
    /// Something without which the message means nothing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// The bytes are no protocol buffer.
    #[error("the protocol buffer is damaged")]
    Damaged,
}
