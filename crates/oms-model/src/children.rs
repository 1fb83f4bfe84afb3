//! The parts of an order.

use crate::ids::OrderId;
use core::fmt;
use core::ops::Deref;

/// The ids of an order's parts, oldest first. One, which most orders have, needs no memory of its own.
#[derive(Clone, Default)]
pub struct Children(Held);

#[derive(Clone, Default)]
enum Held {
    #[default]
    None,
    One(OrderId),
    Many(Vec<OrderId>),
}

impl Children {
    /// No parts.
    #[must_use]
    pub const fn new() -> Self {
        Self(Held::None)
    }

    /// One part more, the youngest.
    pub fn push(&mut self, child: OrderId) {
        match &mut self.0 {
            Held::None => self.0 = Held::One(child),
            Held::One(first) => self.0 = Held::Many(vec![*first, child]),
            Held::Many(all) => all.push(child),
        }
    }
}

impl Deref for Children {
    type Target = [OrderId];
    fn deref(&self) -> &[OrderId] {
        match &self.0 {
            Held::None => &[],
            Held::One(child) => core::slice::from_ref(child),
            Held::Many(all) => all,
        }
    }
}

impl<'a> IntoIterator for &'a Children {
    type Item = &'a OrderId;
    type IntoIter = core::slice::Iter<'a, OrderId>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl PartialEq for Children {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Children {}

impl fmt::Debug for Children {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests;
