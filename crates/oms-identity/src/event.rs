//! What happened in the control partition. Facts, never edited; secrets stand in them as hashes or sealed.

use crate::net::Net;
use crate::personal::{Personal, Subject};
use crate::scope::{Role, Scopes};
use core::net::IpAddr;
use oms_model::{ApiKeyId, InvitationId, SessionId, Source, TenantId, Time, TraceId, UserId};

/// SHA-256 of something that is not stored.
pub type Hash = [u8; 32];

/// Who did it, and from where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct By {
    /// For which tenant; that of the act where nobody was signed in.
    pub tenant_id: TenantId,
    /// Which user; `None` where nobody was signed in.
    pub user_id: Option<UserId>,
    /// With which key.
    pub api_key_id: Option<ApiKeyId>,
    /// In which session.
    pub session_id: Option<SessionId>,
    /// Through which door.
    pub source: Source,
    /// From which address.
    pub ip: Option<IpAddr>,
    /// What the client calls itself, cut to [`MAX_AGENT`].
    pub user_agent: String,
}

/// The most bytes of a client's name that are kept.
pub const MAX_AGENT: usize = 200;

/// What one command led to: one atomic entry of the control log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// When it was decided.
    pub time: Time,
    /// Who did it.
    pub by: By,
    /// The trace of the request.
    pub trace_id: TraceId,
    /// In order.
    pub events: Vec<Event>,
}

macro_rules! events {
    ($($(#[$doc:meta])* $code:literal $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Eq)]
            pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }

            impl From<$name> for Event {
                fn from(event: $name) -> Self { Self::$name(event) }
            }
        )*

        /// A fact of the control partition.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Event {
            $(
                #[doc = concat!("See [`", stringify!($name), "`](struct@", stringify!($name), ").")]
                $name($name),
            )*
        }

        impl Event {
            /// Number and name of every kind.
            pub const KINDS: &'static [(u32, &'static str)] = &[$(($code, stringify!($name))),*];

            /// The number of its kind in what is stored.
            #[must_use]
            pub const fn code(&self) -> u32 {
                match self { $(Self::$name(_) => $code,)* }
            }

            /// The name of its kind.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$name(_) => stringify!($name),)* }
            }
        }
    };
}

events! {
    /// There is a tenant.
    1 TenantCreated {
        /// Its id, which is its desk's too.
        tenant_id: TenantId,
        /// What it is called.
        name: String,
    }
    /// A tenant is another than it was.
    2 TenantChanged {
        /// Which.
        tenant_id: TenantId,
        /// What it is called.
        name: String,
        /// Its time zone, a name of the IANA database; empty: UTC.
        time_zone: String,
        /// Whether its members may sign in.
        enabled: bool,
    }
    /// From where a tenant's members may come.
    3 AllowListSet {
        /// Which tenant.
        tenant_id: TenantId,
        /// From there only; from anywhere where it is empty.
        nets: Vec<Net>,
    }
    /// There is a user.
    4 UserCreated {
        /// Their id.
        user_id: UserId,
        /// Lower case, unique.
        email: Personal,
        /// What they are called.
        name: Personal,
        /// The hash of the password with its salt and parameters (PHC string); `None` cannot sign in by password.
        password: Option<String>,
        /// Whether it is an account for emergencies: each use of it is an alarm.
        break_glass: bool,
    }
    /// A user changed what is known of them.
    5 ProfileChanged {
        /// Who.
        user_id: UserId,
        /// What they are called.
        name: Personal,
        /// Their time zone; empty: the tenant's.
        time_zone: String,
    }
    /// A user has another password, or the same one with better parameters.
    6 PasswordChanged {
        /// Who.
        user_id: UserId,
        /// Its hash.
        password: String,
        /// Whether only the parameters are new.
        rehashed: bool,
    }
    /// A second factor was handed out; it counts once it is confirmed.
    7 TotpEnrolled {
        /// To whom.
        user_id: UserId,
        /// The secret, sealed.
        secret: Box<[u8]>,
    }
    /// The second factor counts from now on.
    8 TotpConfirmed {
        /// Whose.
        user_id: UserId,
        /// The time step of the code that proved it.
        step: u64,
        /// Hashes of the recovery codes.
        recovery: Vec<Hash>,
    }
    /// A code of the second factor was used.
    9 TotpUsed {
        /// Whose.
        user_id: UserId,
        /// Its time step; no code of this step or an earlier one counts any more.
        step: u64,
    }
    /// A recovery code was used; it counts no more.
    10 RecoveryCodeUsed {
        /// Whose.
        user_id: UserId,
        /// Its hash.
        sha256: Hash,
    }
    /// There is no second factor any more.
    11 TotpDisabled {
        /// Whose.
        user_id: UserId,
    }
    /// Somebody is a member of a tenant, as this.
    12 MemberSet {
        /// Of which.
        tenant_id: TenantId,
        /// Who.
        user_id: UserId,
        /// As what.
        role: Role,
        /// What they may do besides.
        extra: Scopes,
    }
    /// Somebody is no member of a tenant any more.
    13 MemberRemoved {
        /// Of which.
        tenant_id: TenantId,
        /// Who.
        user_id: UserId,
    }
    /// Somebody was asked to join a tenant.
    14 Invited {
        /// The invitation.
        invitation_id: InvitationId,
        /// Which tenant.
        tenant_id: TenantId,
        /// Whom, lower case.
        email: Personal,
        /// As what.
        role: Role,
        /// What they may do besides.
        extra: Scopes,
        /// Of the token that they were sent.
        sha256: Hash,
        /// Until when it is good.
        expires_at: Time,
    }
    /// An invitation was followed.
    15 InvitationAccepted {
        /// Which.
        invitation_id: InvitationId,
        /// By whom.
        user_id: UserId,
    }
    /// An invitation was taken back.
    16 InvitationRevoked {
        /// Which.
        invitation_id: InvitationId,
    }
    /// Whoever has the link makes the first tenant and its administrator.
    17 BootstrapIssued {
        /// Of its token.
        sha256: Hash,
        /// Until when it is good.
        expires_at: Time,
    }
    /// The link was followed; there is none any more.
    18 BootstrapUsed {
        /// By whom.
        user_id: UserId,
    }
    /// Somebody signed in.
    19 SessionOpened {
        /// Where.
        session_id: SessionId,
        /// Who.
        user_id: UserId,
        /// For which tenant.
        tenant_id: TenantId,
        /// Whether it is one of the screens, kept by a cookie; otherwise one of tokens.
        cookie: bool,
        /// Whether a second factor was shown.
        mfa: bool,
        /// Until when, unless it is refreshed.
        expires_at: Time,
    }
    /// A session's tokens were renewed.
    20 SessionRefreshed {
        /// Which.
        session_id: SessionId,
        /// The number of the refresh token that is good now.
        generation: u64,
        /// Until when.
        expires_at: Time,
    }
    /// A session is over.
    21 SessionRevoked {
        /// Which.
        session_id: SessionId,
        /// Why, in words.
        reason: String,
    }
    /// The second factor was shown again.
    22 SessionSteppedUp {
        /// In which session.
        session_id: SessionId,
    }
    /// Somebody could not prove who they are.
    23 SignInFailed {
        /// SHA-256 of the account's name as it was given: it may not exist, or be a password in the wrong field.
        account: Hash,
        /// From where.
        ip: Option<IpAddr>,
    }
    /// Somebody proved who they are, after they had failed to.
    24 SignInCleared {
        /// Which account.
        account: Hash,
        /// From where.
        ip: Option<IpAddr>,
    }
    /// There is an API key.
    25 ApiKeyCreated {
        /// Its id.
        api_key_id: ApiKeyId,
        /// For which tenant it is.
        tenant_id: TenantId,
        /// Whose it is: it may never do more than they.
        user_id: UserId,
        /// What it is called.
        name: String,
        /// Its first characters.
        prefix: String,
        /// Of the key.
        sha256: Hash,
        /// What it may do.
        scopes: Scopes,
        /// Until when it is good; for good where it is `None`.
        expires_at: Option<Time>,
        /// From where it may be used; from anywhere where it is empty.
        nets: Vec<Net>,
    }
    /// A key has a new secret; the old one is good for a while.
    26 ApiKeyRotated {
        /// Which.
        api_key_id: ApiKeyId,
        /// The new one's first characters.
        prefix: String,
        /// Of the new one.
        sha256: Hash,
        /// Until when the old one is good.
        old_until: Time,
    }
    /// A key is good no more.
    27 ApiKeyRevoked {
        /// Which.
        api_key_id: ApiKeyId,
    }
    /// A key was used; recorded once an hour at most.
    28 ApiKeyUsed {
        /// Which.
        api_key_id: ApiKeyId,
    }
    /// Access tokens may be signed with this key.
    29 SigningKeyAdded {
        /// What tokens call it.
        kid: String,
        /// Its public half (Ed25519).
        public: Hash,
        /// Its private half (the seed of RFC 8032), sealed.
        secret: Box<[u8]>,
        /// From then on tokens are signed with it: a while after it was published.
        sign_from: Time,
        /// From then on tokens that it signed are not good any more.
        good_until: Time,
    }
    /// A signing key is not good any more, whatever was said.
    30 SigningKeyRetired {
        /// Which.
        kid: String,
    }
    /// The key that refresh tokens, cookies and CSRF tokens are authenticated with.
    31 MacKeySet {
        /// Sealed.
        secret: Box<[u8]>,
    }
    /// An account for emergencies was used.
    32 BreakGlassUsed {
        /// Which.
        user_id: UserId,
        /// In which session.
        session_id: SessionId,
    }
    /// A person asked to be erased: from now on nothing says who they are. Their keys are to be destroyed.
    33 UserErased {
        /// Who.
        user_id: UserId,
    }
    /// The key of what said who somebody is was destroyed.
    34 KeyDestroyed {
        /// Of whom: the id of a user, or of an invitation.
        subject: Subject,
    }
    /// A tenant is being made: its desk is founded next, and once that is there the tenant is.
    35 TenantFounding {
        /// The id that it gets.
        tenant_id: TenantId,
        /// What it will be called.
        name: String,
        /// What its desk is called.
        slug: String,
        /// The idempotency key of the request, with its place.
        request: Option<u128>,
        /// Of the request's payload.
        fingerprint: Hash,
    }
}

impl Event {
    /// Every name and address in it: whose it is, and what it is.
    pub fn each_personal<E>(&mut self, mut visit: impl FnMut(Subject, &'static str, &mut Personal) -> Result<(), E>) -> Result<(), E> {
        match self {
            Self::UserCreated(e) => {
                visit(e.user_id.into(), EMAIL, &mut e.email)?;
                visit(e.user_id.into(), NAME, &mut e.name)
            }
            Self::ProfileChanged(e) => visit(e.user_id.into(), NAME, &mut e.name),
            Self::Invited(e) => visit(e.invitation_id.into(), EMAIL, &mut e.email),
            _ => Ok(()),
        }
    }
}

/// What an address is sealed as.
pub const EMAIL: &str = "email";
/// What a name is sealed as.
pub const NAME: &str = "name";
