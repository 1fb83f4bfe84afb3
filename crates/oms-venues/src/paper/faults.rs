//! What may go wrong between us and a venue, by switch and by seed.

/// The line to a venue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Link {
    /// Works.
    #[default]
    Up,
    /// Disconnected: sending fails at once, nothing arrives. What was under way when it broke was
    /// lost either before or after the venue took it.
    Down,
    /// Half-open: sending seems to work and queries never answer. Each request is lost either
    /// before or after the venue takes it; no answer comes.
    HalfOpen,
}

/// Fault switches of one venue; all off by default. Probabilities are parts per million.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faults {
    /// The line.
    pub link: Link,
    /// An answer never arrives.
    pub lost_ppm: u32,
    /// An answer, and everything behind it, arrives later by [`Faults::late_ns`].
    pub late_ppm: u32,
    /// How much later, nanoseconds.
    pub late_ns: u64,
    /// An answer arrives twice.
    pub duplicate_ppm: u32,
    /// An answer is overtaken by later ones.
    pub reorder_ppm: u32,
    /// A request is refused although nothing is wrong with it (a reject storm near a million).
    pub reject_ppm: u32,
    /// Added to every way, nanoseconds.
    pub spike_ns: u64,
    /// Handing over breaks off with an error that says nothing about whether the request left.
    pub broken_send_ppm: u32,
    /// A query's answer breaks off before its end.
    pub incomplete_ppm: u32,
    /// When a request is in doubt (the line broke under it), the chance that the venue took it.
    pub accepted_in_doubt_ppm: u32,
}

impl Faults {
    /// The line is cut; half of what was under way had arrived.
    #[must_use]
    pub const fn outage() -> Self {
        Self { link: Link::Down, accepted_in_doubt_ppm: 500_000, ..Self::none() }
    }

    /// Nothing goes wrong.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            link: Link::Up,
            lost_ppm: 0,
            late_ppm: 0,
            late_ns: 0,
            duplicate_ppm: 0,
            reorder_ppm: 0,
            reject_ppm: 0,
            spike_ns: 0,
            broken_send_ppm: 0,
            incomplete_ppm: 0,
            accepted_in_doubt_ppm: 500_000,
        }
    }
}

impl Default for Faults {
    fn default() -> Self {
        Self::none()
    }
}
