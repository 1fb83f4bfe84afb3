import { api, unwrap } from "./client";
import type { components } from "./schema";
import { markSignIn, mayHaveCookie, session } from "./session";

export type Profile = components["schemas"]["Profile"];
export type SignedIn = components["schemas"]["SignedIn"];

/** Signs in for a cookie. `null`: done; otherwise the challenge that wants the second factor. */
export async function signIn(email: string, password: string, tenantId: string | null): Promise<string | null> {
  const body = { email, password, cookie: true, ...(tenantId === null ? {} : { tenant_id: tenantId }) };
  return entered(await unwrap(api.POST("/api/v1/auth/login", { body })));
}

/** Shows the second factor: a code of the authenticator, or a recovery code. */
export async function showFactor(challenge: string, code: string): Promise<void> {
  entered(await unwrap(api.POST("/api/v1/auth/login/totp", { body: { challenge, code } })));
}

function entered(answer: SignedIn): string | null {
  if (answer.status === "TOTP_REQUIRED") return answer.challenge ?? "";
  markSignIn();
  session.set({ kind: "cookie", csrf: answer.csrf_token ?? "" });
  return null;
}

/** Asks whose cookie the browser has. Without one, or where it is good no more, nobody is signed in. */
export async function restore(): Promise<void> {
  try {
    const profile = await unwrap(api.GET("/api/v1/auth/profile", {}));
    session.set(profile.csrf_token === null ? null : { kind: "cookie", csrf: profile.csrf_token });
  } catch {
    session.set(null);
  }
}

/** Signs out: the session ends at the desk too, and so for every tab that has its cookie. */
export async function signOut(): Promise<void> {
  try {
    if (session.get()?.kind === "cookie") await unwrap(api.POST("/api/v1/auth/logout", {}));
  } finally {
    session.set(null);
  }
}

/** Takes a key for this tab. A session by cookie would speak for somebody else on the socket: it ends first. */
export async function enterKey(key: string): Promise<void> {
  if (session.get() === undefined || (session.get() === null && mayHaveCookie())) await restore();
  if (session.get()?.kind === "cookie") await signOut().catch(() => undefined);
  session.set({ kind: "key", key });
}
