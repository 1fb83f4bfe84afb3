use super::*;
use crate::config;

fn flags() -> SimFix {
    SimFix {
        listen: "127.0.0.1:0".to_owned(),
        allowed: Vec::new(),
        client: "OMS".to_owned(),
        venues: Vec::new(),
        data: Some("sim".into()),
        speed: None,
        seed: None,
        faults: Vec::new(),
        admin: None,
    }
}

fn plan(change: impl FnOnce(&mut SimFix)) -> Result<Plan, Failure> {
    let mut flags = flags();
    change(&mut flags);
    Plan::of(&flags, &config::load(None, std::iter::empty()).unwrap().settings)
}

#[test]
fn venues_are_all_or_those_that_are_named() {
    let all = plan(|_| ()).unwrap();
    assert!(all.venues.len() == 8 && all.venues.values().all(|(_, client)| client == "OMS"));
    let two = plan(|flags| flags.venues = vec!["XNAS=DESK1".to_owned(), "BATS".to_owned()]).unwrap();
    let clients: Vec<(String, &str)> = two.venues.iter().map(|(mic, (_, client))| (mic.to_string(), client.as_str())).collect();
    assert_eq!(clients, [("BATS".to_owned(), "OMS"), ("XNAS".to_owned(), "DESK1")]);
}

#[test]
fn faults_are_read_by_name() {
    let plan =
        plan(|flags| flags.faults = vec!["ALL:lost_ppm=5,late_ns=7".to_owned(), "XNAS:link=half_open,lost_ppm=6".to_owned()]).unwrap();
    let (xnas, bats) = (plan.faults[&Mic::of(b"XNAS")], plan.faults[&Mic::of(b"BATS")]);
    assert_eq!((bats.lost_ppm, bats.late_ns, bats.link), (5, 7, Link::Up));
    assert_eq!((xnas.lost_ppm, xnas.late_ns, xnas.link), (6, 7, Link::HalfOpen));
    // Every switch that is shown can be set to what is shown.
    let mut again = Faults::none();
    for (name, value) in faults::all(xnas) {
        faults::set(&mut again, name, &value).unwrap();
    }
    assert_eq!(again, xnas);
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    for (change, what) in [
        ((|flags| flags.listen = "0.0.0.0:1".to_owned()) as fn(&mut SimFix), "--allow"),
        (|flags| flags.admin = Some("0.0.0.0:1".to_owned()), "loopback"),
        (|flags| flags.venues = vec!["XXXX".to_owned()], "XXXX"),
        (|flags| flags.venues = vec!["XNAS".to_owned(), "XNAS=A".to_owned()], "twice"),
        (|flags| flags.client = String::new(), "client"),
        (|flags| flags.faults = vec!["XNAS:lost_ppm=1000001".to_owned()], "1000000"),
        (|flags| flags.faults = vec!["XNAS:nothing=1".to_owned()], "nothing"),
        (|flags| flags.faults = vec!["XXXX:lost_ppm=1".to_owned()], "XXXX"),
        (|flags| flags.speed = Some("fast".to_owned()), "speed"),
    ] {
        let error = plan(change).err().unwrap().to_string();
        assert!(error.contains(what), "{error}");
    }
}
