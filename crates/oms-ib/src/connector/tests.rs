//! The connector against the simulated gateway, byte for byte and in both dialects, without sockets: time is what the test
//! says it is.

mod books;
mod conformance;
mod day;
mod faults;
mod link;
mod play;
mod reconciling;
mod storm;
mod what_if;
