//! Room for what is seldom there.

use core::fmt;
use core::ops::{Deref, DerefMut};

/// What most owners have only the default of: a pointer's width while that is so, a box otherwise.
///
/// Reads see the default through it. Writing through it makes the box; [`Seldom::tidy`] gives an idle one back.
#[derive(Clone)]
pub struct Seldom<T: Unset>(Option<Box<T>>);

/// What [`Seldom`] holds.
pub trait Unset: Default + PartialEq + 'static {
    /// The default, to be looked at where nothing was set.
    const UNSET: &'static Self;
}

impl<T> Unset for Vec<T>
where
    T: PartialEq + 'static,
{
    const UNSET: &'static Self = &Self::new();
}

impl<T: Unset> Seldom<T> {
    /// Gives the memory back where the default is all that it holds.
    pub fn tidy(&mut self) {
        if self.0.as_deref() == Some(T::UNSET) {
            self.0 = None;
        }
    }

    /// Changes it where something was set; leaves it unset otherwise. For changes that only take away.
    pub fn clear_with(&mut self, f: impl FnOnce(&mut T)) {
        if let Some(value) = self.0.as_deref_mut() {
            f(value);
            self.tidy();
        }
    }

    /// Takes it out; `None` where it is unset.
    #[must_use]
    pub fn into_set(self) -> Option<T> {
        self.0.map(|value| *value)
    }
}

impl<T: Unset> From<T> for Seldom<T> {
    fn from(value: T) -> Self {
        if value == *T::UNSET { Self(None) } else { Self(Some(Box::new(value))) }
    }
}

impl<T: Unset> Default for Seldom<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Unset> Deref for Seldom<T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.0.as_deref().unwrap_or(T::UNSET)
    }
}

impl<T: Unset> DerefMut for Seldom<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.get_or_insert_default()
    }
}

impl<T: Unset> PartialEq for Seldom<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Unset + Eq> Eq for Seldom<T> {}

impl<T: Unset + fmt::Debug> fmt::Debug for Seldom<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;
