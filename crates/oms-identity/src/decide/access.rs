//! Members, invitations and keys: who may do what.

use super::{
    Asked, Command, Joining, MAX_INVITATION, MAX_INVITATIONS, MAX_KEYS, MAX_NETS, MAX_OVERLAP, USED_EVERY, conflict, email, invalid, name,
    new_user_id, no_such, too_many,
};
use crate::event::{
    ApiKeyCreated, ApiKeyRevoked, ApiKeyRotated, ApiKeyUsed, Event, Hash, InvitationAccepted, InvitationRevoked, Invited, MemberRemoved,
    MemberSet, SessionRevoked, UserCreated, UserErased,
};
use crate::scope::{Role, Scope};
use crate::state::{ApiKey, State};
use oms_model::{ApiKeyId, Code, Refusal, TenantId, Time, UserId};

pub(super) fn decide(state: &State, now: Time, asked: &Asked, command: Command) -> Result<Vec<Event>, Refusal> {
    match command {
        Command::Invite(e) => invite(state, now, asked, e),
        Command::RevokeInvitation { tenant_id, invitation_id } => {
            asked.may_manage(tenant_id)?;
            let found = state.invitation(invitation_id).filter(|one| one.tenant_id == tenant_id);
            found.ok_or_else(|| no_such("invitation"))?;
            Ok(vec![InvitationRevoked { invitation_id }.into()])
        }
        Command::AcceptInvitation { sha256, joining } => accept(state, now, &sha256, joining),
        Command::SetMember(e) => set_member(state, asked, e),
        Command::RemoveMember { tenant_id, user_id } => remove_member(state, now, asked, tenant_id, user_id),
        Command::EraseUser { user_id } => erase(state, now, asked, user_id),
        Command::CreateApiKey(e) => create_key(state, now, asked, e),
        Command::RotateApiKey(e) => rotate_key(state, now, asked, e),
        Command::RevokeApiKey { api_key_id } => {
            own_key(state, asked, api_key_id)?;
            Ok(vec![ApiKeyRevoked { api_key_id }.into()])
        }
        Command::UseApiKey { api_key_id } => {
            let key = state.key(api_key_id).ok_or_else(|| no_such("key"))?;
            let fresh = key.used_at.is_some_and(|at| now < at.plus(USED_EVERY));
            Ok(if fresh { Vec::new() } else { vec![ApiKeyUsed { api_key_id }.into()] })
        }
        // `decide` hands over nothing else.
        _ => Err(Refusal::new(Code::Internal, "not a command about access")),
    }
}

fn invite(state: &State, now: Time, asked: &Asked, mut e: Invited) -> Result<Vec<Event>, Refusal> {
    asked.may_manage(e.tenant_id)?;
    state.tenant(e.tenant_id).ok_or_else(|| no_such("tenant"))?;
    if state.invitation(e.invitation_id).is_some() {
        return Err(conflict("there is an invitation with this id"));
    }
    asked.may_give(e.role.scopes() | e.extra)?;
    e.email = email(&e.email)?.into();
    if e.expires_at <= now || now.plus(MAX_INVITATION) < e.expires_at {
        return Err(invalid("expires_at", "must be within the next 30 days"));
    }
    if state.user_named(&e.email).is_some_and(|(user_id, _)| state.member(e.tenant_id, user_id).is_some()) {
        return Err(conflict("they are a member already"));
    }
    let open = state.invitations(e.tenant_id).filter(|(_, one)| now < one.expires_at).count();
    if open >= MAX_INVITATIONS {
        return Err(too_many("open invitations", MAX_INVITATIONS));
    }
    Ok(vec![e.into()])
}

fn accept(state: &State, now: Time, sha256: &Hash, joining: Joining) -> Result<Vec<Event>, Refusal> {
    let no_longer = || Refusal::new(Code::Unauthenticated, "the invitation is not valid, or was used");
    let (invitation_id, invitation) = state.invitation_of(sha256, now).ok_or_else(no_longer)?;
    let known = state.user_named(&invitation.email).map(|(user_id, _)| user_id);
    let mut events: Vec<Event> = Vec::new();
    let user_id = match (joining, known) {
        (Joining::Known(user_id), Some(known)) if user_id == known => user_id,
        (Joining::New { user_id, name: called, password }, None) => {
            new_user_id(state, user_id)?;
            name("name", &called)?;
            let user = UserCreated {
                user_id,
                email: invitation.email.text().into(),
                name: called.into(),
                password: Some(password),
                break_glass: false,
            };
            events.push(user.into());
            user_id
        }
        _ => return Err(no_longer()),
    };
    let member = MemberSet { tenant_id: invitation.tenant_id, user_id, role: invitation.role, extra: invitation.extra };
    events.extend([member.into(), InvitationAccepted { invitation_id, user_id }.into()]);
    Ok(events)
}

/// Whether a tenant would have no administrator without this one.
fn is_last_admin(state: &State, tenant_id: TenantId, user_id: UserId) -> bool {
    let is_admin = state.member(tenant_id, user_id).is_some_and(|member| member.role == Role::Admin);
    is_admin && !state.members(tenant_id).any(|(other, member)| other != user_id && member.role == Role::Admin)
}

fn set_member(state: &State, asked: &Asked, e: MemberSet) -> Result<Vec<Event>, Refusal> {
    asked.may_manage(e.tenant_id)?;
    state.tenant(e.tenant_id).ok_or_else(|| no_such("tenant"))?;
    let member = state.member(e.tenant_id, e.user_id);
    // Others join by invitation; the console and whoever runs the installation may also name users that there are.
    if member.is_none() && !(asked.scopes.has(Scope::TenantsAdmin) && state.person(e.user_id).is_some()) {
        return Err(no_such("member"));
    }
    asked.may_give(e.role.scopes() | e.extra)?;
    // Nor does anybody take from those who have more.
    if let Some(member) = member {
        asked.may_give(member.scopes())?;
    }
    if e.role != Role::Admin && is_last_admin(state, e.tenant_id, e.user_id) {
        return Err(conflict("a tenant keeps one administrator at least"));
    }
    Ok(vec![e.into()])
}

fn remove_member(state: &State, now: Time, asked: &Asked, tenant_id: TenantId, user_id: UserId) -> Result<Vec<Event>, Refusal> {
    asked.may_manage(tenant_id)?;
    let member = state.member(tenant_id, user_id).ok_or_else(|| no_such("member"))?;
    asked.may_give(member.scopes())?;
    if is_last_admin(state, tenant_id, user_id) {
        return Err(conflict("a tenant keeps one administrator at least"));
    }
    let mut events: Vec<Event> = vec![MemberRemoved { tenant_id, user_id }.into()];
    let keys = state.keys(tenant_id).filter(|(_, key)| key.user_id == user_id);
    events.extend(keys.map(|(api_key_id, _)| Event::from(ApiKeyRevoked { api_key_id })));
    let sessions = state.sessions(user_id, now).filter(|(_, session)| session.tenant_id == tenant_id);
    let over = |(session_id, _)| Event::from(SessionRevoked { session_id, reason: "no longer a member".to_owned() });
    events.extend(sessions.map(over));
    Ok(events)
}

/// Whoever manages every tenant that somebody is a member of may have them erased, and whoever runs the installation.
fn erase(state: &State, now: Time, asked: &Asked, user_id: UserId) -> Result<Vec<Event>, Refusal> {
    let user = state.user(user_id).ok_or_else(|| no_such("user"))?;
    let tenants: Vec<TenantId> = state.memberships(user_id).map(|(tenant_id, _)| tenant_id).collect();
    if !asked.scopes.has(Scope::TenantsAdmin) {
        // Who is no member of the own tenant is not there for whoever manages that one.
        state.member(asked.by.tenant_id, user_id).ok_or_else(|| no_such("user"))?;
        asked.may_manage(asked.by.tenant_id)?;
        if tenants.iter().any(|tenant_id| *tenant_id != asked.by.tenant_id) {
            return Err(conflict("they are a member of another tenant too: whoever runs the installation erases them"));
        }
    }
    // Asked once more, it is done already.
    if user.erased_at.is_some() {
        return Ok(Vec::new());
    }
    let mut events = Vec::new();
    for tenant_id in tenants {
        events.extend(remove_member(state, now, asked, tenant_id, user_id)?);
    }
    let asked_to_join = state.all_invitations().filter(|(_, one)| !user.email.is_empty() && one.email.text() == user.email.text());
    events.extend(asked_to_join.map(|(invitation_id, _)| Event::from(InvitationRevoked { invitation_id })));
    events.push(UserErased { user_id }.into());
    Ok(events)
}

/// A key of whoever asks, or of their tenant where they manage it.
fn own_key<'s>(state: &'s State, asked: &Asked, api_key_id: ApiKeyId) -> Result<&'s ApiKey, Refusal> {
    let key = state.key(api_key_id).ok_or_else(|| no_such("key"))?;
    let own = key.tenant_id == asked.by.tenant_id && Some(key.user_id) == asked.by.user_id;
    if own {
        return Ok(key);
    }
    asked.may_manage(key.tenant_id).map_err(|_| no_such("key"))?;
    Ok(key)
}

fn create_key(state: &State, now: Time, asked: &Asked, e: ApiKeyCreated) -> Result<Vec<Event>, Refusal> {
    let own = e.tenant_id == asked.by.tenant_id && Some(e.user_id) == asked.by.user_id;
    if !own {
        asked.may_manage(e.tenant_id)?;
    }
    if state.key(e.api_key_id).is_some() {
        return Err(conflict("there is a key with this id"));
    }
    name("name", &e.name)?;
    let member = state.member(e.tenant_id, e.user_id).ok_or_else(|| no_such("member"))?;
    asked.may_give(e.scopes)?;
    if e.scopes.is_empty() || !member.scopes().covers(e.scopes) {
        return Err(invalid("scopes", "must be some of those that the key's user has"));
    }
    if e.expires_at.is_some_and(|at| at <= now) {
        return Err(invalid("expires_at", "has passed"));
    }
    if e.nets.len() > MAX_NETS {
        return Err(invalid("nets", &format!("has more than {MAX_NETS} ranges")));
    }
    if state.keys(e.tenant_id).filter(|(_, key)| key.user_id == e.user_id).count() >= MAX_KEYS {
        return Err(too_many("keys of this user", MAX_KEYS));
    }
    Ok(vec![e.into()])
}

fn rotate_key(state: &State, now: Time, asked: &Asked, e: ApiKeyRotated) -> Result<Vec<Event>, Refusal> {
    let key = own_key(state, asked, e.api_key_id)?;
    asked.may_give(key.scopes)?;
    if now.plus(MAX_OVERLAP) < e.old_until {
        return Err(invalid("overlap_s", "must be seven days at most"));
    }
    Ok(vec![e.into()])
}
