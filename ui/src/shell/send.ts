import { type FormEvent, useState } from "react";
import { explain } from "../api/client";

/** What a form does when it is sent: once at a time, and it says why it could not. `read` may know better what a refusal means. */
export function useSend(ready: boolean, onSend: () => Promise<unknown>, read?: (error: unknown) => string | null) {
  const [refused, setRefused] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    if (busy || !ready) return;
    setBusy(true);
    setRefused(null);
    onSend().catch((error: unknown) => setRefused(read?.(error) ?? explain(error))).finally(() => setBusy(false));
  };
  return { refused, waits: busy || !ready, onSubmit };
}
