//! Gateways of Interactive Brokers: from settings to ports.

use super::ib_books::DeskBooks;
use super::settings::Desk;
use super::{ib_breaks, ib_messages};
use crate::config::{self, Ib, IbVenue};
use crate::exit::Failure;
use oms_api::brokers::{
    BreakAsked, BreakDeed, Broker, BrokerAbout, BrokerAction, BrokerBreak, BrokerMessages, BrokerPosition, BrokerPreview, BrokerRun,
    BrokerValue, Brokers, ForeignOrder, IdempotencyKey,
};
use oms_api::metrics::Page;
use oms_api::{Exposition, Probe};
use oms_ib::codec::{Contract, Number};
use oms_ib::connector::config::{Config, Offer, Window, is_paper};
use oms_ib::connector::contract::{Exchanges, contract};
use oms_ib::connector::{Figures as Counts, LinkState, Subscribed, WhatIf};
use oms_ib::port::{Contracts, IbHandle, IbPort, PortParts};
use oms_model::command::Actor;
use oms_model::{Code, InstrumentId, Mic, Refusal, Symbol};
use oms_runtime::port::{VenuePort, WireOrder};
use oms_runtime::{Clock as _, Handle, MarketBook, SystemClock};
use oms_store::EmbeddedJournal;
use oms_store::views::ViewReader;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Messages in a second that a gateway takes at most.
const MOST_PER_SECOND: usize = 50;

/// A gateway as it is to be connected to.
#[derive(Clone, Debug)]
pub struct IbProfile {
    /// What its connector is told.
    pub config: Config,
    /// Host and port.
    pub address: String,
    /// Where things are traded that are not sent to an exchange by name.
    pub exchanges: Exchanges,
    /// Instruments whose quotes are taken from it.
    pub market_data: Vec<Symbol>,
}

/// Reads the settings.
///
/// # Errors
/// [`Failure::Usage`] naming the venue and the setting.
pub fn profiles(settings: &Ib) -> Result<Vec<IbProfile>, Failure> {
    let all: Vec<IbProfile> = settings.venues.iter().map(profile).collect::<Result<_, _>>()?;
    let (mut venues, mut clients) = (BTreeSet::new(), BTreeSet::new());
    for profile in &all {
        if !venues.insert(profile.config.venue) || !clients.insert((profile.address.clone(), profile.config.client_id)) {
            return Err(Failure::Usage(format!("ib.venues: {}: the venue, or its client id, is there twice", profile.config.venue)));
        }
    }
    Ok(all)
}

fn profile(venue: &IbVenue) -> Result<IbProfile, Failure> {
    let wrong = |what: &str, error: &dyn std::fmt::Display| Failure::Usage(format!("ib.venues: {}: {what}: {error}", venue.venue));
    let mic: Mic = venue.venue.parse().map_err(|error| wrong("venue", &error))?;
    if venue.port == 0 {
        return Err(wrong("port", &"there is none: 4002 is a Gateway's for paper accounts"));
    }
    // Client 0 would take over what people enter.
    if venue.client_id < 1 {
        return Err(wrong("client_id", &format!("{} is not 1 to 2147483647", venue.client_id)));
    }
    if venue.account.is_empty() {
        return Err(wrong("account", &"there is none"));
    }
    if !is_paper(&venue.account) && !venue.live {
        return Err(wrong("account", &format!("{} is a live account: orders there are real. It needs live = true", venue.account)));
    }
    if is_paper(&venue.account) && venue.live {
        return Err(wrong("live", &format!("{} is a paper account", venue.account)));
    }
    let offer = match venue.dialect.as_str() {
        "" | "protobuf" => Offer::Proto,
        "text" => Offer::Text,
        other => return Err(wrong("dialect", &format!("{other:?} is none of protobuf, text"))),
    };
    let mut config =
        Config { offer, is_live: venue.live, short_as_sell: venue.short_as_sell, ..Config::new(mic, venue.client_id, &venue.account) };
    if let Some(most) = venue.messages_per_second {
        if !(10..=MOST_PER_SECOND).contains(&most) {
            return Err(wrong("messages_per_second", &format!("{most} is not 10 to {MOST_PER_SECOND}")));
        }
        config.timing.per_second = most;
    }
    config.timing.patience = venue.patience_ms.map_or(config.timing.patience, |ms| i64::from(ms) * 1_000_000);
    config.window = if venue.restart_utc.is_empty() { None } else { Some(window(venue)?) };
    // Several desks on one machine do not knock at the same moment.
    config.seed = SystemClock.now().0.unsigned_abs() ^ u64::from(std::process::id());
    let market_data = venue.market_data.iter().map(|symbol| Symbol::new(symbol)).collect::<Result<_, _>>();
    let host = if venue.host.is_empty() { "127.0.0.1" } else { &venue.host };
    Ok(IbProfile {
        config,
        address: format!("{host}:{}", venue.port),
        exchanges: exchanges(venue),
        market_data: market_data.map_err(|error| wrong("market_data", &error))?,
    })
}

fn exchanges(venue: &IbVenue) -> Exchanges {
    let mut exchanges = Exchanges::default();
    for (own, given) in [
        (&mut exchanges.listed, &venue.exchange),
        (&mut exchanges.futures, &venue.futures_exchange),
        (&mut exchanges.fx, &venue.fx_exchange),
        (&mut exchanges.crypto, &venue.crypto_exchange),
    ] {
        if !given.is_empty() {
            own.clone_from(given);
        }
    }
    exchanges
}

fn window(venue: &IbVenue) -> Result<Window, Failure> {
    let key = format!("ib.venues: {}: restart_utc", venue.venue);
    let (from, to) =
        venue.restart_utc.split_once('-').ok_or_else(|| Failure::Usage(format!("{key}: is not two times such as 04:40-05:00")))?;
    let second = |text: &str| config::day_second(&key, text.trim()).map(|second| u32::try_from(second).unwrap_or(0));
    Ok(Window { from_s: second(from)?, to_s: second(to)? })
}

/// What the broker calls the desk's instruments.
struct Listed {
    handle: Handle,
    exchanges: Exchanges,
}

impl Contracts for Listed {
    fn contract(&self, instrument: InstrumentId, symbol: &Symbol) -> Result<Contract, String> {
        let known = self.handle.inspect_blocking(move |state, _| state.instrument(instrument).cloned());
        let known = known.map_err(|refusal| refusal.message)?.ok_or_else(|| format!("instrument {symbol} is not listed"))?;
        contract(&known, &self.exchanges).map_err(|error| error.to_string())
    }
}

/// The connectors that run, each in a thread of its own.
pub struct IbVenues {
    /// What is shown of them, and how they are steered.
    pub handles: Vec<IbHandle>,
}

impl IbVenues {
    /// Reads each connector's log, and connects.
    ///
    /// # Errors
    /// [`Failure::Refused`] where a log or a thread does not allow it.
    pub fn open(
        desk: &Desk,
        handle: &Handle,
        market: &Arc<MarketBook>,
        views: &ViewReader,
    ) -> Result<(Self, Vec<Box<dyn VenuePort>>), Failure> {
        let (mut ports, mut handles): (Vec<Box<dyn VenuePort>>, _) = (Vec::new(), Vec::new());
        for profile in &desk.ib_venues {
            let venue = profile.config.venue;
            let refused = |error: &dyn std::fmt::Display| Failure::Refused(format!("IB venue {venue}: {error}"));
            let dir = desk.ib_dir().join(venue.as_str());
            std::fs::create_dir_all(desk.ib_dir()).map_err(|error| refused(&error))?;
            let journal = EmbeddedJournal::open_dir(&dir, desk.journal.clone()).map_err(|error| refused(&error))?;
            let parts = PortParts {
                journal: Box::new(journal),
                clock: Arc::new(SystemClock),
                reports: Arc::new(handle.clone()),
                market: Some(market.clone()),
                contracts: Arc::new(Listed { handle: handle.clone(), exchanges: profile.exchanges.clone() }),
                books: Arc::new(DeskBooks { handle: handle.clone(), views: views.clone(), venue, exchanges: profile.exchanges.clone() }),
            };
            let port = IbPort::open(profile.config.clone(), &profile.address, parts).map_err(|error| refused(&error))?;
            let ib = port.handle();
            if !ib.subscribe(subscriptions(handle, profile)?) {
                return Err(refused(&"the connector has ended"));
            }
            handles.push(ib);
            ports.push(Box::new(port));
        }
        Ok((Self { handles }, ports))
    }

    /// Ends every connector.
    pub fn stop(self) {
        self.handles.iter().for_each(IbHandle::stop);
    }
}

/// The instruments whose quotes are taken from a gateway. One that is not listed yet has none until the next start.
fn subscriptions(handle: &Handle, profile: &IbProfile) -> Result<Vec<Subscribed>, Failure> {
    let wanted = profile.market_data.clone();
    let listed = handle.inspect_blocking(move |state, _| {
        state.instruments().iter().filter(|instrument| wanted.contains(&instrument.symbol)).cloned().collect::<Vec<_>>()
    });
    let mut subscribed = Vec::new();
    for instrument in listed.map_err(|refusal| Failure::Fault(refusal.message))? {
        match contract(&instrument, &profile.exchanges) {
            Ok(contract) => subscribed.push(Subscribed { instrument: instrument.instrument_id, contract }),
            Err(error) => tracing::warn!(venue = %profile.config.venue, symbol = %instrument.symbol, %error, "no market data"),
        }
    }
    Ok(subscribed)
}

/// The gateways as the interface shows and steers them.
pub struct Shown(Vec<IbHandle>);

impl Shown {
    /// Those that run, where there are any.
    #[must_use]
    pub fn of(handles: &[IbHandle]) -> Option<Box<dyn Brokers>> {
        (!handles.is_empty()).then(|| Box::new(Self(handles.to_vec())) as Box<dyn Brokers>)
    }

    fn named(&self, broker: &str) -> Result<&IbHandle, Refusal> {
        let handle = self.0.iter().find(|handle| handle.venue.as_str() == broker);
        handle.ok_or_else(|| Refusal::new(Code::NotFound, "there is no such broker"))
    }
}

fn shown(handle: &IbHandle) -> Broker {
    let status = handle.status();
    let foreign = |order: oms_ib::connector::ForeignOrder| ForeignOrder {
        perm_id: order.perm_id.to_string(),
        client_id: order.client_id,
        account: order.account,
        symbol: order.symbol,
        action: order.action,
        order_type: order.order_type,
        quantity: order.quantity,
        filled: order.filled,
        status: order.status,
    };
    let (positions, positions_whole) = status.positions;
    let position = |held: oms_ib::connector::HeldPosition| BrokerPosition {
        account: held.account,
        symbol: held.contract.symbol,
        sec_type: held.contract.sec_type,
        currency: held.contract.currency,
        quantity: held.quantity.to_string(),
        avg_cost: held.avg_cost.to_string(),
    };
    let value = |figure: oms_ib::connector::AccountFigure| BrokerValue { key: figure.key, currency: figure.currency, value: figure.value };
    Broker {
        broker: handle.venue.to_string(),
        kind: "IB",
        address: handle.address.clone(),
        account: handle.account.clone(),
        live: !handle.is_paper(),
        client_id: handle.client_id,
        state: status.state.as_str(),
        reason: status.reason,
        version: status.version,
        accounts: status.accounts,
        live_orders: status.live_orders as u64,
        missing_orders: status.missing_orders as u64,
        executions_missing: status.has_hole,
        positions_whole,
        counts: COUNTS.iter().map(|(name, _, figure)| (*name, figure(&status.figures))).collect(),
        foreign_orders: status.foreign.into_iter().map(foreign).collect(),
        positions: positions.into_iter().map(position).collect(),
        values: status.values.into_iter().map(value).collect(),
    }
}

impl Brokers for Shown {
    fn all(&self) -> Vec<Broker> {
        self.0.iter().map(shown).collect()
    }

    fn what_if(&self, broker: &str, leg: &WireOrder) -> Option<Result<BrokerPreview, String>> {
        let handle = self.named(broker).ok()?;
        Some(handle.what_if(leg).map(|said| previewed(&said)))
    }

    fn act(&self, broker: &str, action: BrokerAction, actor: &Actor, reason: &str) -> Result<(), Refusal> {
        let handle = self.named(broker)?;
        let taken = match action {
            BrokerAction::Connect => handle.connect(),
            BrokerAction::Disconnect => handle.disconnect(&format!("user {} took it down: {reason}", actor.user_id)),
        };
        if taken { Ok(()) } else { Err(Refusal::new(Code::Overloaded, "the connection has ended, or too much waits for it")) }
    }

    fn messages(&self, about: &BrokerAbout) -> Result<BrokerMessages, Refusal> {
        ib_messages::about(&self.0, about)
    }

    fn runs(&self, broker: &str) -> Option<Vec<BrokerRun>> {
        self.named(broker).ok().map(ib_breaks::runs)
    }

    fn breaks(&self, broker: &str) -> Option<Vec<BrokerBreak>> {
        self.named(broker).ok().map(ib_breaks::breaks)
    }

    fn reconcile(&self, broker: &str, actor: &Actor, reason: &str, key: Option<IdempotencyKey>) -> Result<(BrokerRun, bool), Refusal> {
        ib_breaks::reconcile(self.named(broker)?, actor, reason, key)
    }

    fn on_break(&self, broker: &str, actor: &Actor, asked: BreakAsked) -> Result<(BreakDeed, bool), Refusal> {
        ib_breaks::on_break(self.named(broker)?, actor, asked)
    }
}

fn previewed(said: &WhatIf) -> BrokerPreview {
    let text = |figure: Option<Number>| figure.map(|figure| figure.to_string());
    BrokerPreview {
        init_margin_change: text(said.init_margin_change),
        maint_margin_change: text(said.maint_margin_change),
        init_margin_after: text(said.init_margin_after),
        maint_margin_after: text(said.maint_margin_after),
        equity_with_loan_after: text(said.equity_after),
        commission: text(said.commission),
        min_commission: text(said.min_commission),
        max_commission: text(said.max_commission),
        commission_currency: said.commission_currency.clone(),
        warning: said.warning.clone(),
    }
}

/// Whether a gateway is known to be good.
struct Reconciled(IbHandle, String);

impl Probe for Reconciled {
    fn name(&self) -> &str {
        &self.1
    }

    fn check(&self) -> Result<(), String> {
        let status = self.0.status();
        match status.state {
            _ if self.0.has_ended() => Err("it has ended: its log has failed".to_owned()),
            LinkState::Up | LinkState::Disconnected => Ok(()),
            state => Err(format!("{}: {}", state.as_str(), status.reason)),
        }
    }
}

/// A probe for each gateway.
pub fn probes(handles: &[IbHandle]) -> impl Iterator<Item = Box<dyn Probe>> + '_ {
    handles.iter().map(|handle| -> Box<dyn Probe> { Box::new(Reconciled(handle.clone(), format!("IB {}", handle.venue))) })
}

/// A count of a connector: its name, what it counts, and its figure.
type Count = (&'static str, &'static str, fn(&Counts) -> u64);

/// Every count.
pub const COUNTS: [Count; 15] = [
    ("attempts", "Attempts to connect to the gateway.", |figures| figures.attempts),
    ("sessions", "Sessions that have begun.", |figures| figures.sessions),
    ("lost", "Times that orders could not be sent any more.", |figures| figures.lost),
    ("frozen", "Times that the gateway fell silent.", |figures| figures.frozen),
    ("received", "Messages of the gateway.", |figures| figures.received),
    ("unknown", "Messages of the gateway whose ids are not known.", |figures| figures.unknown),
    ("unreadable", "Messages of the gateway that could not be read; above zero is a fault.", |figures| figures.unreadable),
    ("orders", "Orders and new terms that left.", |figures| figures.orders),
    ("cancels", "Cancels that left.", |figures| figures.cancels),
    ("not_sent", "Orders and requests given up before they left.", |figures| figures.not_sent),
    ("never_arrived", "Orders that the broker proved never to have had.", |figures| figures.never_arrived),
    ("looks", "Looks at everything that there is at the gateway.", |figures| figures.looks),
    ("unfinished", "Looks whose lists did not end in time.", |figures| figures.unfinished),
    ("foreign", "Executions in the account that are not the desk's.", |figures| figures.foreign),
    ("paced", "Times that the gateway wanted fewer messages.", |figures| figures.paced),
];

/// The connectors' figures for `/metrics`.
pub struct Figures(pub Vec<IbHandle>);

impl Exposition for Figures {
    fn expose(&self, page: &mut Page) {
        let all: Vec<(String, Counts, bool)> = self
            .0
            .iter()
            .map(|handle| {
                let status = handle.status();
                (format!("venue=\"{}\"", handle.venue), status.figures, status.state == LinkState::Up)
            })
            .collect();
        for (name, help, figure) in COUNTS {
            page.counter(&format!("oms_ib_{name}_total"), help, all.iter().map(|(label, figures, _)| (label.as_str(), figure(figures))));
        }
        let up = all.iter().map(|(label, _, up)| (label.as_str(), u64::from(*up)));
        let open: Vec<u64> = self.0.iter().map(|handle| handle.status().book.open() as u64).collect();
        let breaks = all.iter().zip(&open).map(|((label, _, _), open)| (label.as_str(), *open));
        page.gauge("oms_ib_breaks", "Breaks of the reconciliation that are open.", breaks);
        page.gauge("oms_ib_up", "Whether the gateway is reconciled and orders may be sent.", up);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<IbProfile>, Failure> {
        profiles(&config::tests::only(text)?.settings.ib)
    }

    const GOOD: &str = "[[ib.venues]]\nvenue = \"IBKR\"\nport = 4002\nclient_id = 7\naccount = \"DU1\"\n";

    #[test]
    fn gateways_are_what_the_settings_say() {
        let more =
            "dialect = \"text\"\nexchange = \"NYSE\"\nmarket_data = [\"IBM\"]\nmessages_per_second = 20\nrestart_utc = \"23:40-00:10\"\n";
        let all = read(&format!(
            "{GOOD}{more}[[ib.venues]]\nvenue = \"IBLV\"\nhost = \"gw\"\nport = 4001\nclient_id = 7\naccount = \"U7\"\nlive = true"
        ))
        .unwrap();
        let [paper, live] = all.as_slice() else { panic!("two gateways") };
        assert_eq!((paper.address.as_str(), paper.config.offer, paper.config.timing.per_second), ("127.0.0.1:4002", Offer::Text, 20));
        assert_eq!((paper.exchanges.listed.as_str(), paper.exchanges.fx.as_str()), ("NYSE", "IDEALPRO"));
        assert_eq!(paper.config.window, Some(Window { from_s: 85_200, to_s: 600 }));
        assert!(!paper.config.is_live && live.config.is_live && live.address == "gw:4001" && live.config.offer == Offer::Proto);
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name_and_a_live_account_must_be_meant() {
        for (text, what) in [
            (GOOD.replace("IBKR", "ib"), "ib: venue: is not"),
            (GOOD.replace("port = 4002", ""), "IBKR: port: there is none"),
            (GOOD.replace("client_id = 7", ""), "IBKR: client_id: 0 is not 1"),
            (GOOD.replace("DU1", ""), "IBKR: account: there is none"),
            (GOOD.replace("DU1", "U1"), "IBKR: account: U1 is a live account"),
            (format!("{GOOD}live = true"), "IBKR: live: DU1 is a paper account"),
            (format!("{GOOD}dialect = \"xml\""), "IBKR: dialect: \"xml\" is none of"),
            (format!("{GOOD}messages_per_second = 60"), "IBKR: messages_per_second: 60 is not 10 to 50"),
            (format!("{GOOD}restart_utc = \"noon\""), "IBKR: restart_utc: is not two times"),
            (format!("{GOOD}{}", GOOD.replace("IBKR", "IBLV")), "IBLV: the venue, or its client id, is there twice"),
        ] {
            let error = read(&text).err().unwrap().to_string();
            assert!(error.contains(what), "{text}: {error}");
        }
    }
}
