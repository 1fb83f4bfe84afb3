//! Venues that speak FIX: from settings to ports.

use super::fix::{Hours, Stored};
use super::settings::Desk;
use crate::config::{Fix, FixDropCopy, FixVenue};
use crate::exit::Failure;
use oms_api::fix::FixSession as ShownSession;
use oms_api::metrics::Page;
use oms_api::{Exposition, Probe};
use oms_fix::session::Phase;
use oms_fix::session::config::{Config, Credentials, Role, Secret, SessionId};
use oms_fix::session::throttle::Rate;
use oms_fix::transport::{Endpoint, Engine, Reconnect, SessionHandle, client_tls};
use oms_fix::venue::{Dialect, DropCopyProfile, FixPort, PortParts, VenueFigures, VenueProfile, VenueSession};
use oms_model::{Mic, UserId};
use oms_runtime::port::VenuePort;
use oms_runtime::{Handle, SystemClock};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::runtime::Runtime;

/// Between attempts to connect: a venue is wanted back soon.
const RECONNECT: Reconnect =
    Reconnect { first: Duration::from_millis(200), longest: Duration::from_secs(10), attempt: Duration::from_secs(5) };
/// How long the sessions may take to log out.
const LEAVE_WITHIN: Duration = Duration::from_secs(6);

/// Reads the settings of the tenant whose venues name none.
///
/// # Errors
/// [`Failure::Usage`] naming the venue and the setting.
pub fn profiles(settings: &Fix) -> Result<Vec<VenueProfile>, Failure> {
    let own = settings.venues.iter().filter(|venue| venue.tenant.is_empty());
    let all: Vec<VenueProfile> = own.map(|venue| profile(settings, venue)).collect::<Result<_, _>>()?;
    let (mut venues, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for profile in &all {
        let copy = profile.drop_copy.as_ref().map(|copy| &copy.config.id);
        let twice = !venues.insert(profile.venue) || !std::iter::once(&profile.config.id).chain(copy).all(|id| ids.insert(id.clone()));
        if twice {
            return Err(Failure::Usage(format!("fix.venues: {}: the venue, or one of its sessions, is there twice", profile.venue)));
        }
    }
    Ok(all)
}

fn profile(settings: &Fix, venue: &FixVenue) -> Result<VenueProfile, Failure> {
    let wrong = |what: &str, error: &dyn std::fmt::Display| Failure::Usage(format!("fix.venues: {}: {what}: {error}", venue.venue));
    let mic: Mic = venue.venue.parse().map_err(|error| wrong("venue", &error))?;
    let dialect = match (venue.dialect.as_str(), venue.dialect_file.as_str()) {
        (text, "") => text.to_owned(),
        ("", path) => std::fs::read_to_string(path).map_err(|error| wrong("dialect_file", &format!("{path}: {error}")))?,
        _ => return Err(wrong("dialect", &"it is given here and in a file")),
    };
    let dialect = Dialect::parse(&dialect).map_err(|error| wrong("dialect", &error))?;
    let endpoints = endpoints(venue, &venue.endpoints).map_err(|error| wrong("endpoints", &error))?;
    let first = endpoints.first().cloned().ok_or_else(|| wrong("endpoints", &"there is none"))?;
    let mut config = session(settings, &venue.comp_id, &venue.own_comp_id, &venue.username, &venue.password)
        .map_err(|error| wrong("comp_id", &error))?;
    config.reset_on.logon = venue.reset_on_logon;
    config.heart_bt_int = venue.heartbeat_s.unwrap_or(config.heart_bt_int);
    let FixVenue { opens, closes, days, zone, holidays, .. } = venue;
    config.schedule = Hours { opens, closes, days, zone, holidays }.schedule().map_err(|error| wrong("opens", &error))?;
    let rate = |per_second: Option<u32>| per_second.map(|rate| Rate { per_second: rate.max(1), burst: rate.max(1) });
    (config.throttles.out, config.throttles.out_cancels) = (rate(venue.orders_per_second), rate(venue.cancels_per_second));
    let mut profile = VenueProfile::new(mic, config, first, dialect);
    (profile.endpoints, profile.reconnect) = (endpoints, RECONNECT);
    profile.account = Some(venue.account.clone()).filter(|account| !account.is_empty());
    profile.patience = venue.patience_ms.map_or(profile.patience, Duration::from_millis);
    profile.drop_copy = match &venue.drop_copy {
        Some(copy) => Some(drop_copy(settings, venue, copy).map_err(|error| wrong("drop_copy", &error))?),
        None => None,
    };
    Ok(profile)
}

fn drop_copy(settings: &Fix, venue: &FixVenue, copy: &FixDropCopy) -> Result<DropCopyProfile, String> {
    let config = session(settings, &copy.comp_id, &copy.own_comp_id, &copy.username, &copy.password)?;
    let endpoints = endpoints(venue, &copy.endpoints)?;
    if endpoints.is_empty() {
        return Err("it has no endpoints".to_owned());
    }
    Ok(DropCopyProfile { config, endpoints, reconnect: RECONNECT })
}

fn session(settings: &Fix, comp_id: &str, own: &str, username: &str, password: &str) -> Result<Config, String> {
    let own = if own.is_empty() { &settings.comp_id } else { own };
    if own.is_empty() || comp_id.is_empty() {
        return Err("a session needs a comp_id on both sides".to_owned());
    }
    let mut config = Config::new(SessionId::fix44(own, comp_id), Role::Initiator);
    config.credentials = (!username.is_empty()).then(|| Credentials { username: username.to_owned(), password: Secret::new(password) });
    Ok(config)
}

fn endpoints(venue: &FixVenue, addresses: &[String]) -> Result<Vec<Endpoint>, String> {
    if venue.tls_roots.is_empty() {
        return Ok(addresses.iter().map(|address| Endpoint::plain(address)).collect());
    }
    let own = (!venue.tls_certificate.is_empty()).then_some((Path::new(&venue.tls_certificate), Path::new(&venue.tls_key)));
    let tls = client_tls(Path::new(&venue.tls_roots), own).map_err(|error| error.to_string())?;
    addresses.iter().map(|address| Endpoint::encrypted(address, tls.clone(), &venue.tls_name)).collect()
}

/// The sessions, and the ports to their venues.
pub type Opened = (FixVenues, Vec<Box<dyn VenuePort>>);

/// The sessions that run. They have threads of their own, so that they outlive the interface at the end.
pub struct FixVenues {
    runtime: Runtime,
    engine: Engine,
    /// What is shown of them.
    pub sessions: Vec<VenueSession>,
}

impl FixVenues {
    /// Takes up every session where it was, and connects. Nothing where no venue speaks FIX.
    ///
    /// # Errors
    /// [`Failure::Refused`] where the message store or a session does not allow it.
    pub fn open(desk: &Desk, handle: &Handle, stored: Option<Stored>) -> Result<Option<Opened>, Failure> {
        let Some((store, recalls)) = stored.filter(|_| !desk.fix_venues.is_empty()) else { return Ok(None) };
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let built = builder.worker_threads(desk.fix_venues.len().min(2)).thread_name("fix-venues").enable_all().build();
        let runtime = built.map_err(|error| Failure::Fault(format!("no threads for the venues: {error}")))?;
        let engine = Engine::new();
        let parts = PortParts { engine: engine.clone(), runtime: runtime.handle().clone(), store, clock: Arc::new(SystemClock) };
        let (mut ports, mut sessions): (Vec<Box<dyn VenuePort>>, _) = (Vec::new(), Vec::new());
        for (profile, recall) in desk.fix_venues.iter().zip(recalls) {
            let port = FixPort::open(profile.clone(), recall, &parts, Arc::new(handle.clone()));
            let port = port.map_err(|error| Failure::Refused(format!("FIX venue {}: {error}", profile.venue)))?;
            sessions.extend(port.sessions());
            ports.push(Box::new(port));
        }
        Ok(Some((Self { runtime, engine, sessions }, ports)))
    }

    /// Logs out of every session, all at once.
    pub fn stop(self) {
        let Self { runtime, engine, .. } = self;
        runtime.block_on(async {
            let mut leaving = tokio::task::JoinSet::new();
            for id in engine.ids() {
                let engine = engine.clone();
                leaving.spawn(async move { engine.remove(&id).await });
            }
            // One that does not answer is left; its orders are asked about at the next start.
            let _ = tokio::time::timeout(LEAVE_WITHIN, async { while leaving.join_next().await.is_some() {} }).await;
        });
        runtime.shutdown_timeout(Duration::from_secs(1));
    }
}

/// Whether a session is known to be good.
struct LoggedOn {
    name: String,
    handle: SessionHandle,
}

impl Probe for LoggedOn {
    fn name(&self) -> &str {
        &self.name
    }

    fn check(&self) -> Result<(), String> {
        match *self.handle.phase().borrow() {
            _ if self.handle.has_ended() => Err("it has ended: its message store has failed".to_owned()),
            Phase::Up => Ok(()),
            phase => Err(format!("it is not logged on ({phase:?})")),
        }
    }
}

/// A probe for each session.
#[must_use]
pub fn probes(sessions: &[VenueSession]) -> Vec<Box<dyn Probe>> {
    let probe = |session: &VenueSession| -> Box<dyn Probe> {
        let kind = if session.is_drop_copy { "drop copy" } else { "session" };
        Box::new(LoggedOn { name: format!("FIX {kind} {}", session.venue), handle: session.handle.clone() })
    };
    sessions.iter().map(probe).collect()
}

/// A count of a venue: its name, what it counts, and its figure.
type Count = (&'static str, &'static str, fn(&VenueFigures) -> &AtomicU64);

const COUNTS: [Count; 13] = [
    ("received", "Messages taken from the venue.", |figures| &figures.received),
    ("sent", "Orders and requests handed to the venue.", |figures| &figures.sent),
    ("refused", "Messages of the venue that were refused.", |figures| &figures.refused),
    ("peer_refused", "Messages of the desk that the venue refused as messages.", |figures| &figures.peer_refused),
    ("logons", "Times that the desk logged on.", |figures| &figures.logons),
    ("gaps", "Gaps in what the venue sent.", |figures| &figures.gaps),
    ("resends", "Times that the venue asked for messages again.", |figures| &figures.resends),
    ("not_sent", "Orders and requests given up before they left.", |figures| &figures.not_sent),
    ("never_arrived", "Orders and requests that the venue proved never to have had.", |figures| &figures.never_arrived),
    ("unanswered", "Questions that the venue did not answer in time, or not wholly.", |figures| &figures.unanswered),
    ("dont_know", "Trades that the venue was told not to be known.", |figures| &figures.dont_know),
    ("drop_copy_found", "Executions that the drop copy told first.", |figures| &figures.drop_copy_found),
    ("drop_copy_breaks", "Executions that the drop copy tells with other figures.", |figures| &figures.drop_copy_breaks),
];

/// A session as the interface shows it.
#[must_use]
pub fn shown(session: &VenueSession) -> ShownSession {
    let (next_in, next_out) = session.handle.numbers();
    ShownSession {
        kind: if session.is_drop_copy { "DROP_COPY" } else { "VENUE" },
        client: session.handle.id().target.clone(),
        desk: session.handle.id().sender.clone(),
        user_id: UserId::default(),
        logged_on: *session.handle.phase().borrow() == Phase::Up,
        open: session.handle.is_open() && !session.handle.has_ended(),
        next_in,
        next_out,
        // Those that sessions with clients have too; the metrics have all.
        counts: COUNTS.iter().take(7).map(|count| (count.0, (count.2)(&session.figures).load(Ordering::Relaxed))).collect(),
    }
}

/// The venues' figures for `/metrics`.
pub struct Figures(pub Vec<VenueSession>);

impl Exposition for Figures {
    fn expose(&self, page: &mut Page) {
        let venues: Vec<(String, &VenueSession)> = self
            .0
            .iter()
            .filter(|session| !session.is_drop_copy)
            .map(|session| (format!("venue=\"{}\"", session.venue), session))
            .collect();
        for (name, help, figure) in COUNTS {
            let figures = venues.iter().map(|(label, session)| (label.as_str(), figure(&session.figures).load(Ordering::Relaxed)));
            page.counter(&format!("oms_fix_venue_{name}_total"), help, figures);
        }
        let kind = |session: &VenueSession| if session.is_drop_copy { "drop_copy" } else { "orders" };
        let all: Vec<(String, &VenueSession)> =
            self.0.iter().map(|session| (format!("venue=\"{}\",session=\"{}\"", session.venue, kind(session)), session)).collect();
        let each = |figure: fn(&VenueSession) -> u64| all.iter().map(move |(label, session)| (label.as_str(), figure(session)));
        let logged_on = |session: &VenueSession| u64::from(*session.handle.phase().borrow() == Phase::Up);
        page.gauge("oms_fix_venue_logged_on", "Whether the desk is logged on.", each(logged_on));
        page.gauge("oms_fix_venue_next_in", "MsgSeqNum expected next.", each(|session| session.handle.numbers().0));
        page.gauge("oms_fix_venue_next_out", "MsgSeqNum given next.", each(|session| session.handle.numbers().1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn read(venues: &str) -> Result<Vec<VenueProfile>, Failure> {
        let loaded = config::tests::only(venues)?;
        assert!(loaded.rows().iter().all(|(_, value, _)| !value.contains("hidden")), "a password is shown");
        profiles(&loaded.settings.fix)
    }

    #[test]
    fn venues_are_what_the_settings_say() {
        let text = "[[fix.venues]]\nvenue = \"XNAS\"\nendpoints = [\"a:1\", \"b:2\"]\ncomp_id = \"NAS\"\nusername = \"u\"\npassword = \"hidden\"
account = \"ACC\"\nheartbeat_s = 5\norders_per_second = 7\npatience_ms = 300\ndialect = \"\"\"\nmass_status yes\nmax_order_qty 500\n\"\"\"
drop_copy = { endpoints = [\"a:3\"], comp_id = \"NAS-DC\" }\n[[fix.venues]]\nvenue = \"BATS\"\nendpoints = [\"c:1\"]\ncomp_id = \"BAT\"\nown_comp_id = \"US\"";
        let all = read(text).unwrap();
        let [nas, bats] = all.as_slice() else { panic!("two venues") };
        assert_eq!((nas.venue, nas.endpoints.len(), nas.account.as_deref()), (Mic::of(b"XNAS"), 2, Some("ACC")));
        assert_eq!((nas.config.id.sender.as_str(), nas.config.id.target.as_str()), ("OMS", "NAS"));
        assert!(nas.config.credentials.is_some() && nas.config.throttles.out.is_some() && nas.config.throttles.out_cancels.is_none());
        assert!(nas.dialect.can.mass_status && nas.dialect.can.max_order_qty.is_some() && nas.config.keeps_evidence);
        assert_eq!((nas.config.heart_bt_int, nas.patience), (5, Duration::from_millis(300)));
        assert_eq!(nas.drop_copy.as_ref().unwrap().config.id, SessionId::fix44("OMS", "NAS-DC"));
        assert_eq!((bats.config.id.sender.as_str(), bats.drop_copy.is_none()), ("US", true));
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        let good = "endpoints = [\"a:1\"]\ncomp_id = \"A\"\n";
        for (text, what) in [
            (format!("[[fix.venues]]\nvenue = \"nas\"\n{good}"), "nas: venue: is not a market identifier code"),
            ("[[fix.venues]]\nvenue = \"XNAS\"\ncomp_id = \"A\"".to_owned(), "XNAS: endpoints: there is none"),
            ("[[fix.venues]]\nvenue = \"XNAS\"\nendpoints = [\"a:1\"]".to_owned(), "XNAS: comp_id: a session needs"),
            (format!("[[fix.venues]]\nvenue = \"XNAS\"\n{good}dialect = \"up down\""), "XNAS: dialect: line 1: there is no rule \"up\""),
            (format!("[[fix.venues]]\nvenue = \"XNAS\"\n{good}dialect_file = \"nowhere\""), "XNAS: dialect_file: nowhere"),
            (format!("[[fix.venues]]\nvenue = \"XNAS\"\n{good}opens = \"8\""), "XNAS: opens: "),
            (format!("[[fix.venues]]\nvenue = \"XNAS\"\n{good}tls_roots = \"nowhere\""), "XNAS: endpoints: nowhere"),
            (format!("[[fix.venues]]\nvenue = \"XNAS\"\n{good}drop_copy = {{ comp_id = \"D\" }}"), "XNAS: drop_copy: it has no endpoints"),
            (format!("[[fix.venues]]\nvenue = \"XNAS\"\n{good}[[fix.venues]]\nvenue = \"XNAS\"\n{good}"), "XNAS: the venue, or one"),
            (format!("[[fix.venues]]\nvenue = \"XNAS\"\n{good}[[fix.venues]]\nvenue = \"BATS\"\n{good}"), "BATS: the venue, or one"),
        ] {
            let error = read(&text).err().unwrap().to_string();
            assert!(error.contains(what), "{text}: {error}");
        }
    }
}
