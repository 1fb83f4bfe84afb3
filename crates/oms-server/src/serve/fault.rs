//! Fail-stop: a desk that cannot promise anything any more ends at once.

use crate::exit::FAULT;

/// Threads whose panic leaves the desk in a state that nobody decided: the engine, its followers, the venues.
const ENGINE_THREADS: [&str; 2] = ["oms-", "paper-market"];

/// Ends the process because the log failed. Nothing that was not durable has been answered.
pub fn stop_the_process(reason: &str) {
    eprintln!("oms: FAULT: the log failed, the desk stops: {reason}");
    eprintln!("oms: nothing is answered that is not durable; find the cause, then start again: the log tells what happened");
    std::process::exit(FAULT);
}

/// A panic in a thread of the engine aborts the process (exit code 134, SIGABRT). A panic while one HTTP request is
/// served ends that connection.
pub fn abort_on_engine_panic() {
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        told(panic);
        let thread = std::thread::current();
        if is_engine(thread.name()) {
            eprintln!("oms: FAULT: the thread {:?} panicked, the desk stops", thread.name().unwrap_or_default());
            std::process::abort();
        }
    }));
}

fn is_engine(thread: Option<&str>) -> bool {
    thread.is_some_and(|name| ENGINE_THREADS.iter().any(|prefix| name.starts_with(prefix)))
}

#[cfg(test)]
mod tests {
    use super::is_engine;

    #[test]
    fn engine_threads_are_known_by_name() {
        for name in ["oms-decide", "oms-commit", "oms-gateway", "oms-XNYS", "oms-views", "paper-market"] {
            assert!(is_engine(Some(name)), "{name}");
        }
        assert!(!is_engine(Some("http")) && !is_engine(None));
    }
}
