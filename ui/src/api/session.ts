/**
 * Who the desk is signed in as. A key lives in this tab alone (sessionStorage) and is sent as a header, or as the first message
 * of the socket. A session by cookie is the other kind: the browser sends it, and what changes something carries its CSRF token,
 * which is in memory alone; a new tab asks the desk for it.
 */
export type Session = { kind: "key"; key: string } | { kind: "cookie"; csrf: string };

const KEPT = "oms.session";
/** A mark, shared by all tabs, of the sign-in whose cookie the browser has. It says nothing of the cookie itself. */
const SIGNED_IN = "oms.signed-in";
/** `undefined`: the browser may have a cookie, and it was not asked yet whose. */
let current: Session | null | undefined = read();
const listeners = new Set<() => void>();

function read(): Session | null | undefined {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
    if (typeof kept === "object" && kept !== null && "key" in kept && typeof kept.key === "string") return { kind: "key", key: kept.key };
  } catch {
    // What cannot be read is no session.
  }
  return mayHaveCookie() ? undefined : null;
}

function tell(next: Session | null | undefined): void {
  current = next;
  for (const listener of listeners) listener();
}

export const session = {
  get: (): Session | null | undefined => current,
  /** A key is kept for this tab; a session by cookie is known to all tabs, and so is its end. */
  set: (next: Session | null): void => {
    if (next?.kind === "key") sessionStorage.setItem(KEPT, JSON.stringify(next));
    else sessionStorage.removeItem(KEPT);
    if (next === null && current?.kind !== "key") localStorage.removeItem(SIGNED_IN);
    tell(next);
  },
  subscribe: (listener: () => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};

/** Whether somebody signed in by cookie in this browser, as far as the desk knows. */
export function mayHaveCookie(): boolean {
  return localStorage.getItem(SIGNED_IN) !== null;
}

/** Another sign-in: the other tabs of the browser hear of it, since their cookie is another one from now on. */
export function markSignIn(): void {
  localStorage.setItem(SIGNED_IN, crypto.randomUUID());
}

/** Calls `changed` when another tab has signed in or out by cookie and this one does not go by a key of its own. */
export function followOtherTabs(changed: (mayHave: boolean) => void): () => void {
  const onStorage = (event: StorageEvent) => {
    if (event.key !== SIGNED_IN || current?.kind === "key") return;
    tell(event.newValue === null ? null : undefined);
    changed(event.newValue !== null);
  };
  addEventListener("storage", onStorage);
  return () => removeEventListener("storage", onStorage);
}

/** What a request carries of the session. */
export function credentials(of: Session | null | undefined, changes: boolean): Record<string, string> {
  if (of === null || of === undefined) return {};
  if (of.kind === "key") return { "X-API-Key": of.key };
  return changes ? { "X-CSRF-Token": of.csrf } : {};
}

/** A key from the link that the demo prints. It is taken out of the address before anything else happens. */
export function keyFromLink(hash: string): string | null {
  const found = /^#key=([A-Za-z0-9_]{20,128})$/.exec(hash);
  return found?.[1] ?? null;
}

/** The token of an invitation, or of the first administrator, from the link that carries it. */
export function joinFromLink(hash: string): string | null {
  const found = /^#join=(oms_(?:inv|boot)_[A-Za-z0-9_-]{10,128})$/.exec(hash);
  return found?.[1] ?? null;
}
