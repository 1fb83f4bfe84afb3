//! `oms admin`.

use super::Stored;
use clap::{Args, Subcommand};

/// `oms admin`: accounts, of a desk that runs on this machine or, where none does, in the data folder itself.
#[derive(Debug, Subcommand)]
pub enum Admin {
    /// Print a one-time token with which the first administrator registers.
    Bootstrap(Stored),
    /// Tenants.
    #[command(subcommand)]
    Tenant(AdminTenant),
    /// Users.
    #[command(subcommand)]
    User(AdminUser),
    /// API keys, and the keys that sign tokens.
    #[command(subcommand)]
    Key(AdminKey),
    /// Print a new master key, as a line for the file or the variable that the setting vault.master_key names.
    MasterKey {
        /// Its version: one more than the highest that is there.
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
        key_version: u32,
    },
    /// Wrap every data key anew that an older master key has wrapped.
    Rewrap {
        /// The desk.
        #[command(flatten)]
        stored: Stored,
    },
}

/// `oms admin tenant`.
#[derive(Debug, Subcommand)]
pub enum AdminTenant {
    /// List them.
    List(Stored),
    /// Say from where a tenant's members may come; from anywhere where no range is given.
    Allow {
        /// The tenant.
        tenant: String,
        /// Such as 10.0.0.0/8; may be given several times.
        #[arg(long = "net", value_name = "RANGE")]
        nets: Vec<String>,
        /// Where.
        #[command(flatten)]
        stored: Stored,
    },
}

/// `oms admin user`.
#[derive(Debug, Subcommand)]
pub enum AdminUser {
    /// List them with what they are.
    List(Stored),
    /// Make a user; the password is read from the standard input.
    Create(NewUser),
    /// Make a user a member of a tenant, or give a member another role.
    Member {
        /// The user.
        user: String,
        /// The tenant.
        tenant: String,
        /// ADMIN, MANAGER, TRADER or VIEWER.
        role: String,
        /// A scope besides those of the role; may be given several times.
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<String>,
        /// Where.
        #[command(flatten)]
        stored: Stored,
    },
    /// Erase a person for good: memberships, keys and sessions end, and nothing says any more who they were.
    Erase {
        /// The user.
        user: String,
        /// Where.
        #[command(flatten)]
        stored: Stored,
    },
}

/// `oms admin user create`.
#[derive(Debug, Args)]
pub struct NewUser {
    /// The e-mail address.
    pub email: String,
    /// What the user is called.
    #[arg(long)]
    pub name: String,
    /// An account for emergencies: each use of it is an alarm.
    #[arg(long)]
    pub break_glass: bool,
    /// Where.
    #[command(flatten)]
    pub stored: Stored,
}

/// `oms admin key`.
#[derive(Debug, Subcommand)]
pub enum AdminKey {
    /// List the API keys of every tenant.
    List(Stored),
    /// Take an API key back.
    Revoke {
        /// Which.
        key: String,
        /// Where.
        #[command(flatten)]
        stored: Stored,
    },
    /// Sign tokens with a new key from now on; with --retire those of the others are not good any more.
    RotateSigning {
        /// Retire the others: a key was given away.
        #[arg(long)]
        retire: bool,
        /// Where.
        #[command(flatten)]
        stored: Stored,
    },
}
