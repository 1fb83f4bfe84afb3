//! Tenants, their members, and from where these may come.

use super::account::{answer, body, client, done, identity, nets, scopes, text};
use super::{Endpoint, delete, get, post, put};
use crate::call::{Access, Call};
use crate::json::{Fields, Writer};
use crate::query::bad_parameter;
use crate::reply;
use axum::response::Response;
use http::StatusCode;
use oms_auth::identity::{INVITATION_S, new_id};
use oms_identity::decide::{Asked, decide};
use oms_identity::event::{AllowListSet, By, MemberSet, TenantChanged, TenantCreated};
use oms_identity::state::Tenant;
use oms_identity::{Command, Role, Scope};
use oms_model::{Code, InvitationId, Refusal, TenantId, UserId};

/// The fields of each request, which the document shows too.
pub(crate) const NEW_TENANT: &[&str] = &["name", "slug"];
pub(crate) const SET_TENANT: &[&str] = &["name", "time_zone", "enabled"];
pub(crate) const INVITE: &[&str] = &["email", "role", "scopes", "life_s"];
pub(crate) const MEMBER: &[&str] = &["role", "scopes"];
pub(crate) const NETS: &[&str] = &["nets"];

const MANAGE: Access = Access::Account(Some(Scope::TenantsManage));

pub(super) fn endpoints() -> Vec<Endpoint> {
    let named = |id, summary| (id, "tenants", summary);
    let one = |endpoint: Endpoint| endpoint.errors(&[Code::NotFound, Code::StateConflict]);
    let reads = |endpoint: Endpoint| endpoint.errors(&[Code::UnsupportedMediaType]);
    vec![
        one(get(
            Access::Account(Some(Scope::AuthLogin)),
            "/api/v1/tenants",
            named("listTenants", "The own tenant; every one with tenants:admin"),
            list,
        ))
        .json(200, "TenantList", "Tenants."),
        one(reads(post(
            Access::Account(Some(Scope::TenantsAdmin)),
            "/api/v1/tenants",
            named("createTenant", "Make a tenant with a desk of its own, which is served at once"),
            create,
        )))
        .body("NewTenant")
        .json(201, "Tenant", "It is there."),
        one(get(Access::Account(Some(Scope::AuthLogin)), "/api/v1/tenants/{tenant_id}", named("getTenant", "A tenant"), show)).json(
            200,
            "Tenant",
            "The tenant.",
        ),
        one(reads(put(MANAGE, "/api/v1/tenants/{tenant_id}", named("setTenant", "Change a tenant"), change))).body("SetTenant").json(
            200,
            "Tenant",
            "It is changed.",
        ),
        one(reads(post(MANAGE, "/api/v1/tenants/{tenant_id}/invite", named("invite", "Ask somebody to join"), invite)))
            .body("Invite")
            .json(201, "Invited", "Send them the token; it is shown once."),
        one(get(MANAGE, "/api/v1/tenants/{tenant_id}/invitations", named("listInvitations", "Invitations that are open"), invitations))
            .json(200, "InvitationList", "Open invitations."),
        one(delete(
            MANAGE,
            "/api/v1/tenants/{tenant_id}/invitations/{invitation_id}",
            named("revokeInvitation", "Take an invitation back"),
            revoke_invitation,
        ))
        .json(200, "AccountDone", "It is good no more."),
        one(get(MANAGE, "/api/v1/tenants/{tenant_id}/members", named("listTenantMembers", "Who is a member, and as what"), members)).json(
            200,
            "TenantMemberList",
            "Members.",
        ),
        one(reads(put(
            MANAGE,
            "/api/v1/tenants/{tenant_id}/members/{user_id}",
            named("setMember", "Give a member another role or other scopes"),
            set_member,
        )))
        .body("SetMember")
        .json(200, "AccountDone", "It holds from the next request on."),
        one(delete(
            MANAGE,
            "/api/v1/tenants/{tenant_id}/members/{user_id}",
            named("removeMember", "End a membership: sessions and keys end with it"),
            remove_member,
        ))
        .json(200, "AccountDone", "They are out, at once."),
        one(get(MANAGE, "/api/v1/tenants/{tenant_id}/ip-allowlist", named("getAllowList", "From where members may come"), allow_list))
            .json(200, "AllowList", "Ranges of addresses; from anywhere where there are none."),
        one(reads(put(
            MANAGE,
            "/api/v1/tenants/{tenant_id}/ip-allowlist",
            named("setAllowList", "Say from where members may come"),
            set_allow_list,
        )))
        .body("SetAllowList")
        .json(200, "AllowList", "It holds from the next request on."),
    ]
}

/// The tenant that the path names, where whoever asks may know of it: their own, or any with `tenants:admin`.
fn tenant_of(call: &Call) -> Result<TenantId, Refusal> {
    let tenant_id: TenantId = call.id.parse().map_err(|error| bad_parameter("tenant_id", error))?;
    let known = tenant_id == call.principal.tenant_id || call.principal.scopes.has(Scope::TenantsAdmin);
    let there = identity(call)?.state().tenant(tenant_id).is_some();
    if known && there { Ok(tenant_id) } else { Err(oms_identity::decide::no_such("tenant")) }
}

fn tenant_fields(w: &mut Writer, tenant_id: TenantId, tenant: &Tenant) {
    w.text("tenant_id", tenant_id);
    w.string("name", &tenant.name);
    w.string("time_zone", &tenant.time_zone);
    w.bool("enabled", tenant.enabled);
    w.time("created_at", tenant.created_at);
    w.number("version", tenant.version);
}

fn shown(call: &Call, status: StatusCode, tenant_id: TenantId) -> Result<Response, Refusal> {
    let state = identity(call)?.state();
    let tenant = state.tenant(tenant_id).ok_or_else(|| oms_identity::decide::no_such("tenant"))?;
    let mut response = answer(call, status, |w| tenant_fields(w, tenant_id, tenant));
    reply::etag(&mut response, tenant.version);
    Ok(response)
}

async fn list(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let state = identity(&call)?.state();
    let all = call.principal.scopes.has(Scope::TenantsAdmin);
    let tenants = state.tenants().filter(|(tenant_id, _)| all || *tenant_id == call.principal.tenant_id);
    Ok(answer(&call, StatusCode::OK, |w| {
        w.array_at("data", tenants, |w, (tenant_id, tenant)| w.object(|w| tenant_fields(w, tenant_id, tenant)));
    }))
}

async fn create(mut call: Call) -> Result<Response, Refusal> {
    body!(call, fields, NEW_TENANT);
    let identity = identity(&call)?;
    let tenant_id = TenantId::from_u128(new_id(identity.now())?);
    let name = text(&fields, "name")?;
    let slug = fields.string("slug")?.map_or_else(|| slug_of(&name), str::to_owned);
    let command = Command::CreateTenant(TenantCreated { tenant_id, name });
    // What would be refused is refused before there is a desk of it.
    let asked = Asked { by: By::default(), scopes: call.principal.scopes };
    decide(&identity.state(), identity.now(), &asked, command.clone())?;
    // The desk first: one that is there without its account gets it at the next start, an account without a desk would be of no use.
    call.api.neighbours().found(tenant_id, slug).await?;
    identity.execute(&call.principal, &client(&call), command).await?;
    shown(&call, StatusCode::CREATED, tenant_id)
}

/// A name as that of a folder: small letters and digits, with a hyphen for whatever lies between.
fn slug_of(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}

async fn show(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let tenant_id = tenant_of(&call)?;
    shown(&call, StatusCode::OK, tenant_id)
}

async fn change(mut call: Call) -> Result<Response, Refusal> {
    body!(call, fields, SET_TENANT);
    let tenant_id = tenant_of(&call)?;
    let asked = call.if_match()?;
    let identity = identity(&call)?;
    let known = identity.state().tenant(tenant_id).cloned().ok_or_else(|| oms_identity::decide::no_such("tenant"))?;
    if asked.is_some_and(|version| version != known.version) {
        let refusal = Refusal::new(Code::VersionMismatch, "the tenant is at another version");
        return Err(refusal.with("version", known.version));
    }
    let changed = TenantChanged {
        tenant_id,
        name: fields.string("name")?.map_or(known.name, str::to_owned),
        time_zone: fields.string("time_zone")?.map_or(known.time_zone, str::to_owned),
        enabled: fields.bool("enabled")?.unwrap_or(known.enabled),
    };
    identity.execute(&call.principal, &client(&call), Command::ChangeTenant(changed)).await?;
    shown(&call, StatusCode::OK, tenant_id)
}

fn role(fields: &Fields<'_, '_>) -> Result<Role, Refusal> {
    let text = fields.required("role", fields.string("role")?)?;
    text.parse().map_err(|_| fields.bad("role", "must be one of ADMIN, MANAGER, TRADER, VIEWER"))
}

async fn invite(mut call: Call) -> Result<Response, Refusal> {
    body!(call, fields, INVITE);
    let tenant_id = tenant_of(&call)?;
    let email = text(&fields, "email")?;
    let life_s = fields.count::<u32>("life_s")?.map_or(INVITATION_S, i64::from);
    let whom = (email.as_str(), role(&fields)?, scopes(&fields, "scopes")?);
    let (invitation_id, token, expires_at) = identity(&call)?.invite(&call.principal, &client(&call), whom, tenant_id, life_s).await?;
    Ok(answer(&call, StatusCode::CREATED, |w| {
        w.text("invitation_id", invitation_id);
        w.string("token", &token);
        w.time("expires_at", expires_at);
    }))
}

async fn invitations(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let tenant_id = tenant_of(&call)?;
    let identity = identity(&call)?;
    let (state, now) = (identity.state(), identity.now());
    let open = state.invitations(tenant_id).filter(|(_, one)| now < one.expires_at);
    Ok(answer(&call, StatusCode::OK, |w| {
        w.array_at("data", open, |w, (invitation_id, one)| {
            w.object(|w| {
                w.text("invitation_id", invitation_id);
                w.string("email", &one.email);
                w.text("role", one.role);
                w.text("scope", one.extra);
                w.time("expires_at", one.expires_at);
            });
        });
    }))
}

async fn revoke_invitation(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let tenant_id = tenant_of(&call)?;
    let invitation_id: InvitationId = call.second.parse().map_err(|error| bad_parameter("invitation_id", error))?;
    let command = Command::RevokeInvitation { tenant_id, invitation_id };
    identity(&call)?.execute(&call.principal, &client(&call), command).await?;
    Ok(done(&call))
}

async fn members(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let tenant_id = tenant_of(&call)?;
    let state = identity(&call)?.state();
    Ok(answer(&call, StatusCode::OK, |w| {
        w.array_at("data", state.members(tenant_id), |w, (user_id, member)| {
            let user = state.user(user_id);
            w.object(|w| {
                w.text("user_id", user_id);
                w.string_or_null("email", user.map(|user| user.email.as_str()));
                w.string_or_null("name", user.map(|user| user.name.as_str()));
                w.text("role", member.role);
                w.text("scope", member.extra);
                w.bool("totp", user.is_some_and(|user| user.second_factor().is_some()));
                w.bool("break_glass", user.is_some_and(|user| user.break_glass));
                w.time("since", member.since);
            });
        });
    }))
}

fn user_of(call: &Call) -> Result<UserId, Refusal> {
    call.second.parse().map_err(|error| bad_parameter("user_id", error))
}

async fn set_member(mut call: Call) -> Result<Response, Refusal> {
    body!(call, fields, MEMBER);
    let (tenant_id, user_id) = (tenant_of(&call)?, user_of(&call)?);
    let member = MemberSet { tenant_id, user_id, role: role(&fields)?, extra: scopes(&fields, "scopes")? };
    identity(&call)?.execute(&call.principal, &client(&call), Command::SetMember(member)).await?;
    Ok(done(&call))
}

async fn remove_member(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let (tenant_id, user_id) = (tenant_of(&call)?, user_of(&call)?);
    identity(&call)?.execute(&call.principal, &client(&call), Command::RemoveMember { tenant_id, user_id }).await?;
    Ok(done(&call))
}

fn list_shown(call: &Call, tenant_id: TenantId) -> Result<Response, Refusal> {
    let state = identity(call)?.state();
    let nets = state.tenant(tenant_id).map(|tenant| tenant.nets.as_slice()).unwrap_or_default();
    Ok(answer(call, StatusCode::OK, |w| w.array_at("nets", nets, |w, net| w.item(&net.to_string()))))
}

async fn allow_list(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let tenant_id = tenant_of(&call)?;
    list_shown(&call, tenant_id)
}

async fn set_allow_list(mut call: Call) -> Result<Response, Refusal> {
    body!(call, fields, NETS);
    let tenant_id = tenant_of(&call)?;
    fields.required("nets", fields.get("nets"))?;
    let command = Command::SetAllowList(AllowListSet { tenant_id, nets: nets(&fields, "nets")? });
    identity(&call)?.execute(&call.principal, &client(&call), command).await?;
    list_shown(&call, tenant_id)
}
