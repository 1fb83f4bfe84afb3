//! Passwords, second factors and sessions: who is who.

use super::{Asked, Command, MAX_SESSIONS, conflict, name, no_such, time_zone};
use crate::event::{
    BreakGlassUsed, Event, Hash, PasswordChanged, RecoveryCodeUsed, SessionOpened, SessionRefreshed, SessionRevoked, SessionSteppedUp,
    SignInCleared, SignInFailed, TotpConfirmed, TotpDisabled, TotpEnrolled, TotpUsed,
};
use crate::state::{SECOND, State};
use oms_model::{Code, Refusal, SessionId, Time, UserId};

/// How long the refresh token before is still answered with its successor, to the client that it was given to: an answer
/// may get lost on its way.
pub const RETRY_WITHIN: i64 = 10 * SECOND;

pub(super) fn decide(state: &State, now: Time, asked: &Asked, command: Command) -> Result<Vec<Event>, Refusal> {
    match command {
        Command::ChangeProfile(e) => {
            state.person(e.user_id).ok_or_else(|| no_such("user"))?;
            name("name", &e.name)?;
            time_zone(&e.time_zone)?;
            Ok(vec![e.into()])
        }
        Command::SetPassword { user_id, password, keep } => {
            state.person(user_id).ok_or_else(|| no_such("user"))?;
            let mut events = vec![PasswordChanged { user_id, password, rehashed: false }.into()];
            events.extend(revoke_all(state, now, user_id, keep, "the password was changed"));
            Ok(events)
        }
        Command::Rehash { user_id, password } => Ok(vec![PasswordChanged { user_id, password, rehashed: true }.into()]),
        Command::EnrolTotp { .. }
        | Command::ConfirmTotp { .. }
        | Command::UseTotp { .. }
        | Command::UseRecoveryCode { .. }
        | Command::DisableTotp { .. } => second_factor(state, command),
        Command::OpenSession { session, account } => open(state, now, asked, session, account),
        Command::RefreshSession { session_id, generation, expires_at } => refresh(state, now, asked, session_id, generation, expires_at),
        Command::RevokeSession { session_id, reason } => {
            state.session(session_id, now).ok_or_else(|| no_such("session"))?;
            Ok(vec![SessionRevoked { session_id, reason }.into()])
        }
        Command::RevokeSessionsOf { user_id, keep, reason } => Ok(revoke_all(state, now, user_id, keep, &reason).collect()),
        Command::StepUp { session_id } => {
            state.session(session_id, now).ok_or_else(|| no_such("session"))?;
            Ok(vec![SessionSteppedUp { session_id }.into()])
        }
        Command::FailSignIn { account } => Ok(vec![SignInFailed { account, ip: asked.by.ip }.into()]),
        // `decide` hands over nothing else.
        _ => Err(Refusal::new(Code::Internal, "not a command about signing in")),
    }
}

fn revoke_all(state: &State, now: Time, user_id: UserId, keep: Option<SessionId>, reason: &str) -> impl Iterator<Item = Event> {
    let others = state.sessions(user_id, now).filter(move |(session_id, _)| Some(*session_id) != keep);
    others.map(move |(session_id, _)| SessionRevoked { session_id, reason: reason.to_owned() }.into())
}

fn used_up() -> Refusal {
    Refusal::new(Code::Unauthenticated, "the code is not valid, or was used")
}

fn second_factor(state: &State, command: Command) -> Result<Vec<Event>, Refusal> {
    let totp = |user_id: UserId| state.user(user_id).and_then(|user| user.totp.as_ref());
    match command {
        Command::EnrolTotp { user_id, secret } => {
            let user = state.person(user_id).ok_or_else(|| no_such("user"))?;
            if user.second_factor().is_some() {
                return Err(conflict("there is a second factor already; disable it first"));
            }
            Ok(vec![TotpEnrolled { user_id, secret }.into()])
        }
        Command::ConfirmTotp { user_id, step, recovery } => match totp(user_id) {
            Some(totp) if !totp.confirmed => Ok(vec![TotpConfirmed { user_id, step, recovery }.into()]),
            Some(_) => Err(conflict("the second factor is confirmed already")),
            None => Err(conflict("no second factor was enrolled")),
        },
        Command::UseTotp { user_id, step } => match totp(user_id) {
            Some(totp) if totp.confirmed && totp.last_step < step => Ok(vec![TotpUsed { user_id, step }.into()]),
            _ => Err(used_up()),
        },
        Command::UseRecoveryCode { user_id, sha256 } => match totp(user_id) {
            Some(totp) if totp.confirmed && totp.recovery.contains(&sha256) => Ok(vec![RecoveryCodeUsed { user_id, sha256 }.into()]),
            _ => Err(used_up()),
        },
        Command::DisableTotp { user_id } => match totp(user_id) {
            Some(_) => Ok(vec![TotpDisabled { user_id }.into()]),
            None => Err(conflict("there is no second factor")),
        },
        _ => Err(used_up()),
    }
}

fn open(state: &State, now: Time, asked: &Asked, e: SessionOpened, account: Hash) -> Result<Vec<Event>, Refusal> {
    if state.session(e.session_id, now).is_some() {
        return Err(conflict("there is a session with this id"));
    }
    let user = state.person(e.user_id).ok_or_else(|| no_such("user"))?;
    if state.scopes(e.tenant_id, e.user_id, asked.by.ip).is_none() {
        return Err(Refusal::new(Code::Forbidden, "the tenant does not take this user from this address"));
    }
    if user.second_factor().is_some() && !e.mfa {
        return Err(Refusal::new(Code::Unauthenticated, "the second factor was not shown"));
    }
    let mut events: Vec<Event> = Vec::new();
    if state.failures(&account, asked.by.ip).is_some() {
        events.push(SignInCleared { account, ip: asked.by.ip }.into());
    }
    let mut open: Vec<_> = state.sessions(e.user_id, now).map(|(id, session)| (session.refreshed_at, id)).collect();
    open.sort_unstable();
    let surplus = (open.len() + 1).saturating_sub(MAX_SESSIONS);
    let over =
        |(_, session_id): &(Time, SessionId)| SessionRevoked { session_id: *session_id, reason: "too many sessions".to_owned() }.into();
    events.extend(open.iter().take(surplus).map(over));
    let (user_id, session_id) = (e.user_id, e.session_id);
    events.push(e.into());
    if user.break_glass {
        events.push(BreakGlassUsed { user_id, session_id }.into());
    }
    Ok(events)
}

/// `generation` is the number of a token that proved to be ours. The current one is renewed. The one before it may be the
/// repetition of a request whose answer was lost. Any other was used before: somebody has a copy, so the session ends.
/// No facts: the answer is the current token once more.
fn refresh(
    state: &State,
    now: Time,
    asked: &Asked,
    session_id: SessionId,
    generation: u64,
    expires_at: Time,
) -> Result<Vec<Event>, Refusal> {
    let over = || Refusal::new(Code::Unauthenticated, "the session is over");
    let session = state.session(session_id, now).ok_or_else(over)?;
    if session.cookie {
        return Err(over());
    }
    if state.scopes(session.tenant_id, session.user_id, asked.by.ip).is_none() {
        return Err(over());
    }
    if generation == session.generation {
        return Ok(vec![SessionRefreshed { session_id, generation: generation + 1, expires_at }.into()]);
    }
    let same_client = session.ip == asked.by.ip && session.user_agent == asked.by.user_agent;
    let repeated = generation + 1 == session.generation && now < session.refreshed_at.plus(RETRY_WITHIN);
    if repeated && same_client {
        return Ok(Vec::new());
    }
    Ok(vec![SessionRevoked { session_id, reason: "a refresh token was used a second time".to_owned() }.into()])
}
