//! What a credential allows, and what a role is made of.

use core::fmt;
use core::ops::{BitAnd, BitOr};
use core::str::FromStr;

macro_rules! scopes {
    ($($(#[$doc:meta])* $name:ident = $bit:literal $text:literal,)*) => {
        /// One thing that somebody may be allowed to do. Every route and every command names the one that it needs.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Scope {
            $($(#[$doc])* $name = $bit,)*
        }

        impl Scope {
            /// Every scope, in the order of the documented table.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
            /// Each as it is written.
            pub const NAMES: &'static [&'static str] = &[$($text),*];

            /// As it is written.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

scopes! {
    /// Sign in, and look after one's own profile, sessions and second factor.
    AuthLogin = 0 "auth:login",
    /// Make tenants and change any of them: whoever runs the installation.
    TenantsAdmin = 1 "tenants:admin",
    /// Change the own tenant: its members, invitations, keys and address list.
    TenantsManage = 2 "tenants:manage",
    /// Connect and disconnect brokers and FIX sessions.
    BrokersConnect = 3 "brokers:connect",
    /// See brokers, venues, accounts and FIX sessions.
    BrokersView = 4 "brokers:view",
    /// Place orders, ask for quotes and accept them.
    OrdersPlace = 5 "orders:place",
    /// Cancel orders, and arm what cancels them.
    OrdersCancel = 6 "orders:cancel",
    /// Change orders: replace, hold back, resume, split, group.
    OrdersModify = 7 "orders:modify",
    /// Decide what waits for a second person; correct what was booked.
    OrdersApprove = 8 "orders:approve",
    /// See orders, executions, quotes and allocations.
    OrdersView = 9 "orders:view",
    /// See positions and how far limits are used.
    PositionsView = 10 "positions:view",
    /// See profit and loss.
    PnlView = 11 "pnl:view",
    /// Change strategies.
    StrategiesManage = 12 "strategies:manage",
    /// Start and stop strategies.
    StrategiesRun = 13 "strategies:run",
    /// See strategies.
    StrategiesView = 14 "strategies:view",
    /// Give leave to go beyond a limit once.
    RiskOverride = 15 "risk:override",
    /// Set limits, rules, lists, breakers and trading states.
    RiskManage = 16 "risk:manage",
    /// Engage and release kill switches.
    RiskKill = 17 "risk:kill",
    /// See prices, once and as they change.
    MarketdataSubscribe = 18 "marketdata:subscribe",
    /// Change webhooks.
    WebhooksManage = 19 "webhooks:manage",
    /// Read the audit: every event, evidence and proofs.
    AuditView = 20 "audit:view",
    /// Configure the desk itself: instruments, venues, accounts, routing policies, closing of days.
    SystemAdmin = 21 "system:admin",
    /// Act on a broker whose account is a live one: connect it, decide about its breaks. Beside the scope of the action.
    BrokersLive = 22 "brokers:live",
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not the name of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknown;

impl FromStr for Scope {
    type Err = Unknown;

    fn from_str(text: &str) -> Result<Self, Unknown> {
        Self::ALL.iter().copied().find(|scope| scope.as_str() == text).ok_or(Unknown)
    }
}

/// A set of scopes.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scopes(u32);

impl Scopes {
    /// None.
    pub const NONE: Self = Self(0);
    /// All that there are.
    pub const ALL: Self = Self::of(Scope::ALL);

    /// These.
    #[must_use]
    pub const fn of(mut scopes: &[Scope]) -> Self {
        let mut bits = 0;
        while let [scope, rest @ ..] = scopes {
            bits |= 1 << (*scope as u32);
            scopes = rest;
        }
        Self(bits)
    }

    /// The set with these bits; bits that mean nothing are left out.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits & Self::ALL.0)
    }

    /// Bit n stands for the scope with number n.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether it has `scope`.
    #[must_use]
    pub const fn has(self, scope: Scope) -> bool {
        self.0 & (1 << (scope as u32)) != 0
    }

    /// Whether it has every scope of `other`.
    #[must_use]
    pub const fn covers(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// Those of this set that `other` has not.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each of them, in the order of the documented table.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.iter().copied().filter(move |scope| self.has(*scope))
    }

    /// Reads names that are separated by spaces.
    ///
    /// # Errors
    /// The name that is none.
    pub fn parse(text: &str) -> Result<Self, &str> {
        text.split_ascii_whitespace().try_fold(Self::NONE, |all, name| name.parse().map(|scope| all | Self::of(&[scope])).map_err(|_| name))
    }
}

impl BitOr for Scopes {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for Scopes {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        scopes.into_iter().fold(Self::NONE, |all, scope| all | Self::of(&[scope]))
    }
}

/// The names, separated by spaces.
impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, scope) in self.iter().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{self}]")
    }
}

/// What somebody is in a tenant. A higher role has every scope of a lower one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Sees.
    Viewer = 1,
    /// Trades.
    Trader = 2,
    /// Answers for a desk: limits, approvals, brokers, strategies.
    Manager = 3,
    /// Answers for the tenant: members, keys, the desk's configuration.
    Admin = 4,
}

/// What a viewer may do.
const VIEWER: Scopes = Scopes::of(&[
    Scope::AuthLogin,
    Scope::BrokersView,
    Scope::OrdersView,
    Scope::PositionsView,
    Scope::PnlView,
    Scope::StrategiesView,
    Scope::MarketdataSubscribe,
]);
/// What a trader may do besides.
const TRADER: Scopes = Scopes::of(&[Scope::OrdersPlace, Scope::OrdersCancel, Scope::OrdersModify, Scope::StrategiesRun]);
/// What a manager may do besides.
const MANAGER: Scopes = Scopes::of(&[
    Scope::BrokersConnect,
    Scope::OrdersApprove,
    Scope::StrategiesManage,
    Scope::RiskOverride,
    Scope::RiskManage,
    Scope::RiskKill,
    Scope::WebhooksManage,
    Scope::AuditView,
]);
/// What an administrator may do besides. `tenants:admin` is of no role: it is given by name, to whoever runs the installation.
const ADMIN: Scopes = Scopes::of(&[Scope::TenantsManage, Scope::SystemAdmin, Scope::BrokersLive]);

impl Role {
    /// Every role, the highest first.
    pub const ALL: &'static [Self] = &[Self::Admin, Self::Manager, Self::Trader, Self::Viewer];
    /// Each as it is written.
    pub const NAMES: &'static [&'static str] =
        &[Self::Admin.as_str(), Self::Manager.as_str(), Self::Trader.as_str(), Self::Viewer.as_str()];

    /// What the role may do: the documented table.
    #[must_use]
    pub const fn scopes(self) -> Scopes {
        Scopes(match self {
            Self::Viewer => VIEWER.0,
            Self::Trader => VIEWER.0 | TRADER.0,
            Self::Manager => VIEWER.0 | TRADER.0 | MANAGER.0,
            Self::Admin => VIEWER.0 | TRADER.0 | MANAGER.0 | ADMIN.0,
        })
    }

    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "VIEWER",
            Self::Trader => "TRADER",
            Self::Manager => "MANAGER",
            Self::Admin => "ADMIN",
        }
    }

    /// Its number in what is stored.
    #[must_use]
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// The role with this number.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.number() == number)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = Unknown;

    fn from_str(text: &str) -> Result<Self, Unknown> {
        Self::ALL.iter().copied().find(|role| role.as_str() == text).ok_or(Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_as_they_are_written() {
        for &scope in Scope::ALL {
            assert_eq!(scope.as_str().parse(), Ok(scope));
            assert!(Scopes::ALL.has(scope));
        }
        assert_eq!(Scopes::parse(&Scopes::ALL.to_string()), Ok(Scopes::ALL));
        assert_eq!(Scopes::parse("orders:view orders:fly"), Err("orders:fly"));
        assert_eq!(Scopes::from_bits(u32::MAX), Scopes::ALL);
        assert_eq!(Scopes::of(&[Scope::RiskKill]).iter().collect::<Vec<_>>(), [Scope::RiskKill]);
    }

    #[test]
    fn a_higher_role_has_every_scope_of_a_lower_one() {
        for pair in Role::ALL.windows(2) {
            let [higher, lower] = pair else { unreachable!() };
            assert!(higher > lower && higher.scopes().covers(lower.scopes()) && higher.scopes() != lower.scopes());
        }
        assert_eq!(Scopes::ALL.without(Role::Admin.scopes()), Scopes::of(&[Scope::TenantsAdmin]));
        for &role in Role::ALL {
            assert_eq!((role.as_str().parse(), Role::from_number(role.number())), (Ok(role), Some(role)));
        }
    }
}
