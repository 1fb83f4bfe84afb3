//! Tenants, their members, and from where these may come.

use super::account::{answer, body, client, done, identity, nets, nothing, scopes, text};
use super::{Endpoint, delete, get, post, put};
use crate::call::{Access, Call};
use crate::error::IDEMPOTENT_REPLAY;
use crate::json::{Fields, Writer};
use crate::query::bad_parameter;
use crate::reply;
use axum::response::Response;
use http::{HeaderValue, StatusCode};
use oms_auth::Identity;
use oms_auth::identity::{INVITATION_S, new_id};
use oms_identity::event::{AllowListSet, MemberSet, TenantChanged, TenantCreated, TenantFounding};
use oms_identity::state::{Founding, Tenant};
use oms_identity::{Command, Role, Scope};
use oms_model::{Code, InvitationId, Refusal, TenantId, Time, UserId};

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
        .idempotent()
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
        one(post(
            MANAGE,
            "/api/v1/tenants/{tenant_id}/members/{user_id}/erase",
            named("eraseMember", "Erase a person: the key of their name and address is destroyed"),
            erase_member,
        ))
        .optional_body("Empty")
        .json(200, "AccountDone", "Nothing says any more who they were; they are out, at once."),
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
    call.no_params()?;
    let bytes = call.body().await?;
    let value = call.parse(&bytes)?;
    let fields = Fields::of(&value, "", NEW_TENANT)?;
    let name = text(&fields, "name")?;
    let slug = fields.string("slug")?.map_or_else(|| slug_of(&name), str::to_owned);
    // Keys of one tenant's people are nothing to another's.
    let key = call.idempotency(&format!("{} POST /api/v1/tenants", call.principal.tenant_id), "", &value)?;
    let identity = identity(&call)?;
    let new = TenantId::from_u128(new_id(identity.now())?);
    let (request, fingerprint) = (key.map(|key| key.key), key.map(|key| key.fingerprint).unwrap_or_default());
    // What is being made is said first, so that it can be finished, by this request or by one that repeats it, wherever this one
    // ends; the desk next, and the account at the end: an account without a desk would be of no use.
    let founding = TenantFounding { tenant_id: new, name, slug, request, fingerprint };
    let begun = identity.execute(&call.principal, &client(&call), Command::FoundTenant(founding.clone())).await?;
    let known = request.filter(|_| begun.is_empty()).and_then(|request| asked_before(identity, request));
    let (tenant_id, Founding { name, slug, founded_at, .. }) = known.unwrap_or_else(|| (new, begun_now(founding)));
    if founded_at.is_none() {
        call.api.neighbours().found(tenant_id, slug).await?;
        let created = TenantCreated { tenant_id, name: name.clone() };
        match identity.execute(&call.principal, &client(&call), Command::CreateTenant(created)).await {
            Ok(_) => return shown(&call, StatusCode::CREATED, tenant_id),
            // Another request with the same key was here first.
            Err(_) if identity.state().tenant(tenant_id).is_some() => (),
            Err(refusal) => return Err(refusal),
        }
    }
    told_again(&call, tenant_id, name)
}

fn asked_before(identity: &Identity, request: u128) -> Option<(TenantId, Founding)> {
    identity.state().founding_asked(request, identity.now()).map(|(tenant_id, founding)| (tenant_id, founding.clone()))
}

fn begun_now(founding: TenantFounding) -> Founding {
    let TenantFounding { tenant_id: _, name, slug, request, fingerprint } = founding;
    Founding { name, slug, request, fingerprint, asked_at: Time::default(), founded_at: None }
}

/// The answer to the request that made the tenant, as it was, whatever became of the tenant since.
fn told_again(call: &Call, tenant_id: TenantId, name: String) -> Result<Response, Refusal> {
    let created_at = identity(call)?.state().tenant(tenant_id).map(|tenant| tenant.created_at);
    let created_at = created_at.ok_or_else(|| oms_identity::decide::no_such("tenant"))?;
    let first = Tenant { name, time_zone: String::new(), enabled: true, nets: Vec::new(), created_at, version: 1 };
    let mut response = answer(call, StatusCode::CREATED, |w| tenant_fields(w, tenant_id, &first));
    reply::etag(&mut response, first.version);
    response.headers_mut().insert(IDEMPOTENT_REPLAY, HeaderValue::from_static("true"));
    Ok(response)
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
                w.string_or_null("email", user.map(|user| user.shown_email()));
                w.string_or_null("name", user.map(|user| user.shown_name()));
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

async fn erase_member(mut call: Call) -> Result<Response, Refusal> {
    nothing(&mut call).await?;
    let (_known, user_id) = (tenant_of(&call)?, user_of(&call)?);
    identity(&call)?.erase_user(&call.principal, &client(&call), user_id).await?;
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
