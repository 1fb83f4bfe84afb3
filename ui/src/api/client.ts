import createClient from "openapi-fetch";
import { credentials, session } from "./session";
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

api.use({
  onRequest({ request }) {
    for (const [name, value] of Object.entries(credentials(session.get(), request.method !== "GET"))) request.headers.set(name, value);
    return request;
  },
  onResponse({ response, request }) {
    if (response.status === 401 && !request.url.includes("/auth/")) session.set(null);
    return undefined;
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
