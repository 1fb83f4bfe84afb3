//! The generic state machine: states are an enum, the legal steps one table.

use core::fmt::Debug;

/// A kind of thing that has states.
pub trait Machine {
    /// Its states.
    type State: Copy + Eq + Debug + 'static;
    /// Where it begins.
    const INITIAL: Self::State;
    /// Every legal step, as (from, to).
    const STEPS: &'static [(Self::State, Self::State)];
    /// States that no step leaves.
    const TERMINAL: &'static [Self::State];

    /// Whether `from -> to` is legal.
    #[must_use]
    fn allows(from: Self::State, to: Self::State) -> bool {
        Self::STEPS.contains(&(from, to))
    }

    /// Whether no step leaves `state`.
    #[must_use]
    fn is_terminal(state: Self::State) -> bool {
        Self::TERMINAL.contains(&state)
    }

    /// Checks a history that begins at [`Machine::INITIAL`].
    ///
    /// # Errors
    /// The first illegal step, by its place in `states`.
    fn validate_sequence(states: &[Self::State]) -> Result<(), IllegalStep<Self::State>> {
        let mut from = Self::INITIAL;
        for (at, &to) in states.iter().enumerate() {
            if !Self::allows(from, to) {
                return Err(IllegalStep { at, from, to });
            }
            from = to;
        }
        Ok(())
    }
}

/// A step that the table does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IllegalStep<S> {
    /// Its place in the history, from 0.
    pub at: usize,
    /// The state before it.
    pub from: S,
    /// The state that it claims.
    pub to: S,
}
