use super::*;
use oms_model::command::{Actor, Command as EngineCommand, CommandOutcome};
use oms_model::limit::{LimitType, RiskLimit, Scope};
use oms_model::{Source, TenantId, TraceId};
use oms_runtime::{MarketBook, Request, SystemClock};

/// A log of a few batches in a folder, and the live state's hash after each.
fn written_log(name: &str) -> (PathBuf, Vec<(u64, String)>) {
    let data = std::env::temp_dir().join(format!("oms-journal-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&data).unwrap();
    let journal = EmbeddedJournal::open_dir(&data.join("log"), Config { segment_bytes: 1 << 20, ..Config::default() }).unwrap();
    let partition = oms_runtime::start(
        Box::new(journal),
        oms_runtime::Config::default(),
        Arc::new(SystemClock),
        Arc::new(MarketBook::new()),
        Box::new(|fault| panic!("{fault}")),
    )
    .unwrap();
    let handle = partition.handle();
    let mut hashes = Vec::new();
    let mut actor = Actor { source: Source::System, ..Actor::default() };
    let tenant_id = TenantId::from_u128(5);
    let limit = |limit_type, value: &str| {
        EngineCommand::SetRiskLimit(RiskLimit { limit_type, scope: Scope::Tenant, value: value.parse().unwrap(), ..RiskLimit::default() })
    };
    for command in [
        EngineCommand::CreateTenant { tenant_id, slug: "desk".into() },
        limit(LimitType::MaxOrderQty, "100"),
        limit(LimitType::MaxOrderQty, "200"),
    ] {
        let request = Request { actor, trace_id: TraceId::default(), idempotency: None, command };
        assert_eq!(handle.execute_blocking(request).unwrap().outcome, CommandOutcome::Done);
        actor.tenant_id = tenant_id;
        hashes.push(handle.inspect_blocking(|state, _| (state.last_seq().0, hex(&snapshot::state_hash(state)))).unwrap());
    }
    assert!(partition.stop().unwrap().snapshot_failed.is_none());
    (data, hashes)
}

fn folded(log: &Path, at: u64) -> Result<String, Failure> {
    let journal = open(log, OpenCheck::Everything)?;
    let (state, _) = recovery::fold(journal.reader().as_mut(), State::default(), Some(at)).map_err(unfoldable)?;
    Ok(hex(&snapshot::state_hash(&state)))
}

fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.display().to_string(), std::fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn a_hash_of_the_log_is_the_hash_that_was_live() {
    let (data, hashes) = written_log("hash");
    let log = data.join("log");
    let before = files(&log);
    for (seq, hash) in &hashes {
        assert_eq!(&folded(&log, *seq).unwrap(), hash, "at sequence {seq}");
    }
    replay(&log, false).unwrap();
    verify(&log, true).unwrap();
    show(&log, 1, 100, true).unwrap();
    hash(&log, None, false).unwrap();
    assert_eq!(files(&log), before, "nothing of it was written");
    std::fs::remove_dir_all(data).unwrap();
}

#[test]
fn what_is_not_there_is_a_mistake_in_usage() {
    let (data, hashes) = written_log("usage");
    let log = data.join("log");
    let last = hashes.last().unwrap().0;
    assert_eq!(hash(&log, Some(last + 1), false).unwrap_err().code(), 2);
    assert_eq!(show(&log, last + 9, 1, false).unwrap_err().code(), 2);
    assert_eq!(verify(&data.join("nowhere"), false).unwrap_err().code(), 2);
    assert_eq!(replay(&data.join("nowhere"), false).unwrap_err().code(), 2);
    std::fs::remove_dir_all(data).unwrap();
}

#[test]
fn damage_is_found_and_said_where() {
    let (data, _) = written_log("damage");
    let log = data.join("log");
    let segment = std::fs::read_dir(&log)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|e| e == "log"))
        .unwrap();
    let mut bytes = std::fs::read(&segment).unwrap();
    let at = bytes.windows(4).position(|window| window == b"desk").unwrap();
    bytes[at] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let failure = verify(&log, false).unwrap_err();
    assert_eq!(failure.code(), 1);
    assert!(failure.to_string().contains("at byte"), "{failure}");
    assert_eq!(replay(&log, false).unwrap_err().code(), 1);
    std::fs::remove_dir_all(data).unwrap();
}
