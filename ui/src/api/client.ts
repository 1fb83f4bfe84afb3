import createClient from "openapi-fetch";
import { credentials, session } from "./session";
import { askForFactor, wantsFactor } from "./step-up";
import type { paths } from "./schema";
import type { Refusal } from "./types";

/** A refusal of the interface, with everything that it says. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly refusal: Refusal,
  ) {
    super(refusal.message);
  }
}

/** The desk cannot be reached: nothing is known of what became of the request. */
export class Unreachable extends Error {}

export const api = createClient<paths>({ baseUrl: "" });

/** Requests of people that change something, as they were before their body was read: one may have to be sent again. */
const sent = new WeakMap<Request, Request>();

api.use({
  onRequest({ request }) {
    for (const [name, value] of Object.entries(credentials(session.get(), request.method !== "GET"))) request.headers.set(name, value);
    if (request.method !== "GET" && session.get()?.kind === "cookie") sent.set(request, request.clone());
    return request;
  },
  async onResponse({ response, request }) {
    if (response.status === 401 && !request.url.includes("/auth/")) session.set(null);
    const again = sent.get(request);
    if (response.status !== 403 || again === undefined || !wantsFactor(await response.clone().json().catch(() => null))) return undefined;
    // The same request with the same idempotency key: nothing was done by the first one.
    return (await askForFactor()) ? fetch(again) : undefined;
  },
  onError() {
    return new Unreachable("the desk cannot be reached");
  },
});

function isRefusal(value: unknown): value is Refusal {
  return typeof value === "object" && value !== null && "code" in value && "message" in value;
}

/** The data of an answer, or what it was refused with. */
export async function unwrap<T>(asked: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await asked;
  if (data !== undefined && response.ok) return data;
  if (isRefusal(error)) throw new Refused(response.status, error);
  if (response.ok) return {} as T;
  throw new Unreachable(`the desk answered ${response.status}`);
}

/** A key under which a request may be repeated without acting twice. */
export function idempotencyKey(): string {
  return crypto.randomUUID();
}

/** What to tell a person of something that failed. */
export function explain(error: unknown): string {
  if (error instanceof Refused) return error.refusal.hint ? `${error.message}. ${error.refusal.hint}` : error.message;
  return error instanceof Error ? error.message : String(error);
}
