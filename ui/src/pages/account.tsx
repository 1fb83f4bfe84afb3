import { useQuery as useAsked, useQueryClient } from "@tanstack/react-query";
import { encode } from "uqr";
import { type ReactNode, useMemo, useState } from "react";
import type { Profile } from "../api/account";
import { api, explain, unwrap } from "../api/client";
import { run, say } from "../shell/actions";
import { Panel, short, Time } from "../shell/parts";
import { useSend } from "../shell/send";

/** Who one is here, the second factor, the password, where one is signed in, and one's keys. */
export default function AccountPage() {
  const profile = useAsked({ queryKey: ["profile"], queryFn: () => unwrap(api.GET("/api/v1/auth/profile", {})) });
  if (profile.error !== null) return <Panel title="Account"><p className="refused" role="alert">{explain(profile.error)}</p></Panel>;
  if (profile.data === undefined) return <Panel title="Account"><p className="muted">Looking…</p></Panel>;
  const known = profile.data;
  if (known.email === null) return <div className="page"><Panel title="Account"><Who of={known} /><p className="muted">This is the key of the desk itself: it belongs to no person, so there is no password and no second factor.</p></Panel></div>;
  return (
    <div className="page account-page">
      <Panel title="Account"><Who of={known} /><Names key={`${known.name} ${known.time_zone}`} of={known} /></Panel>
      <Panel title="Second factor">{known.totp ? <Factor of={known} /> : <Enrol />}</Panel>
      <Panel title="Password"><Password /></Panel>
      <Panel title="Signed in" className="wide"><Sessions /></Panel>
      <Panel title="Keys" className="wide"><Keys /></Panel>
    </div>
  );
}

function Who({ of }: { of: Profile }) {
  return (
    <dl className="facts">
      <div><dt>E-mail</dt><dd>{of.email ?? "none"}</dd></div>
      <div><dt>Role</dt><dd>{of.role ?? "administrator"}</dd></div>
      <div><dt>Tenant</dt><dd title={of.tenant_id}>{of.tenant_name ?? short(of.tenant_id)}</dd></div>
      <div><dt>May</dt><dd className="scopes">{of.scope}</dd></div>
    </dl>
  );
}

/** A form of the page: what it does, whether it may, and what came of it. */
function Ask(props: { label: string; action: string; ready: boolean; onSend: () => Promise<unknown>; children: ReactNode }) {
  const { refused, waits, onSubmit } = useSend(props.ready, props.onSend);
  return (
    <form className="inline-form" aria-label={props.label} onSubmit={onSubmit}>
      {props.children}
      <button type="submit" disabled={waits}>{props.action}</button>
      {refused !== null && <p className="refused" role="alert">{refused}</p>}
    </form>
  );
}

/** Whatever was asked of the account is asked again. */
function useRenew(): () => Promise<void> {
  const queries = useQueryClient();
  return () => queries.invalidateQueries({ predicate: (query) => ["profile", "sessions", "keys"].includes(String(query.queryKey[0])) });
}

function Names({ of }: { of: Profile }) {
  const [name, setName] = useState(of.name ?? "");
  const [zone, setZone] = useState(of.time_zone ?? "");
  const renew = useRenew();
  return (
    <Ask label="Names" action="Save" ready={name !== of.name || zone !== of.time_zone} onSend={() => unwrap(api.PUT("/api/v1/auth/profile", { body: { name, time_zone: zone } })).then(renew).then(() => say("ok", "Saved"))}>
      <label className="field"><span>Name</span><input name="name" autoComplete="name" value={name} onChange={(event) => setName(event.target.value)} /></label>
      <label className="field"><span>Time zone</span><input name="zone" autoComplete="off" value={zone} onChange={(event) => setZone(event.target.value)} /></label>
    </Ask>
  );
}

/** The code is made here: its secret leaves the desk for nobody. */
function Code({ text }: { text: string }) {
  const { path, size } = useMemo(() => {
    const made = encode(text, { ecc: "M", border: 4 });
    const squares = made.data.flatMap((line, y) => line.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])));
    return { path: squares.join(""), size: made.size };
  }, [text]);
  return <svg className="qr" role="img" aria-label="Code to scan with an authenticator" viewBox={`0 0 ${size} ${size}`} shapeRendering="crispEdges"><rect width={size} height={size} fill="#ffffff" /><path d={path} fill="#000000" /></svg>;
}

function Enrol() {
  const [handed, setHanded] = useState<{ secret: string; uri: string } | null>(null);
  const [code, setCode] = useState("");
  const [codes, setCodes] = useState<string[] | null>(null);
  const renew = useRenew();
  if (codes !== null) return <Recovery codes={codes} onKept={renew} />;
  if (handed === null) {
    return (
      <Ask label="Second factor" action="Set up" ready onSend={() => unwrap(api.POST("/api/v1/auth/totp/enrol", {})).then(setHanded)}>
        <p>Without one, the password alone opens your account. Any authenticator app that makes six digits will do.</p>
      </Ask>
    );
  }
  return (
    <div className="enrol">
      <Code text={handed.uri} />
      <div>
        <p>Scan the code, or type this secret: <code className="secret">{handed.secret}</code></p>
        <Ask label="Confirm the second factor" action="Confirm" ready={code.trim() !== ""} onSend={() => unwrap(api.POST("/api/v1/auth/totp/confirm", { body: { code: code.trim() } })).then((done) => setCodes(done.recovery_codes))}>
          <label className="field"><span>Code that it shows now</span><input name="code" autoComplete="one-time-code" inputMode="numeric" spellCheck={false} value={code} onChange={(event) => setCode(event.target.value)} /></label>
        </Ask>
      </div>
    </div>
  );
}

function Recovery({ codes, onKept }: { codes: readonly string[]; onKept: () => Promise<void> }) {
  return (
    <div className="recovery">
      <p><b>Keep these recovery codes where nobody else finds them.</b> Each is good once, in place of a code; they are not shown again.</p>
      <ul aria-label="Recovery codes">{codes.map((code) => <li key={code}><code>{code}</code></li>)}</ul>
      <div className="dialog-actions">
        <button type="button" onClick={() => void run("Copied", () => navigator.clipboard.writeText(codes.join("\n")))}>Copy them</button>
        <button type="button" className="send" onClick={() => void onKept()}>I have kept them</button>
      </div>
    </div>
  );
}

function Factor({ of }: { of: Profile }) {
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const renew = useRenew();
  return (
    <>
      <p className="calm">✓ Set up. Recovery codes left: {of.recovery_codes_left}.</p>
      <details>
        <summary>Take it away</summary>
        <Ask label="Take the second factor away" action="Take it away" ready={password !== "" && code.trim() !== ""} onSend={() => unwrap(api.POST("/api/v1/auth/totp/disable", { body: { password, code: code.trim() } })).then(renew)}>
          <label className="field"><span>Password</span><input name="password" type="password" autoComplete="current-password" value={password} onChange={(event) => setPassword(event.target.value)} /></label>
          <label className="field"><span>Code, or a recovery code</span><input name="code" autoComplete="one-time-code" spellCheck={false} value={code} onChange={(event) => setCode(event.target.value)} /></label>
        </Ask>
      </details>
    </>
  );
}

function Password() {
  const [before, setBefore] = useState("");
  const [next, setNext] = useState("");
  const renew = useRenew();
  const send = async () => {
    await unwrap(api.POST("/api/v1/auth/password", { body: { current_password: before, new_password: next } }));
    setBefore("");
    setNext("");
    say("ok", "The password is changed; other sessions have ended");
    await renew();
  };
  return (
    <Ask label="Password" action="Change it" ready={before !== "" && next !== ""} onSend={send}>
      <label className="field"><span>Password now</span><input name="before" type="password" autoComplete="current-password" value={before} onChange={(event) => setBefore(event.target.value)} /></label>
      <label className="field"><span>New one, 12 characters at least</span><input name="next" type="password" autoComplete="new-password" value={next} onChange={(event) => setNext(event.target.value)} /></label>
    </Ask>
  );
}

function Sessions() {
  const found = useAsked({ queryKey: ["sessions"], queryFn: () => unwrap(api.GET("/api/v1/auth/sessions", {})), refetchInterval: 5_000 });
  const renew = useRenew();
  if (found.error !== null) return <p className="refused" role="alert">{explain(found.error)}</p>;
  return (
    <table className="table" aria-label="Sessions">
      <thead><tr><th>Since</th><th>By</th><th>Session</th><th>From</th><th>Until</th><th>End</th></tr></thead>
      <tbody>
        {(found.data?.data ?? []).map((one) => (
          <tr key={one.session_id} className={one.current ? "row-taken" : ""}>
            <td><Time at={one.opened_at} /></td><td>{one.cookie ? "browser" : "token"}</td><td title={one.session_id}>{short(one.session_id)}</td><td className="program">{one.ip ?? ""} {one.user_agent}</td><td><Time at={one.expires_at} /></td>
            <td>{one.current ? "this one" : <button type="button" onClick={() => void run("The session is over", () => unwrap(api.DELETE("/api/v1/auth/sessions/{session_id}", { params: { path: { session_id: one.session_id } } })).then(renew))}>End it</button>}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Keys() {
  const found = useAsked({ queryKey: ["keys"], queryFn: () => unwrap(api.GET("/api/v1/auth/api-keys", {})) });
  const renew = useRenew();
  if (found.error !== null) return <p className="refused" role="alert">{explain(found.error)}</p>;
  const keys = found.data?.data ?? [];
  if (keys.length === 0) return <p className="muted">You have no keys. They are made by <code>POST /api/v1/auth/api-keys</code>, for programs.</p>;
  return (
    <table className="table" aria-label="Keys">
      <thead><tr><th>Name</th><th>Begins with</th><th>May</th><th>Made</th><th>Used</th><th>Until</th><th>End</th></tr></thead>
      <tbody>
        {keys.map((one) => (
          <tr key={one.api_key_id}>
            <td>{one.name}</td><td><code>{one.prefix}</code></td><td>{one.scope}</td><td><Time at={one.created_at} /></td><td><Time at={one.used_at} /></td><td><Time at={one.expires_at} /></td>
            <td><button type="button" onClick={() => void run("The key is good no more", () => unwrap(api.DELETE("/api/v1/auth/api-keys/{api_key_id}", { params: { path: { api_key_id: one.api_key_id } } })).then(renew))}>Take it back</button></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
