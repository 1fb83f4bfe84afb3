import { useEffect, useRef, useState } from "react";
import { api, explain, unwrap } from "../api/client";
import { asked } from "../api/step-up";
import { useCell } from "../stream/desk";

/** Asks for the second factor again, above whatever is open, where the desk wants it for what was asked. */
export function StepUp() {
  const open = useCell(asked);
  return open === null ? null : <Question settle={open.settle} />;
}

function Question({ settle }: { settle: (shown: boolean) => void }) {
  const element = useRef<HTMLDialogElement>(null);
  const [code, setCode] = useState("");
  const [refused, setRefused] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => element.current?.showModal(), []);
  return (
    <dialog ref={element} className="dialog" aria-label="Show the second factor" onCancel={() => settle(false)}>
      <header className="panel-head"><h2>Show the second factor</h2></header>
      <form
        className="dialog-body"
        onSubmit={(event) => {
          event.preventDefault();
          if (busy || code.trim() === "") return;
          setBusy(true);
          unwrap(api.POST("/api/v1/auth/step-up", { body: { code: code.trim() } }))
            .then(() => settle(true))
            .catch((error: unknown) => setRefused(explain(error)))
            .finally(() => setBusy(false));
        }}
      >
        <p>What you asked for may cost money: the desk wants to know that it is you. It is done once the code is right, and counts for a while.</p>
        <label className="field"><span>Code of your authenticator, or a recovery code</span><input name="step-up" autoComplete="one-time-code" spellCheck={false} value={code} onChange={(event) => setCode(event.target.value)} /></label>
        {refused !== null && <p className="refused" role="alert">{refused}</p>}
        <div className="dialog-actions"><button type="button" onClick={() => settle(false)}>Leave it</button><button type="submit" className="send" disabled={busy || code.trim() === ""}>Show it</button></div>
      </form>
    </dialog>
  );
}
