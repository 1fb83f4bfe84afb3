use super::*;

fn none() -> std::iter::Empty<(String, String)> {
    std::iter::empty()
}

fn env(pairs: &[(&str, &str)]) -> std::vec::IntoIter<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>().into_iter()
}

/// Loads `text` as a file of settings, and nothing else.
pub(crate) fn only(text: &str) -> Result<Loaded, Failure> {
    with_file(&format!("{:?}", std::thread::current().id()), text, env(&[]))
}

/// Loads `text` as a file of settings.
fn with_file(name: &str, text: &str, environment: std::vec::IntoIter<(String, String)>) -> Result<Loaded, Failure> {
    let path = std::env::temp_dir().join(format!("oms-config-{}-{name}.toml", std::process::id()));
    std::fs::write(&path, text).unwrap();
    let loaded = load(Some(&path), environment);
    std::fs::remove_file(&path).unwrap();
    loaded
}

#[test]
fn the_default_file_has_every_setting_and_no_other() {
    let loaded = load(None, none()).unwrap();
    assert_eq!(loaded.settings.server.listen, "127.0.0.1:8080");
    assert_eq!(day_second("engine.day_end_utc", &loaded.settings.engine.day_end_utc).unwrap(), 75_600);
    assert!(loaded.rows().iter().all(|(_, _, source)| source == "default"));
    for kind in oms_model::limit::LimitType::ALL {
        assert!(loaded.settings.demo.limits.contains_key(kind.as_str()), "a demo desk says something about {kind}");
    }
}

#[test]
fn an_unknown_key_is_refused_with_the_one_that_was_meant() {
    let text = with_file("typo", "[server]\nlisten = \"127.0.0.1:1\"\n[api]\nmax_stream = 1\n", env(&[])).err().unwrap().to_string();
    assert!(text.contains("unknown key \"api.max_stream\""), "{text}");
    assert!(text.contains("did you mean \"max_streams\""), "{text}");
    let text = with_file("section", "[sever]\n", env(&[])).err().unwrap().to_string();
    assert!(text.contains("did you mean \"server\""), "{text}");
    let text = with_file("type", "[engine]\nqueue = \"many\"\n", env(&[])).err().unwrap().to_string();
    assert!(text.contains("\"engine.queue\" must be a integer, not a string"), "{text}");
}

#[test]
fn the_environment_stands_above_the_file() {
    let text = "[server]\nlisten = \"127.0.0.1:1\"\n[engine]\nqueue = 7\n";
    let loaded = with_file("order", text, env(&[("OMS_ENGINE_QUEUE", "9"), ("OMS_URL", "http://desk:1"), ("HOME", "/")])).unwrap();
    assert_eq!((loaded.settings.server.listen.as_str(), loaded.settings.engine.queue), ("127.0.0.1:1", 9));
    assert_eq!(loaded.settings.client.url, "http://desk:1");
    let rows = loaded.rows();
    let source = |path: &str| rows.iter().find(|(at, _, _)| at == path).map(|(_, _, source)| source.as_str()).unwrap();
    assert_eq!((source("engine.queue"), source("engine.max_group")), ("OMS_ENGINE_QUEUE", "default"));
    assert!(source("server.listen").ends_with(".toml"));
}

#[test]
fn a_variable_that_names_no_setting_of_its_section_is_refused() {
    for (name, value, said) in [
        ("OMS_SERVER_LISTNE", "x", "no such setting"),
        ("OMS_ENGINE_QUEUE", "many", "is not a whole number"),
        ("OMS_PAPER_ENABLED", "yes", "is not true or false"),
        ("OMS_LOG_FORMAT", "xml", "unknown variant"),
    ] {
        let failure = load(None, env(&[(name, value)])).err().unwrap();
        assert_eq!(failure.code(), 2);
        assert!(failure.to_string().contains(said), "{failure}");
    }
    assert!(load(None, env(&[("OMS_TARGET_DIR", "/x")])).is_ok(), "what belongs to others is left alone");
}

#[test]
fn a_secret_is_not_shown() {
    let loaded = load(None, env(&[("OMS_API_KEY", "oms_test_very_secret")])).unwrap();
    assert_eq!(loaded.settings.client.api_key, "oms_test_very_secret");
    let rows = loaded.rows();
    assert!(rows.iter().all(|(_, value, _)| !value.contains("very_secret")));
    assert!(rows.contains(&("client.api_key".to_owned(), "\"********\"".to_owned(), "OMS_API_KEY".to_owned())));
}

#[test]
fn a_time_of_day_is_checked() {
    assert_eq!(day_second("x", "00:01").unwrap(), 60);
    for bad in ["24:00", "21", "21:60", "-1:00", "x:y"] {
        assert!(day_second("x", bad).is_err(), "{bad}");
    }
}
