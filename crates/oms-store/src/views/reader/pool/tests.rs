use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;

use super::*;
use crate::views::Views;
use crate::views::tests::Scratch;

fn pool(scratch: &Scratch) -> (Views, Arc<Pool>) {
    let path = scratch.file("views");
    (Views::open(&path).unwrap(), Arc::new(Pool::new(&path, Seq(0))))
}

#[test]
fn as_many_read_at_once_as_there_are_connections() {
    let scratch = Scratch::new();
    let (_views, pool) = pool(&scratch);
    let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    // Nobody leaves before there are as many inside as there may be.
    let all_inside = Barrier::new(MAX_CONNECTIONS);
    thread::scope(|scope| {
        for _ in 0..MAX_CONNECTIONS * 3 {
            scope.spawn(|| {
                let read = pool.read(|_| {
                    most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    all_inside.wait();
                    inside.fetch_sub(1, Ordering::SeqCst);
                    Ok(())
                });
                read.unwrap();
            });
        }
    });
    assert_eq!(most.into_inner(), MAX_CONNECTIONS);
    let state = pool.state();
    assert_eq!(state.idle.len(), state.open);
}

#[test]
fn closing_waits_for_those_who_read() {
    let scratch = Scratch::new();
    let (_views, pool) = pool(&scratch);
    let ((entered, is_inside), (release, may_leave), (report, reported)) = (channel(), channel::<()>(), channel());
    thread::scope(|scope| {
        let (reading, closing) = (pool.clone(), pool.clone());
        scope.spawn(move || {
            reading.read(|_| {
                entered.send(()).unwrap();
                may_leave.recv().unwrap();
                Ok(())
            })
        });
        is_inside.recv().unwrap();
        scope.spawn(move || {
            let closed = closing.close().unwrap();
            report.send(closing.state().open).unwrap();
            drop(closed);
        });
        let too_early = reported.recv_timeout(Duration::from_millis(100));
        release.send(()).unwrap();
        assert_eq!(too_early, Err(RecvTimeoutError::Timeout));
        assert_eq!(reported.recv().unwrap(), 0);
    });
    assert!(pool.read(|_| Ok(())).is_ok(), "it is open again");
}

#[test]
fn a_read_that_fails_gives_its_connection_back() {
    let scratch = Scratch::new();
    let (_views, pool) = pool(&scratch);
    for _ in 0..MAX_CONNECTIONS * 2 {
        let refused = pool.read(|conn| schema::position(conn).and(Err::<(), _>(busy())));
        assert!(matches!(refused, Err(ViewError::Busy { .. })));
    }
    assert_eq!(pool.state().open, 1);

    // Nor does one that cannot even be opened count.
    let nowhere = Pool::new(&scratch.file("nowhere"), Seq(0));
    assert!(matches!(nowhere.read(|_| Ok(())), Err(ViewError::Sqlite { .. })));
    assert_eq!(nowhere.state().open, 0);
}

#[test]
fn a_read_without_end_is_given_up_and_the_connection_goes_on() {
    let scratch = Scratch::new();
    let path = scratch.file("views");
    drop(Views::open(&path).unwrap());
    let mut pool = Pool::new(&path, Seq(0));
    pool.max_read = Duration::from_millis(50);
    let ask = |sql: &str| pool.read(|conn| conn.query_row(sql, [], |row| row.get::<_, i64>(0)).during("ask"));
    let endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n";
    for _ in 0..2 {
        assert!(matches!(ask(endless), Err(ViewError::TooBroad { within_ms: 50 })));
        assert_eq!(ask("SELECT 7").unwrap(), 7);
    }
    assert_eq!(pool.state().open, 1, "it is the same connection");
}
