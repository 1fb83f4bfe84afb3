//! One's own account: signing in, profile, second factor, sessions, keys.

use super::{Endpoint, Parameter, delete, get, header, post, put};
use crate::auth::{COOKIE, PLAIN_COOKIE};
use crate::call::{Access, Call};
use crate::json::decode::time;
use crate::json::{Fields, Writer};
use crate::query::bad_parameter;
use crate::reply;
use axum::body::Body;
use axum::response::Response;
use http::header::{CACHE_CONTROL, SET_COOKIE, USER_AGENT};
use http::{HeaderValue, StatusCode};
use oms_auth::Identity;
use oms_auth::identity::{Client, KeyAsked, NewKey, Proof, Registration, SignIn, Signed};
use oms_identity::event::ProfileChanged;
use oms_identity::state::ApiKey;
use oms_identity::{Command, Net, Scope, Scopes};
use oms_model::{ApiKeyId, Code, Refusal, SessionId, TenantId, UserId};

/// How long the secret before a rotation is good where nobody says so, seconds.
const OVERLAP_S: i64 = 24 * 3_600;
const OWN: Access = Access::Account(Some(Scope::AuthLogin));
const ANY: Access = Access::Account(None);

/// The fields of each request, which the document shows too.
pub(crate) const REGISTER: &[&str] = &["token", "name", "password", "email", "tenant_name"];
pub(crate) const LOGIN: &[&str] = &["email", "password", "tenant_id", "cookie"];
pub(crate) const LOGIN_TOTP: &[&str] = &["challenge", "code"];
pub(crate) const REFRESH: &[&str] = &["refresh_token"];
pub(crate) const PROFILE: &[&str] = &["name", "time_zone"];
pub(crate) const PASSWORD: &[&str] = &["current_password", "new_password"];
pub(crate) const CODE: &[&str] = &["code"];
pub(crate) const TOTP_DISABLE: &[&str] = &["password", "code"];
pub(crate) const NEW_KEY: &[&str] = &["name", "scopes", "expires_at", "nets", "user_id"];
pub(crate) const ROTATE: &[&str] = &["api_key_id", "overlap_s"];

const CSRF: Parameter = header("X-CSRF-Token", "string", "Of the session, where the request is authenticated by its cookie.");

pub(super) fn endpoints() -> Vec<Endpoint> {
    let named = |id, summary| (id, "auth", summary);
    let reads = |endpoint: Endpoint| endpoint.errors(&[Code::UnsupportedMediaType]);
    let own = |endpoint: Endpoint| endpoint.parameters(&[CSRF]).errors(&[Code::StateConflict, Code::NotFound]);
    vec![
        get(Access::Public, "/.well-known/jwks.json", named("jwks", "The keys that access tokens are signed with (RFC 7517)"), jwks)
            .json(200, "Jwks", "The keys.")
            .errors(&[Code::NotFound]),
        reads(post(
            Access::Entrance,
            "/api/v1/auth/register",
            named("register", "Join by an invitation, or make the first tenant by the bootstrap link"),
            register,
        ))
        .body("Register")
        .json(201, "Registered", "The user is there and may sign in.")
        .errors(&[Code::Unauthenticated, Code::StateConflict, Code::NotFound]),
        reads(post(Access::Entrance, "/api/v1/auth/login", named("login", "Sign in by e-mail and password"), login))
            .body("Login")
            .json(200, "SignedIn", "Tokens or, with `cookie`, a session cookie and its CSRF token; or a challenge for the second factor.")
            .errors(&[Code::Unauthenticated, Code::Forbidden, Code::NotFound]),
        reads(post(Access::Entrance, "/api/v1/auth/login/totp", named("loginTotp", "Show the second factor"), login_totp))
            .body("LoginTotp")
            .json(200, "SignedIn", "Signed in.")
            .errors(&[Code::Unauthenticated, Code::Forbidden, Code::NotFound]),
        reads(post(
            Access::Entrance,
            "/api/v1/auth/refresh",
            named("refreshTokens", "Renew the tokens of a session, once for each token"),
            refresh,
        ))
        .body("Refresh")
        .json(200, "SignedIn", "New tokens; the old refresh token is used up.")
        .errors(&[Code::Unauthenticated, Code::NotFound]),
        own(post(ANY, "/api/v1/auth/logout", named("logout", "End the session"), logout)).optional_body("Empty").json(
            200,
            "AccountDone",
            "It is over, at once.",
        ),
        own(reads(post(OWN, "/api/v1/auth/step-up", named("stepUp", "Show the second factor again, for what asks for it"), step_up)))
            .body("TotpCode")
            .json(200, "AccountDone", "It counts for a quarter of an hour."),
        own(get(OWN, "/api/v1/auth/profile", named("getProfile", "Who one is, and what one may do"), profile)).json(
            200,
            "Profile",
            "The profile.",
        ),
        own(reads(put(OWN, "/api/v1/auth/profile", named("setProfile", "Change name or time zone"), set_profile))).body("SetProfile").json(
            200,
            "AccountDone",
            "It is changed.",
        ),
        own(reads(post(OWN, "/api/v1/auth/password", named("changePassword", "Choose another password; other sessions end"), password)))
            .body("ChangePassword")
            .json(200, "AccountDone", "It is changed."),
        own(post(OWN, "/api/v1/auth/totp/enrol", named("enrolTotp", "Have a second factor handed out"), enrol))
            .optional_body("Empty")
            .json(200, "TotpEnrolled", "Shown once; it counts once it is confirmed."),
        own(reads(post(OWN, "/api/v1/auth/totp/confirm", named("confirmTotp", "Confirm the second factor with a code of it"), confirm)))
            .body("TotpCode")
            .json(200, "RecoveryCodes", "It counts from now on. Shown once."),
        own(reads(post(OWN, "/api/v1/auth/totp/disable", named("disableTotp", "Take the second factor away"), disable)))
            .body("TotpDisable")
            .json(200, "AccountDone", "It is gone."),
        own(get(OWN, "/api/v1/auth/sessions", named("listSessions", "Where one is signed in"), sessions)).json(
            200,
            "SessionList",
            "Open sessions.",
        ),
        own(delete(OWN, "/api/v1/auth/sessions/{session_id}", named("revokeSession", "End a session of one's own"), revoke_session)).json(
            200,
            "AccountDone",
            "It is over, at once.",
        ),
        own(get(OWN, "/api/v1/auth/api-keys", named("listApiKeys", "One's keys; those of the tenant with tenants:manage"), keys)).json(
            200,
            "ApiKeyList",
            "Keys, never their secrets.",
        ),
        own(reads(post(OWN, "/api/v1/auth/api-keys", named("createApiKey", "Make a key"), create_key))).body("NewApiKey").json(
            201,
            "CreatedApiKey",
            "Shown once.",
        ),
        own(delete(OWN, "/api/v1/auth/api-keys/{api_key_id}", named("revokeApiKey", "Take a key back"), revoke_key)).json(
            200,
            "AccountDone",
            "It is good no more, at once.",
        ),
        own(reads(post(
            ANY,
            "/api/v1/auth/rotate-api-key",
            named("rotateApiKey", "Give a key a new secret; the old one is good for a while"),
            rotate,
        )))
        .body("RotateApiKey")
        .json(200, "CreatedApiKey", "Shown once."),
    ]
}

/// The identities of the installation.
pub(super) fn identity(call: &Call) -> Result<&Identity, Refusal> {
    call.api.identity().ok_or_else(|| Refusal::new(Code::NotFound, "this desk keeps no accounts, only the keys of its log"))
}

/// Where the call comes from.
pub(super) fn client(call: &Call) -> Client {
    let user_agent = call.headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    Client { ip: call.principal.ip, user_agent, trace_id: call.trace_id }
}

pub(super) fn answer(call: &Call, status: StatusCode, fill: impl FnOnce(&mut Writer)) -> Response {
    let mut w = Writer::with_capacity(512);
    w.object(fill);
    reply::json(status, w.finish(), call.trace_id)
}

pub(super) fn done(call: &Call) -> Response {
    answer(call, StatusCode::OK, |w| w.text("status", "DONE"))
}

/// Reads the body of a request whose fields are known.
macro_rules! body {
    ($call:ident, $fields:ident, $known:expr) => {
        $call.no_params()?;
        let bytes = $call.body().await?;
        let value = $call.parse(&bytes)?;
        let $fields = Fields::of(&value, "", $known)?;
    };
}
pub(super) use body;

pub(super) fn text(fields: &Fields<'_, '_>, name: &str) -> Result<String, Refusal> {
    fields.required(name, fields.string(name)?).map(str::to_owned)
}

async fn jwks(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let mut response = reply::body(StatusCode::OK, "application/json", Body::from(identity(&call)?.jwks()), call.trace_id);
    // A new key is published an hour before it signs.
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=600"));
    Ok(response)
}

async fn register(mut call: Call) -> Result<Response, Refusal> {
    body!(call, fields, REGISTER);
    let token = text(&fields, "token")?;
    let registration = Registration {
        name: fields.string("name")?.unwrap_or_default().to_owned(),
        password: text(&fields, "password")?,
        email: fields.string("email")?.map(str::to_owned),
        tenant_name: fields.string("tenant_name")?.map(str::to_owned),
    };
    let user_id = identity(&call)?.register(&client(&call), &token, registration).await?;
    Ok(answer(&call, StatusCode::CREATED, |w| w.text("user_id", user_id)))
}

async fn login(mut call: Call) -> Result<Response, Refusal> {
    body!(call, fields, LOGIN);
    let (email, password) = (text(&fields, "email")?, text(&fields, "password")?);
    let tenant_id: Option<TenantId> = fields.parsed("tenant_id")?;
    let cookie = fields.bool("cookie")?.unwrap_or(false);
    match identity(&call)?.login(&client(&call), &email, password, tenant_id, cookie).await? {
        SignIn::Done(signed) => Ok(signed_in(&call, &signed)),
        SignIn::TotpNeeded { challenge, expires_in } => Ok(answer(&call, StatusCode::OK, |w| {
            w.text("status", "TOTP_REQUIRED");
            w.string("challenge", &challenge);
            w.number("expires_in", expires_in);
        })),
    }
}

async fn login_totp(mut call: Call) -> Result<Response, Refusal> {
    body!(call, fields, LOGIN_TOTP);
    let (challenge, code) = (text(&fields, "challenge")?, text(&fields, "code")?);
    let signed = identity(&call)?.login_totp(&client(&call), &challenge, &code).await?;
    Ok(signed_in(&call, &signed))
}

async fn refresh(mut call: Call) -> Result<Response, Refusal> {
    body!(call, fields, REFRESH);
    let token = text(&fields, "refresh_token")?;
    let signed = identity(&call)?.refresh(&client(&call), &token).await?;
    Ok(signed_in(&call, &signed))
}

fn signed_in(call: &Call, signed: &Signed) -> Response {
    let mut response = answer(call, StatusCode::OK, |w| {
        w.text("status", "SIGNED_IN");
        w.text("user_id", signed.user_id);
        w.text("tenant_id", signed.tenant_id);
        w.text("session_id", signed.session_id);
        w.text("scope", signed.scopes);
        match &signed.proof {
            Proof::Tokens { access, access_s, refresh, refresh_s } => {
                w.text("token_type", "Bearer");
                w.string("access_token", access);
                w.number("expires_in", *access_s);
                w.string("refresh_token", refresh);
                w.number("refresh_expires_in", *refresh_s);
            }
            Proof::Cookie { csrf, life_s, .. } => {
                w.string("csrf_token", csrf);
                w.number("expires_in", *life_s);
            }
        }
    });
    if let Proof::Cookie { value, life_s, .. } = &signed.proof {
        set_cookie(call, &mut response, value, *life_s);
    }
    response
}

/// Scripts never see it, other sites never send it, and behind TLS nothing but TLS carries it.
fn set_cookie(call: &Call, response: &mut Response, value: &str, life_s: i64) {
    let (name, secure) = if call.api.config().secure { (COOKIE, "; Secure") } else { (PLAIN_COOKIE, "") };
    let line = format!("{name}={value}; Path=/; Max-Age={life_s}; HttpOnly; SameSite=Strict{secure}");
    if let Ok(line) = HeaderValue::try_from(line) {
        response.headers_mut().insert(SET_COOKIE, line);
    }
}

async fn logout(mut call: Call) -> Result<Response, Refusal> {
    nothing(&mut call).await?;
    identity(&call)?.logout(&call.principal, &client(&call)).await?;
    let mut response = done(&call);
    set_cookie(&call, &mut response, "", 0);
    Ok(response)
}

/// The request has neither parameters nor fields.
pub(super) async fn nothing(call: &mut Call) -> Result<(), Refusal> {
    call.no_params()?;
    let bytes = call.optional_body().await?;
    let value = call.parse_or_empty(&bytes)?;
    Fields::of(&value, "", &[]).map(drop)
}

async fn step_up(mut call: Call) -> Result<Response, Refusal> {
    body!(call, fields, CODE);
    let code = text(&fields, "code")?;
    identity(&call)?.step_up(&call.principal, &client(&call), &code).await?;
    Ok(done(&call))
}

async fn profile(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let identity = identity(&call)?;
    let principal = &call.principal;
    let state = identity.state();
    let user = state.user(principal.user_id);
    let tenant = state.tenant(principal.tenant_id);
    let member = state.member(principal.tenant_id, principal.user_id);
    Ok(answer(&call, StatusCode::OK, |w| {
        w.text("user_id", principal.user_id);
        w.text("tenant_id", principal.tenant_id);
        w.string_or_null("tenant_name", tenant.map(|tenant| tenant.name.as_str()));
        w.string_or_null("email", user.map(|user| user.shown_email()));
        w.string_or_null("name", user.map(|user| user.shown_name()));
        w.string_or_null("time_zone", user.map(|user| user.time_zone.as_str()));
        w.text_or_null("role", member.map(|member| member.role));
        w.text("scope", principal.scopes);
        w.bool("totp", user.is_some_and(|user| user.second_factor().is_some()));
        w.number("recovery_codes_left", user.and_then(|user| user.totp.as_ref()).map_or(0, |totp| totp.recovery.len() as u64));
        // Pages of other sites cannot read it; one of ours that was opened anew needs it again.
        w.string_or_null("csrf_token", identity.csrf(principal).as_deref());
        w.array_at("memberships", state.memberships(principal.user_id), |w, (tenant_id, member)| {
            w.object(|w| {
                w.text("tenant_id", tenant_id);
                w.text("role", member.role);
            });
        });
    }))
}

async fn set_profile(mut call: Call) -> Result<Response, Refusal> {
    body!(call, fields, PROFILE);
    let identity = identity(&call)?;
    let user_id = call.principal.user_id;
    let known = identity.state().user(user_id).map(|user| (user.name.text().to_owned(), user.time_zone.clone()));
    let (name, time_zone) = known.ok_or_else(|| Refusal::new(Code::NotFound, "the credential is of no user"))?;
    let changed = ProfileChanged {
        user_id,
        name: fields.string("name")?.map_or(name, str::to_owned).into(),
        time_zone: fields.string("time_zone")?.map_or(time_zone, str::to_owned),
    };
    identity.execute(&call.principal, &client(&call), Command::ChangeProfile(changed)).await?;
    Ok(done(&call))
}

async fn password(mut call: Call) -> Result<Response, Refusal> {
    body!(call, fields, PASSWORD);
    let (current, new) = (text(&fields, "current_password")?, text(&fields, "new_password")?);
    identity(&call)?.change_password(&call.principal, &client(&call), current, new).await?;
    Ok(done(&call))
}

async fn enrol(mut call: Call) -> Result<Response, Refusal> {
    nothing(&mut call).await?;
    let enrolled = identity(&call)?.enrol_totp(&call.principal, &client(&call)).await?;
    Ok(answer(&call, StatusCode::OK, |w| {
        w.string("secret", &enrolled.secret);
        w.string("uri", &enrolled.uri);
    }))
}

async fn confirm(mut call: Call) -> Result<Response, Refusal> {
    body!(call, fields, CODE);
    let code = text(&fields, "code")?;
    let codes = identity(&call)?.confirm_totp(&call.principal, &client(&call), &code).await?;
    Ok(answer(&call, StatusCode::OK, |w| w.array_at("recovery_codes", &codes, |w, code| w.item(code))))
}

async fn disable(mut call: Call) -> Result<Response, Refusal> {
    body!(call, fields, TOTP_DISABLE);
    let (password, code) = (text(&fields, "password")?, text(&fields, "code")?);
    identity(&call)?.disable_totp(&call.principal, &client(&call), password, &code).await?;
    Ok(done(&call))
}

async fn sessions(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let identity = identity(&call)?;
    let (state, now) = (identity.state(), identity.now());
    Ok(answer(&call, StatusCode::OK, |w| {
        w.array_at("data", state.sessions(call.principal.user_id, now), |w, (session_id, session)| {
            w.object(|w| {
                w.text("session_id", session_id);
                w.text("tenant_id", session.tenant_id);
                w.bool("cookie", session.cookie);
                w.bool("current", call.principal.session_id() == Some(session_id));
                w.time("opened_at", session.opened_at);
                w.time("refreshed_at", session.refreshed_at);
                w.time("expires_at", session.expires_at);
                w.text_or_null("ip", session.ip);
                w.string("user_agent", &session.user_agent);
            });
        });
    }))
}

async fn revoke_session(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let session_id: SessionId = call.id.parse().map_err(|error| bad_parameter("session_id", error))?;
    let identity = identity(&call)?;
    let own = identity.state().session(session_id, identity.now()).is_some_and(|one| one.user_id == call.principal.user_id);
    if !own {
        return Err(Refusal::new(Code::NotFound, "there is no such session"));
    }
    let command = Command::RevokeSession { session_id, reason: "revoked by its user".to_owned() };
    identity.execute(&call.principal, &client(&call), command).await?;
    Ok(done(&call))
}

fn key_fields(w: &mut Writer, api_key_id: ApiKeyId, key: &ApiKey) {
    w.text("api_key_id", api_key_id);
    w.text("user_id", key.user_id);
    w.string("name", &key.name);
    w.string("prefix", &key.prefix);
    w.text("scope", key.scopes);
    w.array_at("nets", &key.nets, |w, net| w.item(&net.to_string()));
    w.time("created_at", key.created_at);
    w.time_or_null("expires_at", key.expires_at);
    w.time_or_null("used_at", key.used_at);
    w.time_or_null("old_secret_until", key.old.map(|(_, until)| until));
}

async fn keys(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let state = identity(&call)?.state();
    let all = call.principal.scopes.has(Scope::TenantsManage);
    let shown = state.keys(call.principal.tenant_id).filter(|(_, key)| all || key.user_id == call.principal.user_id);
    Ok(answer(&call, StatusCode::OK, |w| {
        w.array_at("data", shown, |w, (id, key)| w.object(|w| key_fields(w, id, key)));
    }))
}

/// Scopes as a list of names.
pub(super) fn scopes(fields: &Fields<'_, '_>, name: &str) -> Result<Scopes, Refusal> {
    let names: Vec<String> = if fields.get(name).is_some() { fields.parsed_list(name)? } else { Vec::new() };
    names.iter().try_fold(Scopes::NONE, |all, text| {
        let scope: Scope = text.parse().map_err(|_| fields.bad(name, format_args!("has {text:?}, which is no scope")))?;
        Ok(all | Scopes::of(&[scope]))
    })
}

/// Ranges of addresses as a list.
pub(super) fn nets(fields: &Fields<'_, '_>, name: &str) -> Result<Vec<Net>, Refusal> {
    let texts: Vec<String> = if fields.get(name).is_some() { fields.parsed_list(name)? } else { Vec::new() };
    let parse =
        |text: &String| text.parse().map_err(|_| fields.bad(name, format_args!("has {text:?}, which is no range such as 10.0.0.0/8")));
    texts.iter().map(parse).collect()
}

async fn create_key(mut call: Call) -> Result<Response, Refusal> {
    body!(call, fields, NEW_KEY);
    let expires_at = match fields.string("expires_at")? {
        Some(text) => Some(time(text).ok_or_else(|| fields.bad("expires_at", "must be a time (RFC 3339)"))?),
        None => None,
    };
    let user_id: Option<UserId> = fields.parsed("user_id")?;
    let asked =
        KeyAsked { user_id, name: text(&fields, "name")?, scopes: scopes(&fields, "scopes")?, expires_at, nets: nets(&fields, "nets")? };
    let made = identity(&call)?.create_key(&call.principal, &client(&call), asked).await?;
    Ok(shown_once(&call, StatusCode::CREATED, &made))
}

fn shown_once(call: &Call, status: StatusCode, made: &NewKey) -> Response {
    answer(call, status, |w| {
        w.text("api_key_id", made.api_key_id);
        w.string("api_key", &made.key);
    })
}

async fn revoke_key(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let api_key_id: ApiKeyId = call.id.parse().map_err(|error| bad_parameter("api_key_id", error))?;
    identity(&call)?.execute(&call.principal, &client(&call), Command::RevokeApiKey { api_key_id }).await?;
    Ok(done(&call))
}

async fn rotate(mut call: Call) -> Result<Response, Refusal> {
    body!(call, fields, ROTATE);
    let named: Option<ApiKeyId> = fields.parsed("api_key_id")?;
    let api_key_id = fields.required("api_key_id", named.or(call.principal.api_key_id()))?;
    // Whoever holds a key may renew it; another's key needs the scope that made it.
    if call.principal.api_key_id() != Some(api_key_id) {
        call.principal.require(Scope::AuthLogin)?;
    }
    let overlap_s = fields.count::<u32>("overlap_s")?.map_or(OVERLAP_S, i64::from);
    let made = identity(&call)?.rotate_key(&call.principal, &client(&call), api_key_id, overlap_s).await?;
    Ok(shown_once(&call, StatusCode::OK, &made))
}
