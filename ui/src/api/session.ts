/**
 * Who the desk is signed in as. A key lives in this tab alone (sessionStorage) and is sent as a header, or as the first message
 * of the socket. A session by cookie is the other kind: the browser sends it, and what changes something carries its CSRF token.
 */
export type Session = { kind: "key"; key: string } | { kind: "cookie"; csrf: string };

const KEPT = "oms.session";
let current: Session | null = read();
const listeners = new Set<() => void>();

function read(): Session | null {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
    if (typeof kept !== "object" || kept === null) return null;
    if ("key" in kept && typeof kept.key === "string") return { kind: "key", key: kept.key };
    if ("csrf" in kept && typeof kept.csrf === "string") return { kind: "cookie", csrf: kept.csrf };
  } catch {
    // What cannot be read is no session.
  }
  return null;
}

export const session = {
  get: (): Session | null => current,
  set: (next: Session | null): void => {
    current = next;
    if (next === null) sessionStorage.removeItem(KEPT);
    else sessionStorage.setItem(KEPT, JSON.stringify(next));
    for (const listener of listeners) listener();
  },
  subscribe: (listener: () => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};

/** What a request carries of the session. */
export function credentials(of: Session | null, changes: boolean): Record<string, string> {
  if (of === null) return {};
  if (of.kind === "key") return { "X-API-Key": of.key };
  return changes ? { "X-CSRF-Token": of.csrf } : {};
}

/** A key from the link that the demo prints. It is taken out of the address before anything else happens. */
export function keyFromLink(hash: string): string | null {
  const found = /^#key=([A-Za-z0-9_]{20,128})$/.exec(hash);
  return found?.[1] ?? null;
}
