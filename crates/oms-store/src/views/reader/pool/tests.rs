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
