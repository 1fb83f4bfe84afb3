//! The process dies at once while accounts change: what was answered is there, and nothing is there in part.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

use oms_auth::{Cadence, ControlLog, system_clock};
use oms_identity::event::TenantCreated;
use oms_identity::{Asked, Command};
use oms_model::TenantId;
use oms_store::{Config, EmbeddedJournal};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};

const FOLDER: &str = "OMS_TEST_CONTROL";

fn open(folder: &Path) -> ControlLog {
    let config = Config { segment_bytes: 64 << 10, prepare_ahead: false, ..Config::default() };
    let journal = EmbeddedJournal::open_dir(folder, config).unwrap();
    // Snapshots as often as can be, so that it dies while one is written too.
    ControlLog::open_with(Box::new(journal), system_clock(), Cadence { every: 1, at_stop: 1 }, None).unwrap()
}

/// The process that dies: makes tenants, and says of each when it was answered. Does nothing where it is not asked to.
#[test]
fn makes_tenants_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let log = open(&PathBuf::from(folder));
    let first = log.state().tenants().count() as u128;
    for n in first..first + 100_000 {
        let tenant = TenantCreated { tenant_id: TenantId::from_u128(n + 1), name: format!("tenant {n}") };
        if log.execute_blocking(Asked::console(), Command::CreateTenant(tenant)).is_err() {
            return;
        }
        println!("\nanswered {n}");
    }
}

#[test]
fn what_was_answered_survives_a_kill() {
    let folder = std::env::temp_dir().join(format!("oms-control-kill-{}", std::process::id()));
    let mut answered = 0;
    for round in 1..=5 {
        let mut child = Process::new(std::env::current_exe().unwrap())
            .args(["--exact", "makes_tenants_until_it_is_killed", "--nocapture"])
            .env(FOLDER, &folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for line in lines.map_while(Result::ok) {
            let Some(n) = line.strip_prefix("answered ").and_then(|n| n.parse::<usize>().ok()) else { continue };
            answered = n + 1;
            if answered >= round * 40 {
                // SIGKILL, in the middle of whatever it does.
                child.kill().unwrap();
                break;
            }
        }
        child.wait().unwrap();
        let log = open(&folder);
        let found = log.state().tenants().count();
        assert!(found >= answered, "{answered} were answered, {found} are there");
        let names = log.state().tenants().map(|(id, tenant)| (id.as_u128() - 1, tenant.name.clone())).collect::<Vec<_>>();
        assert!(names.iter().all(|(n, name)| *name == format!("tenant {n}")));
        assert_eq!(log.state().batches(), found as u64, "whole batches and nothing else");
    }
    assert!(answered >= 200);
    std::fs::remove_dir_all(&folder).unwrap();
}
