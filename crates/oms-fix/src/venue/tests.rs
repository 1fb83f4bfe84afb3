//! The port against a venue that speaks FIX over a line that can lose, hang and be cut.

mod conformance;
mod copies;
mod crash;
mod edge;
mod evidence;
mod line;
mod rig;
