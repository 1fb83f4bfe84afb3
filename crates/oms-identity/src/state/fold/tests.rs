use super::*;
use crate::event::{SessionOpened, SessionRefreshed, SessionRevoked};
use crate::state::SECOND;
use oms_model::{SessionId, TenantId};

fn opened(session: u128, user: u128, until: i64) -> Event {
    let event = SessionOpened {
        session_id: SessionId::from_u128(session),
        user_id: UserId::from_u128(user),
        tenant_id: TenantId::from_u128(1),
        cookie: false,
        mfa: false,
        expires_at: Time(until * SECOND),
    };
    event.into()
}

fn at(state: &mut State, seconds: i64, event: Event) {
    state.apply(&Batch { time: Time(seconds * SECOND), events: vec![event], ..Batch::default() });
}

fn remembered(state: &State) -> Vec<u128> {
    assert_eq!(state.ending.len(), state.sessions.len());
    state.sessions.keys().map(|id| id.as_u128()).collect()
}

#[test]
fn a_session_that_is_over_is_forgotten_with_the_next_one_whosever_that_is() {
    let mut state = State::default();
    at(&mut state, 0, opened(1, 1, 100));
    at(&mut state, 1, opened(2, 2, 100));
    at(&mut state, 2, opened(3, 3, 100));
    at(&mut state, 50, SessionRefreshed { session_id: SessionId::from_u128(2), generation: 2, expires_at: Time(200 * SECOND) }.into());
    at(&mut state, 60, SessionRevoked { session_id: SessionId::from_u128(3), reason: String::new() }.into());
    at(&mut state, 99, opened(4, 4, 300));
    assert_eq!(remembered(&state), [1, 2, 4]);
    at(&mut state, 100, opened(5, 5, 300));
    assert_eq!(remembered(&state), [2, 4, 5], "one is over at its very end, and one that was renewed goes on");
    at(&mut state, 300, opened(6, 6, 301));
    assert_eq!(remembered(&state), [6]);
}

/// What is remembered does not grow with how often somebody signed in.
#[test]
fn a_year_of_days_leaves_a_day() {
    let mut state = State::default();
    for n in 0..50_000 {
        at(&mut state, n, opened(1 + n.unsigned_abs() as u128, 1 + (n % 5_000).unsigned_abs() as u128, n + 100));
    }
    assert_eq!(remembered(&state).len(), 100);
}
