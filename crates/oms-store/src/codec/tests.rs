//! The encoding holds for every value, for every byte string, for yesterday's files and for other readers.

mod golden;
mod property;
mod replay;
mod sample;
mod schema;
mod wire;
