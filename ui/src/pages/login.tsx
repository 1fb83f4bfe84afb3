import { useState } from "react";
import { explain, unwrap } from "../api/client";
import { api } from "../api/client";
import { session } from "../api/session";
import { navigate } from "../shell/route";

/** Signs in with a key. It is tried before it is kept. */
export function LoginPage() {
  const [key, setKey] = useState("");
  const [refused, setRefused] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const enter = async () => {
    setBusy(true);
    try {
      await unwrap(api.GET("/api/v1/accounts", { headers: { "X-API-Key": key.trim() } }));
      session.set({ kind: "key", key: key.trim() });
      navigate("/desk", true);
    } catch (error) {
      setRefused(explain(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <main className="login">
      <form
        aria-label="Sign in"
        onSubmit={(event) => {
          event.preventDefault();
          void enter();
        }}
      >
        <h1><span className="brand">oms</span> desk</h1>
        <label className="field"><span>API key</span><input name="key" type="password" autoComplete="off" spellCheck={false} autoFocus value={key} onChange={(event) => { setKey(event.target.value); setRefused(null); }} /></label>
        {refused !== null && <p className="refused" role="alert">{refused}</p>}
        <button type="submit" className="send" disabled={busy || key.trim() === ""}>Sign in</button>
        <p className="muted">The key stays in this tab and is forgotten with it. A demo desk prints a link that carries its key: <code>make run</code>.</p>
      </form>
    </main>
  );
}
