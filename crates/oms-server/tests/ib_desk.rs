//! A desk as a process, `oms sim ib` as another: orders go out and come back, the gateway is killed, and what differs becomes a
//! break that a person closes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "ib_clients/rig.rs"]
mod rig;

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rig::Simulator;
use serde_json::{Value, json};

/// Whatever is waited for comes within this time, or the test has failed.
const WITHIN: Duration = Duration::from_secs(60);

/// The demo desk, with the gateway in the place of the paper venue of that name.
struct Desk {
    child: Child,
    folder: PathBuf,
    url: String,
    key: String,
}

impl Desk {
    fn start(name: &str, simulator: &Simulator) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("ib-desk-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let port = simulator.port();
        let venue = format!("venue = \"XNYS\"\nport = {port}\nclient_id = 7\naccount = \"DU1000001\"\nexchange = \"NYSE\"\n");
        std::fs::write(folder.join("settings.toml"), format!("[[ib.venues]]\n{venue}")).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_oms"))
            .args(["serve", "--demo", "--listen", "127.0.0.1:0", "--speed", "10x", "--data"])
            .arg(folder.join("data"))
            .env("OMS_CONFIG", folder.join("settings.toml"))
            .env("OMS_LOG_FILTER", "warn")
            // How old and how near quotes are is not what is looked at here.
            .envs([("OMS_DEMO_LIMITS_MAX_QUOTE_AGE", "3600"), ("OMS_DEMO_LIMITS_DUPLICATE_WINDOW", "")])
            .env("OMS_DEMO_LIMITS_PRICE_COLLAR_PCT", "")
            .stdout(Stdio::piped())
            .spawn()
            .expect("oms starts");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = loop {
            let line = lines.next().expect("it says where it listens").unwrap();
            if let Some(url) = line.trim().strip_prefix("listening on ") {
                break url.to_owned();
            }
        };
        // What it says besides is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        let key = std::fs::read_to_string(folder.join("data/demo-api-key")).unwrap().trim().to_owned();
        Self { child, folder, url, key }
    }

    fn answer(result: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> (u16, Value) {
        let mut response = result.unwrap();
        let text = response.body_mut().read_to_string().unwrap();
        (response.status().as_u16(), serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}")))
    }

    fn agent() -> ureq::Agent {
        ureq::Agent::config_builder().http_status_as_error(false).build().into()
    }

    fn get(&self, path: &str) -> Value {
        let (status, body) = Self::answer(Self::agent().get(format!("{}/api/v1{path}", self.url)).header("x-api-key", &self.key).call());
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let request = Self::agent().post(format!("{}/api/v1{path}", self.url)).header("x-api-key", &self.key);
        Self::answer(request.header("content-type", "application/json").send(body.to_string()))
    }

    fn place(&self, qty: &str, price: &str) -> String {
        let routing = json!({"mode": "NAMED", "venue": "XNYS"});
        let order = json!({"symbol": "IBM", "side": "BUY", "ord_type": "LIMIT", "order_qty": qty, "price": price, "routing": routing});
        let (status, body) = self.post("/orders", &order);
        assert_eq!(status, 201, "{body}");
        body["order_id"].as_str().unwrap().to_owned()
    }

    fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let begin = Instant::now();
        while !is_so(self) {
            assert!(begin.elapsed() < WITHIN, "{what}: {} {}", self.get("/brokers/XNYS"), self.get("/brokers/XNYS/breaks"));
            std::thread::yield_now();
        }
    }

    fn is(&self, order: &str, state: &str) -> bool {
        self.get(&format!("/orders/{order}"))["state"] == state
    }

    fn reconcile(&self) -> Value {
        let (status, run) = self.post("/brokers/XNYS/reconciliations?reason=a+drill", &json!({}));
        assert_eq!((status, run["outcome"].as_str()), (200, Some("COMPLETE")), "{run}");
        run
    }

    /// What went to the gateway and came from it stands with each order, over HTTP and in the log, and is only its own.
    fn messages(&self, filled: &str, canceled: &str) {
        let of = |order: &str| self.get(&format!("/orders/{order}/broker-messages"));
        let named = |answer: &Value, name: &str| -> Vec<Value> {
            answer["data"].as_array().unwrap().iter().filter(|one| one["name"] == name).cloned().collect()
        };
        let field = |message: &Value, name: &str| -> String {
            let fields = message["fields"].as_array().unwrap();
            let found = fields.iter().find(|field| field["name"] == name).unwrap_or_else(|| panic!("{name}: {message}"));
            found["value"].as_str().unwrap().to_owned()
        };
        // What it cost is told after it is filled.
        self.until("a commission", |_| !named(&of(filled), "Commission").is_empty());
        let all = of(filled);
        assert_eq!((all["complete"].as_bool(), &all["next"]), (Some(true), &Value::Null), "{all}");
        let placed = named(&all, "PlaceOrder");
        assert_eq!((placed.len(), placed[0]["direction"].as_str()), (1, Some("OUT")), "{all}");
        assert_eq!((field(&placed[0], "order.limit"), field(&placed[0], "contract.symbol")), ("190".to_owned(), "IBM".to_owned()));
        let leg = placed[0]["order_id"].as_str().unwrap().to_owned();
        assert!(placed[0]["raw"].as_str().unwrap().starts_with("000000cb"), "the id of the message, with the mark of protobuf: {all}");
        let executed = named(&all, "Execution");
        assert_eq!(
            (executed.len(), executed[0]["direction"].as_str(), field(&executed[0], "execution.shares").as_str()),
            (1, Some("IN"), "10")
        );
        let begin = self.get(&format!("/orders/{filled}"))["created_at"].as_str().unwrap().to_owned();
        assert!(all["data"].as_array().unwrap().iter().all(|one| begin.as_str() <= one["at"].as_str().unwrap()), "{begin}: {all}");
        let other = of(canceled);
        assert_eq!((named(&other, "CancelOrder").len(), named(&other, "Execution").len()), (1, 0), "{other}");
        assert!(other["data"].as_array().unwrap().iter().all(|one| one["order_id"] != leg.as_str()), "{other}");
        // Page by page they are the same.
        let (mut pages, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("/orders/{filled}/broker-messages?limit=1{cursor}"));
            pages.extend(page["data"].as_array().unwrap().clone());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(&Value::from(pages), &all["data"]);
        let data = self.folder.join("data");
        let log = |words: &[&str]| {
            let output = Command::new(env!("CARGO_BIN_EXE_oms")).args(["brokers", "log", "XNYS", "--data"]).arg(&data).args(words).output();
            let output = output.unwrap();
            assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        let heads = |text: &str| text.lines().filter(|line| line.contains(" XNYS ")).count();
        let told = log(&["--order", &leg]);
        assert_eq!(heads(&told), all["data"].as_array().unwrap().len(), "{told}");
        assert!(told.contains("-> XNYS PlaceOrder at ") && told.contains("    execution.shares = 10\n"), "{told}");
        assert!(log(&["--find", "PreSubmitted", "--last", "--limit", "1"]).contains("OpenOrder") || heads(&log(&[])) > heads(&told));
        assert!(log(&["--raw", "--limit", "1"]).contains(" -> 000000cb"));
    }

    /// What a command of the program prints.
    fn oms(&self, words: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_oms"));
        let output = command.arg("brokers").args(words).args(["--url", &self.url, "--key", &self.key]).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        // A process that has ended already needs no end.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

#[test]
fn a_preview_shows_what_the_gateway_says_an_order_would_cost_and_leaves_nothing_there() {
    let simulator = Simulator::start("preview", &[]);
    let desk = Desk::start("preview", &simulator);
    desk.until("an open gate", |desk| desk.get("/brokers/XNYS")["state"] == "UP");
    let routing = json!({"mode": "NAMED", "venue": "XNYS"});
    let order =
        |price: &str| json!({"symbol": "IBM", "side": "BUY", "ord_type": "LIMIT", "order_qty": "300", "price": price, "routing": routing});
    let preview = |price: &str| {
        let (status, body) = desk.post("/orders/preview", &order(price));
        assert_eq!((status, body["accepted"].as_bool(), body["brokers"].as_array().map(Vec::len)), (200, Some(true), Some(1)), "{body}");
        body["brokers"][0].clone()
    };
    let said = preview("150");
    assert_eq!((said["venue"].as_str(), said["available"].as_bool(), said["qty"].as_str()), (Some("XNYS"), Some(true), Some("300")));
    for (field, value) in [
        ("init_margin_change", "22500"),
        ("maint_margin_change", "22500"),
        ("init_margin_after", "22500"),
        ("equity_with_loan_after", "999998.5"),
        ("commission", "1.5"),
        ("min_commission", "1.5"),
        ("max_commission", "1.5"),
        ("commission_currency", "USD"),
    ] {
        assert_eq!(said[field], value, "{field}: {said}");
    }
    // Nothing of it is at the gateway, and the order itself is an order like any other.
    assert!(simulator.order("status").contains("orders 0 working 0"), "{}", simulator.order("status"));
    let resting = desk.place("300", "150");
    desk.until("the order", |desk| desk.is(&resting, "LIVE"));
    assert!(simulator.order("status").contains("orders 1 working 1"), "{}", simulator.order("status"));
    // A gateway that is silent: the preview comes, and says so.
    simulator.order("freeze on");
    let said = preview("150.01");
    assert_eq!((said["available"].as_bool(), said["commission"].as_str()), (Some(false), None), "{said}");
    assert!(said["reason"].as_str().is_some_and(|reason| reason.contains("gateway")), "{said}");
    simulator.order("freeze off");
    desk.until("an open gate", |desk| desk.get("/brokers/XNYS")["state"] == "UP");
    let run = desk.reconcile();
    assert_eq!((run["open"].as_u64(), desk.get("/brokers/XNYS/account")["foreign_orders"].clone()), (Some(0), json!([])), "{run}");
    assert!(desk.is(&resting, "LIVE"));
}

#[test]
fn a_desk_and_a_gateway_that_is_killed_agree_and_what_differs_is_a_break_until_somebody_closes_it() {
    let mut simulator = Simulator::start("desk", &[]);
    let desk = Desk::start("breaks", &simulator);
    desk.until("an open gate", |desk| desk.get("/brokers/XNYS")["state"] == "UP");
    let (filled, canceled, resting) = (desk.place("10", "190"), desk.place("10", "150"), desk.place("10", "151"));
    desk.until("a fill", |desk| desk.is(&filled, "FILLED"));
    assert!(matches!(desk.post(&format!("/orders/{canceled}/cancel"), &json!({})).0, 200 | 202));
    desk.until("a cancel", |desk| desk.is(&canceled, "CANCELED"));
    desk.messages(&filled, &canceled);
    let run = desk.reconcile();
    assert_eq!((run["open"].as_u64(), run["executions"].as_u64(), run["positions"].as_u64()), (Some(0), Some(1), Some(1)), "{run}");
    // The gateway is killed and started again: the run after the recovery finds nothing that differs.
    let runs = desk.get("/brokers/XNYS/reconciliations")["data"].as_array().unwrap().len();
    simulator.kill();
    desk.until("the run after the recovery", |desk| {
        let all = desk.get("/brokers/XNYS/reconciliations");
        let last = &all["data"][0];
        runs < all["data"].as_array().unwrap().len() && last["trigger"] == "RECOVERY" && last["outcome"] == "COMPLETE"
    });
    assert_eq!(desk.get("/brokers/XNYS/breaks")["data"], json!([]));
    // A person enters an order beside the desk: a break, with its value, that somebody takes on.
    assert!(simulator.order("manual BUY 20 IBM 140").starts_with("ok order "));
    assert_eq!(desk.reconcile()["opened"], 1);
    let one = desk.get("/brokers/XNYS/breaks?status=OPEN")["data"][0].clone();
    assert_eq!((one["kind"].as_str(), one["value"].as_str()), (Some("UNKNOWN_AT_DESK"), Some("2800")), "{one}");
    let owner = desk.get("/orders?limit=1")["data"][0]["user_id"].as_str().unwrap().to_owned();
    desk.oms(&["assign", "XNYS", "1", "--owner", &owner, "--reason", "look into it"]);
    assert!(desk.oms(&["breaks", "XNYS", "--status", "ACKNOWLEDGED"]).contains("UNKNOWN_AT_DESK"));
    // That person says what it is: the break ends with their word, and is not shown again while the figures are these.
    desk.oms(&["close", "XNYS", "1", "--reason", "entered at the workstation"]);
    let closed = desk.get("/brokers/XNYS/breaks/1");
    assert_eq!(
        (closed["status"].as_str(), closed["closing_note"].as_str()),
        (Some("CLOSED"), Some("entered at the workstation")),
        "{closed}"
    );
    assert_eq!(closed["actions"][0]["note"], "look into it");
    assert_eq!(desk.reconcile()["opened"], 0);
    assert!(desk.oms(&["runs", "XNYS"]).contains("RECOVERY"));
    assert_eq!(desk.get(&format!("/orders/{resting}"))["ord_status"], "LIVE");
}
