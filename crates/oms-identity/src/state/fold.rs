//! One fact more. Total: it refuses nothing, and what is about something unknown changes nothing.

use super::{
    ApiKey, Attempt, FORGET_AFTER, Failures, Founding, Invitation, MAX_FAILURES, Member, REPEATABLE, Session, SigningKey, State, Tenant,
    Totp, User,
};
use crate::event::{Batch, Event};
use crate::net::place;
use crate::personal::{Personal, Subject};
use oms_model::{Time, UserId};

impl State {
    /// Folds a batch in.
    pub fn apply(&mut self, batch: &Batch) {
        self.batches += 1;
        for event in &batch.events {
            self.fold(batch, event);
        }
    }

    fn fold(&mut self, batch: &Batch, event: &Event) {
        let now = batch.time;
        match event {
            Event::TenantFounding(_) | Event::TenantCreated(_) | Event::TenantChanged(_) | Event::AllowListSet(_) => {
                self.fold_tenant(now, event)
            }
            Event::UserCreated(_) | Event::ProfileChanged(_) | Event::PasswordChanged(_) => self.fold_user(now, event),
            Event::TotpEnrolled(_) | Event::TotpConfirmed(_) | Event::TotpUsed(_) | Event::RecoveryCodeUsed(_) | Event::TotpDisabled(_) => {
                self.fold_totp(event)
            }
            Event::MemberSet(e) => {
                let member = Member { role: e.role, extra: e.extra, since: now };
                self.members.insert((e.tenant_id, e.user_id), member);
            }
            Event::MemberRemoved(e) => drop(self.members.remove(&(e.tenant_id, e.user_id))),
            Event::Invited(_) | Event::InvitationAccepted(_) | Event::InvitationRevoked(_) => self.fold_invitation(now, event),
            Event::BootstrapIssued(e) => self.bootstrap = Some((e.sha256, e.expires_at)),
            Event::BootstrapUsed(_) => self.bootstrap = None,
            Event::SessionOpened(_) | Event::SessionRefreshed(_) | Event::SessionRevoked(_) | Event::SessionSteppedUp(_) => {
                self.fold_session(batch, event);
            }
            Event::SignInFailed(e) => self.fold_failure((e.account, e.ip.map(place)), now),
            Event::SignInCleared(e) => {
                let attempt = (e.account, e.ip.map(place));
                self.failures.remove(&attempt);
                self.failed.retain(|one| *one != attempt);
            }
            Event::ApiKeyCreated(_) | Event::ApiKeyRotated(_) | Event::ApiKeyRevoked(_) | Event::ApiKeyUsed(_) => self.fold_key(now, event),
            Event::SigningKeyAdded(e) => {
                let key = SigningKey { public: e.public, secret: e.secret.clone(), sign_from: e.sign_from, good_until: e.good_until };
                self.signing.retain(|_, key| now < key.good_until);
                self.signing.insert(e.kid.clone(), key);
            }
            Event::SigningKeyRetired(e) => drop(self.signing.remove(&e.kid)),
            Event::MacKeySet(e) => self.mac_key = Some(e.secret.clone()),
            Event::BreakGlassUsed(_) => (),
            Event::UserErased(e) => self.erase(now, e.user_id),
            Event::KeyDestroyed(e) => drop(self.doomed.remove(&e.subject)),
        }
    }

    fn fold_tenant(&mut self, now: Time, event: &Event) {
        match event {
            Event::TenantFounding(e) => {
                self.foundings.retain(|_, one| now < one.asked_at.plus(REPEATABLE));
                let founding = Founding {
                    name: e.name.clone(),
                    slug: e.slug.clone(),
                    request: e.request,
                    fingerprint: e.fingerprint,
                    asked_at: now,
                    founded_at: None,
                };
                self.foundings.insert(e.tenant_id, founding);
            }
            Event::TenantCreated(e) => {
                if let Some(founding) = self.foundings.get_mut(&e.tenant_id) {
                    founding.founded_at = Some(now);
                }
                let tenant =
                    Tenant { name: e.name.clone(), time_zone: String::new(), enabled: true, nets: Vec::new(), created_at: now, version: 1 };
                self.tenants.insert(e.tenant_id, tenant);
            }
            Event::TenantChanged(e) => {
                let Some(tenant) = self.tenants.get_mut(&e.tenant_id) else { return };
                tenant.name.clone_from(&e.name);
                tenant.time_zone.clone_from(&e.time_zone);
                tenant.enabled = e.enabled;
                tenant.version += 1;
            }
            Event::AllowListSet(e) => {
                let Some(tenant) = self.tenants.get_mut(&e.tenant_id) else { return };
                tenant.nets.clone_from(&e.nets);
                tenant.version += 1;
            }
            _ => (),
        }
    }

    fn fold_user(&mut self, now: Time, event: &Event) {
        match event {
            Event::UserCreated(e) => {
                let user = User {
                    email: e.email.clone(),
                    name: e.name.clone(),
                    time_zone: String::new(),
                    password: e.password.clone(),
                    totp: None,
                    break_glass: e.break_glass,
                    created_at: now,
                    password_at: now,
                    erased_at: None,
                    invitations: Vec::new(),
                };
                // What is not opened yet is named once it is.
                if !e.email.is_empty() {
                    self.emails.insert(e.email.text().to_owned(), e.user_id);
                }
                self.users.insert(e.user_id, user);
            }
            Event::ProfileChanged(e) => {
                let Some(user) = self.users.get_mut(&e.user_id) else { return };
                user.name.clone_from(&e.name);
                user.time_zone.clone_from(&e.time_zone);
            }
            Event::PasswordChanged(e) => {
                let Some(user) = self.users.get_mut(&e.user_id) else { return };
                user.password = Some(e.password.clone());
                if !e.rehashed {
                    user.password_at = now;
                }
            }
            _ => (),
        }
    }

    /// Nothing is left that says who they were; that they were there is.
    fn erase(&mut self, now: Time, user_id: UserId) {
        let Some(user) = self.users.get_mut(&user_id) else { return };
        (user.email, user.name, user.time_zone) = (Personal::default(), Personal::default(), String::new());
        (user.password, user.totp, user.erased_at) = (None, None, Some(now));
        let invitations = core::mem::take(&mut user.invitations);
        self.emails.retain(|_, id| *id != user_id);
        self.doomed.insert(user_id.into());
        self.doomed.extend(invitations.into_iter().map(Subject::from));
    }

    fn totp_of(&mut self, user_id: UserId) -> Option<&mut Totp> {
        self.users.get_mut(&user_id)?.totp.as_mut()
    }

    fn fold_totp(&mut self, event: &Event) {
        match event {
            Event::TotpEnrolled(e) => {
                let Some(user) = self.users.get_mut(&e.user_id) else { return };
                user.totp = Some(Totp { secret: e.secret.clone(), confirmed: false, last_step: 0, recovery: Vec::new() });
            }
            Event::TotpConfirmed(e) => {
                let Some(totp) = self.totp_of(e.user_id) else { return };
                (totp.confirmed, totp.last_step) = (true, e.step);
                totp.recovery.clone_from(&e.recovery);
            }
            Event::TotpUsed(e) => {
                let Some(totp) = self.totp_of(e.user_id) else { return };
                totp.last_step = totp.last_step.max(e.step);
            }
            Event::RecoveryCodeUsed(e) => {
                let Some(totp) = self.totp_of(e.user_id) else { return };
                totp.recovery.retain(|code| *code != e.sha256);
            }
            Event::TotpDisabled(e) => {
                let Some(user) = self.users.get_mut(&e.user_id) else { return };
                user.totp = None;
            }
            _ => (),
        }
    }

    fn fold_invitation(&mut self, now: Time, event: &Event) {
        match event {
            Event::Invited(e) => {
                let (doomed, over) = (&mut self.doomed, |one: &Invitation| one.expires_at <= now);
                self.invitations.retain(|id, one| {
                    if over(one) && !one.email.sealed().is_empty() {
                        doomed.insert((*id).into());
                    }
                    !over(one)
                });
                let invitation = Invitation {
                    tenant_id: e.tenant_id,
                    email: e.email.clone(),
                    role: e.role,
                    extra: e.extra,
                    sha256: e.sha256,
                    expires_at: e.expires_at,
                };
                self.invitations.insert(e.invitation_id, invitation);
            }
            Event::InvitationAccepted(e) => {
                let Some(invitation) = self.invitations.remove(&e.invitation_id) else { return };
                // It says who they are as long as they are somebody.
                if !invitation.email.sealed().is_empty()
                    && let Some(user) = self.users.get_mut(&e.user_id)
                {
                    user.invitations.push(e.invitation_id);
                }
            }
            Event::InvitationRevoked(e) => {
                let Some(invitation) = self.invitations.remove(&e.invitation_id) else { return };
                if !invitation.email.sealed().is_empty() {
                    self.doomed.insert(e.invitation_id.into());
                }
            }
            _ => (),
        }
    }

    fn fold_session(&mut self, batch: &Batch, event: &Event) {
        let now = batch.time;
        match event {
            Event::SessionOpened(e) => {
                self.forget_ended(now);
                let session = Session {
                    user_id: e.user_id,
                    tenant_id: e.tenant_id,
                    cookie: e.cookie,
                    mfa_at: e.mfa.then_some(now),
                    opened_at: now,
                    refreshed_at: now,
                    generation: 1,
                    expires_at: e.expires_at,
                    ip: batch.by.ip,
                    user_agent: batch.by.user_agent.clone(),
                };
                self.ending.insert((e.expires_at, e.session_id));
                self.sessions.insert(e.session_id, session);
            }
            Event::SessionRefreshed(e) => {
                let Some(session) = self.sessions.get_mut(&e.session_id) else { return };
                self.ending.remove(&(session.expires_at, e.session_id));
                self.ending.insert((e.expires_at, e.session_id));
                (session.generation, session.expires_at, session.refreshed_at) = (e.generation, e.expires_at, now);
                session.ip = batch.by.ip;
                session.user_agent.clone_from(&batch.by.user_agent);
            }
            Event::SessionRevoked(e) => {
                let Some(session) = self.sessions.remove(&e.session_id) else { return };
                self.ending.remove(&(session.expires_at, e.session_id));
            }
            Event::SessionSteppedUp(e) => {
                let Some(session) = self.sessions.get_mut(&e.session_id) else { return };
                session.mfa_at = Some(now);
            }
            _ => (),
        }
    }

    /// Nothing asks for a session that is over. What is left is bounded by who is signed in.
    fn forget_ended(&mut self, now: Time) {
        while let Some(&(at, session_id)) = self.ending.first() {
            if now < at {
                return;
            }
            self.ending.pop_first();
            if self.sessions.get(&session_id).is_some_and(|session| session.expires_at <= now) {
                self.sessions.remove(&session_id);
            }
        }
    }

    fn fold_failure(&mut self, attempt: Attempt, now: Time) {
        let known = self.failures.get(&attempt).copied();
        if known.is_none() {
            self.failed.push_back(attempt);
        }
        let count = known.filter(|failures| now < failures.last.plus(FORGET_AFTER)).map_or(0, |failures| failures.count);
        self.failures.insert(attempt, Failures { count: count.saturating_add(1), last: now });
        while self.failed.len() > MAX_FAILURES {
            if let Some(oldest) = self.failed.pop_front() {
                self.failures.remove(&oldest);
            }
        }
    }

    fn fold_key(&mut self, now: Time, event: &Event) {
        match event {
            Event::ApiKeyCreated(e) => {
                self.key_hashes.insert(e.sha256, e.api_key_id);
                let key = ApiKey {
                    tenant_id: e.tenant_id,
                    user_id: e.user_id,
                    name: e.name.clone(),
                    prefix: e.prefix.clone(),
                    sha256: e.sha256,
                    old: None,
                    scopes: e.scopes,
                    expires_at: e.expires_at,
                    nets: e.nets.clone(),
                    created_at: now,
                    used_at: None,
                };
                self.keys.insert(e.api_key_id, key);
            }
            Event::ApiKeyRotated(e) => {
                let Some(key) = self.keys.get_mut(&e.api_key_id) else { return };
                if let Some((older, _)) = key.old.replace((key.sha256, e.old_until)) {
                    self.key_hashes.remove(&older);
                }
                key.sha256 = e.sha256;
                key.prefix.clone_from(&e.prefix);
                self.key_hashes.insert(e.sha256, e.api_key_id);
            }
            Event::ApiKeyRevoked(e) => {
                self.keys.remove(&e.api_key_id);
                self.key_hashes.retain(|_, id| *id != e.api_key_id);
            }
            Event::ApiKeyUsed(e) => {
                let Some(key) = self.keys.get_mut(&e.api_key_id) else { return };
                key.used_at = Some(now);
            }
            _ => (),
        }
    }
}

#[cfg(test)]
mod tests;
