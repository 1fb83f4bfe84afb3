use super::*;
use crate::cli::Serve;
use oms_runtime::{Clock, MarketBook, Partition};
use oms_store::MemoryJournal;
use std::path::PathBuf;
use std::sync::Arc;

fn desk(name: &str) -> (Desk, PathBuf) {
    let data = std::env::temp_dir().join(format!("oms-demo-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&data).unwrap();
    let flags = Serve { demo: true, data: Some(data.clone()), listen: None, fix: None, speed: None, seed: None };
    (Desk::of(&flags, config::load(None, std::iter::empty()).unwrap().settings).unwrap(), data)
}

fn partition() -> Partition {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let journal = Box::new(MemoryJournal::new(0));
    oms_runtime::start(journal, oms_runtime::Config::default(), clock, Arc::new(MarketBook::new()), Box::new(|fault| panic!("{fault}")))
        .unwrap()
}

/// How many limits the settings have a value for: most of those that are implemented.
fn limits_asked(desk: &Desk) -> usize {
    let asked = super::limits(&desk.settings.demo).unwrap().len();
    assert!(asked > LimitType::ALL.len() / 2);
    asked
}

#[test]
fn a_new_desk_has_everything_for_a_first_order() {
    let (desk, data) = desk("new");
    let partition = partition();
    let key = set_up(partition.handle(), &desk).unwrap();
    let hash = auth::key_hash(&key);
    let (symbols, venues, policies, limits, accounts, known) = partition
        .handle()
        .inspect_blocking(move |state, _| {
            let count = (state.instruments().len(), state.venues().count(), state.policies().count());
            (count.0, count.1, count.2, state.risk().limits().len(), state.accounts().count(), state.api_key(&hash).is_some())
        })
        .unwrap();
    assert_eq!((symbols, venues, policies, accounts, known), (10, 16, 3, 1, true));
    assert_eq!(limits, limits_asked(&desk), "every limit that the settings ask for is set");
    let lent = partition.handle().inspect_blocking(|state, _| state.risk().locates().count()).unwrap();
    assert_eq!(lent, 3, "what is listed can be sold short");
    let durable = partition.handle().durable();
    assert_eq!(set_up(partition.handle(), &desk).unwrap(), key);
    assert_eq!(partition.handle().durable(), durable, "a restart changes nothing");
    let _stopped = partition.stop();
    std::fs::remove_dir_all(data).unwrap();
}

#[test]
fn a_set_up_that_broke_off_is_finished() {
    let (desk, data) = desk("broken");
    let partition = partition();
    let handle = partition.handle();
    let actor = Actor { source: Source::System, ..Actor::default() };
    execute(handle, actor, Command::CreateTenant { tenant_id: TenantId::from_u128(7), slug: "demo".to_owned() }).unwrap();
    execute(handle, actor, Command::ConfigureVenue(Box::new(venues().remove(0)))).unwrap();
    set_up(handle, &desk).unwrap();
    let (tenant, venues) = handle.inspect_blocking(|state, _| (state.tenant_id(), state.venues().count())).unwrap();
    assert_eq!((tenant, venues), (TenantId::from_u128(7), 16));
    let _stopped = partition.stop();
    std::fs::remove_dir_all(data).unwrap();
}

#[test]
fn a_limit_that_was_taken_away_stays_away() {
    let (desk, data) = desk("limits");
    let partition = partition();
    let handle = partition.handle();
    set_up(handle, &desk).unwrap();
    let tenant_id = handle.inspect_blocking(|state, _| state.tenant_id()).unwrap();
    let actor = Actor { tenant_id, source: Source::System, ..Actor::default() };
    execute(handle, actor, Command::RemoveRiskLimit(oms_model::limit::LimitKey::hard(LimitType::OrderRate, Scope::Tenant))).unwrap();
    set_up(handle, &desk).unwrap();
    let limits = handle.inspect_blocking(|state, _| state.risk().limits().len()).unwrap();
    assert_eq!(limits, limits_asked(&desk) - 1);
    let _stopped = partition.stop();
    std::fs::remove_dir_all(data).unwrap();
}

#[test]
fn ids_are_of_version_seven_and_differ() {
    let (one, two) = (new_id().unwrap(), new_id().unwrap());
    assert_ne!(one, two);
    assert_eq!((one >> 76 & 0xF, one >> 62 & 0b11), (7, 0b10));
}
