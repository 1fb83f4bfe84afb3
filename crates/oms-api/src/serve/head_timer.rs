//! The timer of a connection that waits for a request's head.
//!
//! The protocol's library makes a timer for each head and drops it as soon as the head is there. To register one wakes the
//! thread that waits for sockets whenever nothing is due before it, which between two requests of a busy connection is
//! so each time. The one made here is registered once, left as it is when it is dropped, and moved when it fires early.

use hyper::rt::{Sleep, Timer};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

type Registered = Pin<Box<tokio::time::Sleep>>;

/// Makes the timers of one connection, of which one at a time is used.
#[derive(Clone, Default)]
pub struct HeadTimer {
    kept: Arc<Mutex<Option<Registered>>>,
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        Box::pin(self.until(Instant::now() + duration))
    }

    fn sleep_until(&self, deadline: std::time::Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(self.until(deadline.into()))
    }

    fn now(&self) -> std::time::Instant {
        Instant::now().into()
    }
}

impl HeadTimer {
    fn until(&self, deadline: Instant) -> HeadSleep {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        let registered = kept.unwrap_or_else(|| Box::pin(tokio::time::sleep_until(deadline)));
        HeadSleep { registered: Some(registered), deadline, home: self.clone() }
    }
}

/// Ends at its deadline; what is registered for it may fire before, and never after.
struct HeadSleep {
    /// Taken when this is dropped.
    registered: Option<Registered>,
    deadline: Instant,
    home: HeadTimer,
}

impl Future for HeadSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = self.deadline;
        let Some(registered) = &mut self.registered else { return Poll::Ready(()) };
        if deadline < registered.deadline() {
            registered.as_mut().reset(deadline);
        }
        loop {
            ready!(registered.as_mut().poll(cx));
            if deadline <= registered.deadline() {
                return Poll::Ready(());
            }
            registered.as_mut().reset(deadline);
        }
    }
}

impl Sleep for HeadSleep {}

impl Drop for HeadSleep {
    fn drop(&mut self) {
        *self.home.kept.lock().unwrap_or_else(PoisonError::into_inner) = self.registered.take();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    const HOUR: Duration = Duration::from_secs(3_600);
    const SHORT: Duration = Duration::from_millis(40);

    /// A head that was waited for, and came.
    fn one_before(timer: &HeadTimer, duration: Duration) {
        let mut sleep = timer.sleep(duration);
        assert!(sleep.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }

    #[tokio::test]
    async fn each_head_has_its_whole_time_whatever_is_left_of_the_one_before() {
        let timer = HeadTimer::default();
        one_before(&timer, SHORT);
        let began = Instant::now();
        timer.sleep(SHORT * 3).await;
        assert!(SHORT * 3 <= began.elapsed());
        // What has fired serves again.
        timer.sleep_until((began + SHORT * 4).into()).await;
        assert!(SHORT * 4 <= began.elapsed());
    }

    #[tokio::test]
    async fn one_that_ends_before_what_is_registered_is_in_time() {
        let timer = HeadTimer::default();
        one_before(&timer, HOUR);
        tokio::time::timeout(HOUR / 60, timer.sleep(SHORT)).await.unwrap();
    }
}
