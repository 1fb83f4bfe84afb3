import { type ReactNode, useEffect, useState } from "react";
import { enterKey, showFactor, signIn } from "../api/account";
import { api, Refused, unwrap } from "../api/client";
import { navigate } from "../shell/route";
import { useSend } from "../shell/send";

type Step =
  | { kind: "user"; told?: string }
  | { kind: "key" }
  | { kind: "factor"; challenge: string }
  | { kind: "join"; token: string };

/** The way in: a person with a password and a second factor, a key, or a link that asks somebody to join. */
export function LoginPage({ join, onJoined }: { join: string | null; onJoined: () => void }) {
  const [step, setStep] = useState<Step>({ kind: "user" });
  useEffect(() => {
    if (join !== null) setStep({ kind: "join", token: join });
  }, [join]);
  const leave = (told?: string) => {
    setStep(told === undefined ? { kind: "user" } : { kind: "user", told });
    onJoined();
  };
  return (
    <main className="login">
      <div className="login-box">
        <h1><span className="brand">oms</span> desk</h1>
        {(step.kind === "user" || step.kind === "key") && (
          <div className="segments" role="group" aria-label="Sign in with">
            <button type="button" aria-pressed={step.kind === "user"} onClick={() => setStep({ kind: "user" })}>Password</button>
            <button type="button" aria-pressed={step.kind === "key"} onClick={() => setStep({ kind: "key" })}>API key</button>
          </div>
        )}
        {step.kind === "user" && <ByPassword told={step.told} onChallenge={(challenge) => setStep({ kind: "factor", challenge })} />}
        {step.kind === "key" && <ByKey />}
        {step.kind === "factor" && <ByFactor challenge={step.challenge} onOver={() => setStep({ kind: "user" })} />}
        {step.kind === "join" && <Join token={step.token} onJoined={() => leave("You have joined. Sign in with your password.")} onOver={() => leave()} />}
      </div>
    </main>
  );
}

/** A form that does one thing, says why it could not, and is not sent twice. */
function Form(props: { label: string; action: string; ready: boolean; onSend: () => Promise<void>; refused?: (error: unknown) => string | null; children: ReactNode; more?: ReactNode }) {
  const { refused, waits, onSubmit } = useSend(props.ready, props.onSend, props.refused);
  return (
    <form aria-label={props.label} onSubmit={onSubmit}>
      {props.children}
      {refused !== null && <p className="refused" role="alert">{refused}</p>}
      <button type="submit" className="send" disabled={waits}>{props.action}</button>
      {props.more}
    </form>
  );
}

function toDesk(): void {
  if (location.pathname === "/login" || location.pathname === "/") navigate("/desk", true);
}

function ByPassword({ told, onChallenge }: { told: string | undefined; onChallenge: (challenge: string) => void }) {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  // Whoever is a member of several tenants has to say which: the desk names them once the password is right.
  const [tenants, setTenants] = useState<string[]>([]);
  const [tenant, setTenant] = useState("");
  return (
    <Form
      label="Sign in" action="Sign in" ready={email.trim() !== "" && password !== "" && (tenants.length === 0 || tenant !== "")}
      onSend={async () => {
        const challenge = await signIn(email.trim(), password, tenant === "" ? null : tenant);
        if (challenge === null) toDesk();
        else onChallenge(challenge);
      }}
      refused={(error) => {
        const known = error instanceof Refused ? (error.refusal.details as { known?: unknown }).known : undefined;
        if (typeof known !== "string") return null;
        setTenants(known.split(", "));
        return "You are a member of several tenants: choose one.";
      }}
      more={<p className="muted">A link of your administrator opens an account; the password is never shown again, and there is no default one.</p>}
    >
      {told !== undefined && <p role="status">{told}</p>}
      <label className="field"><span>E-mail</span><input name="email" type="email" autoComplete="username" spellCheck={false} autoFocus value={email} onChange={(event) => setEmail(event.target.value)} /></label>
      <label className="field"><span>Password</span><input name="password" type="password" autoComplete="current-password" value={password} onChange={(event) => setPassword(event.target.value)} /></label>
      {tenants.length > 0 && (
        <label className="field"><span>Tenant</span>
          <select name="tenant" value={tenant} onChange={(event) => setTenant(event.target.value)}>
            <option value="">Choose</option>
            {tenants.map((one) => <option key={one} value={one}>{one}</option>)}
          </select>
        </label>
      )}
    </Form>
  );
}

function ByFactor({ challenge, onOver }: { challenge: string; onOver: () => void }) {
  const [code, setCode] = useState("");
  return (
    <Form
      label="Second factor" action="Go on" ready={code.trim() !== ""}
      onSend={async () => {
        await showFactor(challenge, code.trim());
        toDesk();
      }}
      more={<button type="button" className="link" onClick={onOver}>Sign in as somebody else</button>}
    >
      <label className="field"><span>Code of your authenticator, or a recovery code</span><input name="code" autoComplete="one-time-code" inputMode="text" spellCheck={false} autoFocus value={code} onChange={(event) => setCode(event.target.value)} /></label>
    </Form>
  );
}

/** Signs in with a key. It is tried before it is kept. */
function ByKey() {
  const [key, setKey] = useState("");
  return (
    <Form
      label="Sign in with a key" action="Sign in" ready={key.trim() !== ""}
      onSend={async () => {
        await unwrap(api.GET("/api/v1/accounts", { headers: { "X-API-Key": key.trim() } }));
        await enterKey(key.trim());
        toDesk();
      }}
      more={<p className="muted">The key stays in this tab and is forgotten with it. A demo desk prints a link that carries its key: <code>make run</code>.</p>}
    >
      <label className="field"><span>API key</span><input name="key" type="password" autoComplete="off" spellCheck={false} autoFocus value={key} onChange={(event) => setKey(event.target.value)} /></label>
    </Form>
  );
}

/** Joins by an invitation, or as the first administrator by the link of `oms admin bootstrap`. */
function Join({ token, onJoined, onOver }: { token: string; onJoined: () => void; onOver: () => void }) {
  const first = token.startsWith("oms_boot_");
  const [name, setName] = useState("");
  const [email, setEmail] = useState("");
  const [firm, setFirm] = useState("");
  const [password, setPassword] = useState("");
  return (
    <Form
      label="Join" action="Join" ready={password !== "" && (!first || (email.trim() !== "" && firm.trim() !== ""))}
      onSend={async () => {
        const more = first ? { email: email.trim(), tenant_name: firm.trim() } : {};
        await unwrap(api.POST("/api/v1/auth/register", { body: { token, name: name.trim(), password, ...more } }));
        onJoined();
      }}
      more={<button type="button" className="link" onClick={onOver}>I have an account: sign in</button>}
    >
      <p>{first ? "You are the first administrator of this desk." : "You are asked to join this desk. If you have an account here already, give its password."}</p>
      <label className="field"><span>Your name</span><input name="name" autoComplete="name" autoFocus value={name} onChange={(event) => setName(event.target.value)} /></label>
      {first && <label className="field"><span>E-mail</span><input name="email" type="email" autoComplete="username" spellCheck={false} value={email} onChange={(event) => setEmail(event.target.value)} /></label>}
      {first && <label className="field"><span>Firm</span><input name="firm" autoComplete="organization" value={firm} onChange={(event) => setFirm(event.target.value)} /></label>}
      <label className="field"><span>Password, 12 characters at least</span><input name="password" type="password" autoComplete="new-password" value={password} onChange={(event) => setPassword(event.target.value)} /></label>
    </Form>
  );
}
