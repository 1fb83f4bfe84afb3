//! Clients that speak FIX: from settings to sessions that run.

use super::fix_venues;
use super::settings::Desk;
use crate::config::{Fix, FixSession};
use crate::exit::Failure;
use oms_api::Exposition;
use oms_api::fix::{Acted, FixAbout, FixAction, FixDeed, FixMessage, FixMessages, FixSession as ShownSession, FixSessions};
use oms_api::metrics::Page;
use oms_fix::desk::{ClientFigures, ClientProfile, ClientSession, Clients, CopyFilter, DeskParts, user_of};
use oms_fix::dictionary::fix44;
use oms_fix::session::Phase;
use oms_fix::session::config::{Config, Credentials, Role, Secret, SessionId};
use oms_fix::session::outbox::Acted as Deed;
use oms_fix::session::schedule::{Schedule, ScheduleError};
use oms_fix::session::throttle::Rate;
use oms_fix::store::{About, AboutMessage, Direction, JournalStore};
use oms_fix::tags;
use oms_fix::transport::{Ended, Engine, Listener, ListenerConfig, SessionHandle, server_tls};
use oms_fix::venue::{Recall, VenueSession};
use oms_identity::{Role as AccountRole, Scopes};
use oms_model::command::Actor;
use oms_model::{Code, Refusal, Time};
use oms_runtime::history::{Bounds, History};
use oms_runtime::{Clock as _, Handle, SystemClock};
use oms_store::EmbeddedJournal;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The client that a demo desk takes where the settings name none.
const DEMO_CLIENT: &str = "CLIENT";

/// The sessions of a desk, as they are to be run.
pub struct FixDesk {
    /// Where they connect to: the same for every tenant, and who it is for the CompIDs of a Logon say.
    pub listener: ListenerConfig,
    /// Each client of this tenant.
    pub profiles: Vec<ClientProfile>,
}

fn bad(what: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure::Usage(format!("fix.{what}: {error}"))
}

impl FixDesk {
    /// Reads the settings of the tenant whose sessions name none; `None` where nobody is listened to.
    ///
    /// # Errors
    /// [`Failure::Usage`] naming the setting.
    pub fn of(settings: &Fix, demo: bool) -> Result<Option<Self>, Failure> {
        if settings.listen.is_empty() {
            return Ok(None);
        }
        let address: SocketAddr = settings
            .listen
            .parse()
            .map_err(|_| bad("listen", &format!("{:?} is not an address and port such as 127.0.0.1:9880", settings.listen)))?;
        let mut sessions = settings.sessions.clone();
        if demo && sessions.is_empty() {
            if !address.ip().is_loopback() {
                return Err(bad(
                    "listen",
                    &format!("the demo's client needs no password, so it is taken on loopback only, not on {address}"),
                ));
            }
            sessions.push(FixSession { comp_id: DEMO_CLIENT.to_owned(), ..FixSession::default() });
        }
        let mut names = BTreeSet::new();
        if let Some(twice) = sessions.iter().find(|session| !names.insert(&session.comp_id)) {
            return Err(bad("sessions", &format!("{} is there twice", twice.comp_id)));
        }
        let own = sessions.iter().filter(|session| session.tenant.is_empty());
        let profiles: Vec<ClientProfile> = own.map(|session| profile(settings, session)).collect::<Result<_, _>>()?;
        let mut users = BTreeSet::new();
        // Reports go to the session whose user sent the order.
        if let Some(twice) = profiles.iter().find(|profile| !users.insert(profile.user_id)) {
            return Err(bad("sessions", &format!("{} has the user_id of another session", twice.config.id.target)));
        }
        let mut listener = ListenerConfig::new(address);
        if !settings.tls_certificate.is_empty() {
            let clients = Some(Path::new(&settings.tls_clients)).filter(|path| !path.as_os_str().is_empty());
            let tls = server_tls(Path::new(&settings.tls_certificate), Path::new(&settings.tls_key), clients);
            listener.tls = Some(tls.map_err(|error| bad("tls_certificate", &error))?);
        }
        Ok(Some(Self { listener, profiles }))
    }
}

fn profile(settings: &Fix, session: &FixSession) -> Result<ClientProfile, Failure> {
    let wrong = |what: &str, error: &dyn std::fmt::Display| bad(&format!("sessions: {}: {what}", session.comp_id), error);
    if session.comp_id.is_empty() || settings.comp_id.is_empty() {
        return Err(bad("sessions", &"a session needs a comp_id on both sides"));
    }
    let id = SessionId::fix44(&settings.comp_id, &session.comp_id);
    let mut config = Config::new(id.clone(), Role::Acceptor);
    config.reset_on.logon = session.reset_on_logon;
    if session.username.is_empty() != session.password.is_empty() {
        return Err(wrong("password", &"username and password go together"));
    }
    if !session.username.is_empty() {
        let password = oms_vault::resolve(&session.password).map_err(|error| wrong("password", &error))?;
        let password = password.expose_text().filter(|text| !text.is_empty()).ok_or_else(|| wrong("password", &"is no text"))?;
        config.credentials = Some(Credentials { username: session.username.clone(), password: Secret::new(password) });
    }
    let rate = session.orders_per_second.map(|per_second| Rate { per_second: per_second.max(1), burst: per_second.max(1) });
    (config.throttles.inbound, config.throttles.inbound_cancels) = (rate, rate);
    config.schedule = Hours::of_session(session).schedule().map_err(|error| wrong("opens", &error))?;
    let user_id = match session.user_id.as_str() {
        "" => user_of(&id),
        text => text.parse().map_err(|error| wrong("user_id", &error))?,
    };
    let allowed = session.allowed.iter().map(|text| text.parse()).collect::<Result<_, _>>().map_err(|error| wrong("allowed", &error))?;
    let client_certificate = match session.certificate_sha256.as_str() {
        "" => None,
        text => Some(hash(text).ok_or_else(|| wrong("certificate_sha256", &"must be 64 hexadecimal digits"))?),
    };
    if client_certificate.is_some() && settings.tls_clients.is_empty() {
        return Err(wrong("certificate_sha256", &"no certificate is asked for without fix.tls_clients"));
    }
    Ok(ClientProfile {
        config,
        user_id,
        scopes: scopes(session)?,
        copies: copies(session)?,
        account: Some(session.account.clone()).filter(|account| !account.is_empty()),
        allowed,
        client_certificate,
        cancel_after: session.cancel_on_disconnect_s.map(|seconds| Duration::from_secs(seconds.into())),
    })
}

/// When a session is open, as the settings say it.
pub(super) struct Hours<'s> {
    pub opens: &'s str,
    pub closes: &'s str,
    pub days: &'s [String],
    pub zone: &'s str,
    pub holidays: &'s [String],
}

impl<'s> Hours<'s> {
    fn of_session(session: &'s FixSession) -> Self {
        let FixSession { opens, closes, days, zone, holidays, .. } = session;
        Self { opens, closes, days, zone, holidays }
    }

    /// The schedule; `None`: always open.
    pub(super) fn schedule(&self) -> Result<Option<Schedule>, ScheduleError> {
        let Self { opens, closes, days, zone, holidays } = *self;
        if opens.is_empty() && closes.is_empty() && days.is_empty() && holidays.is_empty() {
            return Ok(None);
        }
        Schedule::read(if zone.is_empty() { "UTC" } else { zone }, opens, closes, days, holidays).map(Some)
    }
}

/// What a session may do: scopes and roles by name; what a trader may where none is given.
fn scopes(session: &FixSession) -> Result<Scopes, Failure> {
    let unknown = |name: &str| bad(&format!("sessions: {}: scopes", session.comp_id), &format!("{name:?} is neither a scope nor a role"));
    let one = |name: &String| {
        let role = name.parse::<AccountRole>().map(AccountRole::scopes);
        role.or_else(|_| name.parse().map(|scope| Scopes::of(&[scope]))).map_err(|_| unknown(name))
    };
    if session.scopes.is_empty() {
        return Ok(ClientProfile::SCOPES);
    }
    session.scopes.iter().try_fold(Scopes::NONE, |all, name| Ok(all | one(name)?))
}

/// What a drop copy is told of; `None` for a client that sends orders.
fn copies(session: &FixSession) -> Result<Option<CopyFilter>, Failure> {
    let wrong = |what: &str, error: &dyn std::fmt::Display| bad(&format!("sessions: {}: {what}", session.comp_id), error);
    match session.kind.as_str() {
        "" | "client" if session.accounts.is_empty() && session.users.is_empty() => Ok(None),
        "" | "client" => Err(wrong("accounts", &"accounts and users are what a drop copy is told of; a client has account and user_id")),
        "drop_copy" if !session.account.is_empty() || !session.user_id.is_empty() || session.cancel_on_disconnect_s.is_some() => {
            Err(wrong("kind", &"a drop copy sends no orders: it has no account, user_id or cancel_on_disconnect_s"))
        }
        "drop_copy" => {
            let users = session.users.iter().map(|text| text.parse()).collect::<Result<_, _>>().map_err(|error| wrong("users", &error))?;
            Ok(Some(CopyFilter { accounts: session.accounts.clone(), users }))
        }
        kind => Err(wrong("kind", &format!("{kind:?} is neither client nor drop_copy"))),
    }
}

fn hash(text: &str) -> Option<[u8; 32]> {
    let digits: Option<Vec<u8>> = text.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let bytes: Vec<u8> = digits?.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect();
    bytes.try_into().ok().filter(|_| text.len() == 64)
}

fn refused(error: &dyn std::fmt::Display) -> Failure {
    Failure::Refused(format!("FIX: {error}"))
}

/// The messages of all sessions, and what those of each venue tell of its orders: all in one reading of the log.
pub type Stored = (Arc<JournalStore>, Vec<Recall>);

/// The messages of all sessions, where there are any.
///
/// # Errors
/// [`Failure::Refused`].
pub fn store(desk: &Desk) -> Result<Option<Stored>, Failure> {
    if desk.fix.is_none() && desk.fix_venues.is_empty() {
        return Ok(None);
    }
    let dir = desk.fix_dir();
    let journal = EmbeddedJournal::open_dir(&dir, desk.journal.clone());
    let journal = journal.map_err(|error| refused(&format!("the message store in {}: {error}", dir.display())))?;
    let began = Instant::now();
    let (store, recalls) =
        JournalStore::open_with(Box::new(journal), desk.fix_venues.iter().map(Recall::of).collect()).map_err(|error| refused(&error))?;
    tracing::info!(took_ms = began.elapsed().as_millis(), venues = recalls.len(), "FIX messages read");
    Ok(Some((Arc::new(store), recalls)))
}

/// The sessions of one tenant that run.
pub struct Running {
    engine: Engine,
    /// What is shown of them.
    pub clients: Clients,
}

impl Running {
    /// Takes up every session where it was; they are reached once somebody [listens](listen).
    ///
    /// # Errors
    /// [`Failure::Refused`] where the store or the log does not allow it.
    pub fn open(
        desk: &Desk,
        handle: &Handle,
        history: &History,
        runtime: &tokio::runtime::Handle,
        store: Option<&Arc<JournalStore>>,
        engine: &Engine,
    ) -> Result<Option<Self>, Failure> {
        let Some((fix, store)) = desk.fix.as_ref().zip(store) else { return Ok(None) };
        let tenant_id = handle.inspect_blocking(|state, _| state.tenant_id()).map_err(|error| Failure::Fault(error.message))?;
        // However far behind a client is, its reports begin where the last one ended.
        let history = history.with_bounds(Bounds { max_events: u64::MAX, ..Bounds::default() });
        let parts = DeskParts { handle: handle.clone(), history, tenant_id };
        let clients = Clients::default();
        runtime
            .block_on(async { fix.profiles.iter().try_for_each(|profile| clients.add(engine, store, &parts, profile.clone()).map(drop)) })
            .map_err(|error| refused(&error))?;
        Ok(Some(Self { engine: engine.clone(), clients }))
    }

    /// Logs every client out.
    pub async fn stop(self) {
        self.clients.stop(&self.engine).await;
    }
}

/// Lets clients of all tenants connect; `None` where the settings take none.
///
/// # Errors
/// [`Failure::Usage`] where the address is taken.
pub fn listen(desk: &Desk, engine: &Engine, runtime: &tokio::runtime::Handle) -> Result<Option<Listener>, Failure> {
    let Some(fix) = &desk.fix else { return Ok(None) };
    let listener = runtime.block_on(engine.listen(fix.listener.clone()));
    listener.map(Some).map_err(|error| Failure::Usage(format!("fix.listen: {error}")))
}

/// A count of a session: its name, what it counts, and its figure.
type Count = (&'static str, &'static str, fn(&ClientFigures) -> &AtomicU64);

const COUNTS: [Count; 7] = [
    ("received", "Messages taken from the client.", |figures| &figures.received),
    ("sent", "Reports and answers sent to the client.", |figures| &figures.sent),
    ("refused", "Messages of the client that were refused.", |figures| &figures.refused),
    ("peer_refused", "Messages of the desk that the client refused.", |figures| &figures.peer_refused),
    ("logons", "Times that the client logged on.", |figures| &figures.logons),
    ("gaps", "Gaps in what the client sent.", |figures| &figures.gaps),
    ("resends", "Times that the client asked for messages again.", |figures| &figures.resends),
];

fn read(figures: &ClientFigures, (_, _, count): Count) -> u64 {
    count(figures).load(Ordering::Relaxed)
}

/// The sessions as the interface sees them: those with clients, and those with venues.
pub struct Shown {
    /// With clients.
    pub clients: Clients,
    /// With venues.
    pub venues: Vec<VenueSession>,
    /// What all of them said.
    pub store: Option<Arc<JournalStore>>,
}

fn shown(session: &ClientSession) -> ShownSession {
    let (next_in, next_out) = session.handle.numbers();
    ShownSession {
        kind: "CLIENT",
        client: session.id.target.clone(),
        desk: session.id.sender.clone(),
        user_id: session.user_id,
        logged_on: *session.handle.phase().borrow() == Phase::Up,
        open: session.handle.is_open(),
        next_in,
        next_out,
        counts: COUNTS.iter().map(|count| (count.0, read(&session.figures, *count))).collect(),
    }
}

impl Shown {
    /// The session of a client or a venue.
    fn handle(&self, name: &str) -> Option<SessionHandle> {
        let venue = || self.venues.iter().find(|session| session.handle.id().target == name).map(|session| session.handle.clone());
        self.clients.get(name).map(|session| session.handle.clone()).or_else(venue)
    }
}

impl FixSessions for Shown {
    fn all(&self) -> Vec<ShownSession> {
        let clients = self.clients.all();
        clients.iter().map(shown).chain(self.venues.iter().map(fix_venues::shown)).collect()
    }

    fn deeds(&self, client: &str) -> Option<Vec<FixDeed>> {
        let deed = |deed: Deed| FixDeed { at: Time(deed.at), actor: deed.actor, action: deed.action, reason: deed.reason };
        Some(self.handle(client)?.acted().into_iter().map(deed).collect())
    }

    fn messages(&self, about: &FixAbout) -> Result<FixMessages, Refusal> {
        let Some(store) = &self.store else { return Ok(FixMessages { messages: Vec::new(), complete: true }) };
        let about = About { orders: about.orders.clone(), from: about.from.0, until: about.until.0, most: about.most };
        let found = store.about(&about).map_err(|error| {
            tracing::error!(%error, "the messages of the FIX sessions cannot be read");
            Refusal::new(Code::Internal, "the messages of the FIX sessions cannot be read")
        })?;
        Ok(FixMessages { messages: found.messages.into_iter().map(told).collect(), complete: found.complete })
    }

    fn act(&self, client: &str, action: FixAction, actor: &Actor, reason: String) -> Acted {
        let session = self.clients.get(client);
        let venue = self.venues.iter().find(|session| session.handle.id().target == client).cloned();
        let key = actor.api_key_id.map(|key| format!(" with the key {key}")).unwrap_or_default();
        let actor = format!("user {}{key} by {}", actor.user_id, actor.source);
        let deed = Deed { at: SystemClock.now().0, actor, action: format!("{action:?}"), reason };
        Box::pin(async move {
            let unknown = || Refusal::new(Code::NotFound, "there is no such FIX session");
            let ended = |Ended| Refusal::new(Code::Overloaded, "the session has ended");
            let handle = session.as_ref().map(|session| &session.handle).or(venue.as_ref().map(|venue| &venue.handle));
            let handle = handle.ok_or_else(unknown)?;
            handle.note(deed).await.map_err(ended)?;
            act(handle, action).await.map_err(ended)?;
            session.as_ref().map(shown).or(venue.as_ref().map(fix_venues::shown)).ok_or_else(unknown)
        })
    }
}

/// A message as the interface shows it.
fn told(message: AboutMessage) -> FixMessage {
    let kind = message.fields.iter().find(|(tag, _)| *tag == tags::MSG_TYPE).map_or("", |(_, value)| value.as_str());
    let name = fix44().message(kind.as_bytes()).map_or("", |known| known.name.as_str()).to_owned();
    let field = |(tag, value): (i32, String)| (tag, fix44().field(tag).map_or("", |field| field.name.as_str()).to_owned(), value);
    FixMessage {
        entry: message.entry,
        client: message.session.rsplit_once("->").map_or(message.session.as_str(), |(_, client)| client).to_owned(),
        inbound: message.direction == Direction::In,
        at: message.at.map(Time),
        name,
        raw: String::from_utf8_lossy(&message.bytes).replace('\u{1}', "|"),
        fields: message.fields.into_iter().map(field).collect(),
    }
}

async fn act(handle: &SessionHandle, action: FixAction) -> Result<(), Ended> {
    match action {
        FixAction::Logon => handle.open(true),
        FixAction::Logout => {
            handle.open(false);
            handle.logout("").await?;
        }
        FixAction::Reset => handle.reset().await?,
        FixAction::Numbers { next_in, next_out } => {
            if let Some(next) = next_in {
                handle.set_next_in(next).await?;
            }
            if let Some(next) = next_out {
                handle.set_next_out(next).await?;
            }
        }
    }
    // What it came to is known once it was carried out.
    handle.settled().await
}

/// The sessions' figures for `/metrics`.
pub struct Figures(pub Clients);

impl Exposition for Figures {
    fn expose(&self, page: &mut Page) {
        let all = self.0.all();
        let labels: Vec<String> =
            all.iter().map(|session| format!("client=\"{}\"", session.id.target.replace(['"', '\\', '\n'], "_"))).collect();
        for count in COUNTS {
            let name = format!("oms_fix_{}_total", count.0);
            page.counter(&name, count.1, labels.iter().zip(&all).map(|(label, session)| (label.as_str(), read(&session.figures, count))));
        }
        let logged_on = |session: &ClientSession| u64::from(*session.handle.phase().borrow() == Phase::Up);
        let each =
            |figure: fn(&ClientSession) -> u64| labels.iter().zip(&all).map(move |(label, session)| (label.as_str(), figure(session)));
        page.gauge(
            "oms_fix_logged_on",
            "Whether the client is logged on.",
            labels.iter().zip(&all).map(|(label, session)| (label.as_str(), logged_on(session))),
        );
        page.gauge("oms_fix_next_in", "MsgSeqNum expected next.", each(|session| session.handle.numbers().0));
        page.gauge("oms_fix_next_out", "MsgSeqNum given next.", each(|session| session.handle.numbers().1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn settings(sessions: &str) -> Fix {
        let loaded = config::tests::only(&format!("[fix]\nlisten = \"127.0.0.1:0\"\n{sessions}")).unwrap();
        assert!(loaded.rows().iter().all(|(_, value, _)| !value.contains("hidden")), "a password is shown");
        loaded.settings.fix
    }

    #[test]
    fn sessions_are_what_the_settings_say() {
        let hash = "ab".repeat(32);
        let text = format!(
            "tls_clients = \"ca\"\n[[fix.sessions]]\ncomp_id = \"A\"\nusername = \"u\"\npassword = \"hidden\"\naccount = \"main\"\nallowed = [\"10.0.0.0/8\"]
certificate_sha256 = \"{hash}\"\ncancel_on_disconnect_s = 5\norders_per_second = 7\n[[fix.sessions]]\ncomp_id = \"B\"
[[fix.sessions]]\ncomp_id = \"C\"\nkind = \"drop_copy\"\naccounts = [\"main\"]"
        );
        let desk = FixDesk::of(&settings(&text), true).unwrap().unwrap();
        let [a, b, c] = desk.profiles.as_slice() else { panic!("three sessions") };
        assert!(a.copies.is_none() && c.copies.as_ref().unwrap().accounts == ["main"] && c.copies.as_ref().unwrap().users.is_empty());
        assert_eq!((a.config.id.sender.as_str(), a.config.id.target.as_str()), ("OMS", "A"));
        assert_eq!(
            (a.account.as_deref(), a.cancel_after, a.client_certificate),
            (Some("main"), Some(Duration::from_secs(5)), Some([0xab; 32]))
        );
        assert!(a.config.credentials.is_some() && a.config.throttles.inbound.is_some() && a.allowed.len() == 1);
        assert!(b.config.credentials.is_none() && b.cancel_after.is_none() && b.user_id != a.user_id);
        assert_eq!(b.scopes, ClientProfile::SCOPES);
    }

    #[test]
    fn a_session_is_of_one_tenant_and_has_the_scopes_that_it_is_given() {
        let text = "[[fix.sessions]]\ncomp_id = \"A\"\nscopes = [\"VIEWER\", \"orders:cancel\"]\n
[[fix.sessions]]\ncomp_id = \"B\"\ntenant = \"beta\"\n[[fix.venues]]\nvenue = \"XNAS\"\ntenant = \"beta\"
endpoints = [\"a:1\"]\ncomp_id = \"NAS\"\nopens = \"08:00\"\ncloses = \"17:00\"\nzone = \"America/New_York\"";
        let mut all = config::load(None, std::iter::empty()).unwrap().settings;
        all.fix = settings(text);
        let flags = crate::cli::Serve { demo: false, data: None, listen: None, fix: None, speed: None, seed: None };
        let first = Desk::of(&flags, all).unwrap();
        let names = |desk: &Desk| -> Vec<String> {
            desk.fix.iter().flat_map(|fix| &fix.profiles).map(|profile| profile.config.id.target.clone()).collect()
        };
        assert_eq!((names(&first), first.fix_venues.len()), (vec!["A".to_owned()], 0));
        let scopes = first.fix.as_ref().unwrap().profiles[0].scopes;
        assert_eq!(scopes, AccountRole::Viewer.scopes() | Scopes::of(&[oms_identity::Scope::OrdersCancel]));
        let (beta, gamma) = (first.at("tenants/beta".into()).unwrap(), first.at("tenants/gamma".into()).unwrap());
        assert_eq!((names(&beta), beta.fix_venues.len()), (vec!["B".to_owned()], 1));
        assert!(beta.fix_venues[0].config.schedule.is_some());
        assert!(gamma.fix.is_none() && gamma.fix_venues.is_empty());
        let missing = first.require_tenants().err().unwrap().to_string();
        assert!(missing.contains("fix.sessions: B: there is no tenant called \"beta\""), "{missing}");
    }

    #[test]
    fn a_demo_takes_one_client_on_loopback() {
        let mut fix = settings("");
        assert_eq!(FixDesk::of(&fix, true).unwrap().unwrap().profiles.len(), 1);
        assert!(FixDesk::of(&fix, false).unwrap().unwrap().profiles.is_empty());
        fix.listen = "0.0.0.0:1".to_owned();
        assert!(FixDesk::of(&fix, true).is_err());
        fix.listen = String::new();
        assert!(FixDesk::of(&fix, true).unwrap().is_none());
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        for (text, what) in [
            ("[[fix.sessions]]\ncomp_id = \"A\"\n[[fix.sessions]]\ncomp_id = \"A\"", "A is there twice"),
            ("[[fix.sessions]]\nusername = \"u\"", "comp_id"),
            ("[[fix.sessions]]\ncomp_id = \"A\"\nusername = \"u\"", "password"),
            ("[[fix.sessions]]\ncomp_id = \"A\"\nallowed = [\"x\"]", "allowed"),
            ("[[fix.sessions]]\ncomp_id = \"A\"\n[[fix.sessions]]\ncomp_id = \"A\"\ntenant = \"b\"", "A is there twice"),
            ("[[fix.sessions]]\ncomp_id = \"A\"\nscopes = [\"orders:fly\"]", "\"orders:fly\" is neither a scope nor a role"),
            ("[[fix.sessions]]\ncomp_id = \"A\"\nuser_id = \"x\"", "user_id"),
            ("tls_clients = \"c\"\n[[fix.sessions]]\ncomp_id = \"A\"\ncertificate_sha256 = \"zz\"", "64 hexadecimal"),
            ("[[fix.sessions]]\ncomp_id = \"A\"\ncertificate_sha256 = \"zz\"", "certificate"),
            ("[[fix.sessions]]\ncomp_id = \"A\"\nkind = \"x\"", "drop_copy"),
            ("[[fix.sessions]]\ncomp_id = \"A\"\nusers = [\"x\"]", "drop copy"),
            ("[[fix.sessions]]\ncomp_id = \"A\"\nkind = \"drop_copy\"\nusers = [\"x\"]", "users"),
            ("[[fix.sessions]]\ncomp_id = \"A\"\nkind = \"drop_copy\"\naccount = \"x\"", "sends no orders"),
            ("[[fix.sessions]]\ncomp_id = \"A\"\nopens = \"8\"", "08:00"),
            ("[[fix.sessions]]\ncomp_id = \"A\"\nopens = \"08:00\"\ncloses = \"FRI 17:00\"", "opens"),
            ("[[fix.sessions]]\ncomp_id = \"A\"\nopens = \"08:00\"\ncloses = \"17:00\"\nzone = \"X/Y\"", "time zone"),
            ("tls_certificate = \"nowhere\"\n[[fix.sessions]]\ncomp_id = \"A\"", "nowhere"),
        ] {
            let error = FixDesk::of(&settings(text), false).err().unwrap().to_string();
            assert!(error.contains(what), "{text}: {error}");
        }
    }
}
