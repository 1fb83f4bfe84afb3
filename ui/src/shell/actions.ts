import { api, explain, idempotencyKey, unwrap } from "../api/client";
import type { NewOrder, Order } from "../api/types";
import { Cell } from "../stream/table";

export type Note = { id: number; kind: "ok" | "bad"; text: string };
export const notes = new Cell<readonly Note[]>([]);
let numbered = 0;

/** Says something at the edge of the screen, for a while; refusals stay longer. */
export function say(kind: Note["kind"], text: string): void {
  const note = { id: ++numbered, kind, text };
  notes.set([...notes.get().slice(-4), note]);
  setTimeout(() => notes.set(notes.get().filter((one) => one.id !== note.id)), kind === "ok" ? 4_000 : 12_000);
}

/** Runs a command and says what came of it. Answers whether it was taken. */
export async function run(what: string, command: () => Promise<unknown>): Promise<boolean> {
  try {
    await command();
    say("ok", what);
    return true;
  } catch (error) {
    say("bad", `${what}: ${explain(error)}`);
    return false;
  }
}

const keyed = (key: string) => ({ "Idempotency-Key": key });

export async function place(body: NewOrder, key: string): Promise<Order> {
  return unwrap(api.POST("/api/v1/orders", { params: { header: keyed(key) as never }, body }));
}

/** Cancels an order as it was seen: at another version the server refuses. */
export async function cancel(order: Order): Promise<unknown> {
  const header = { ...keyed(idempotencyKey()), "If-Match": `"${order.version}"` };
  return unwrap(api.POST("/api/v1/orders/{order_id}/cancel", { params: { path: { order_id: order.order_id }, header: header as never }, body: {} }));
}

export async function amend(order: Order, change: { order_qty?: string; price?: string; stop_px?: string }, key: string): Promise<unknown> {
  const header = { ...keyed(key), "If-Match": `"${order.version}"` };
  return unwrap(api.POST("/api/v1/orders/{order_id}/modify", { params: { path: { order_id: order.order_id }, header: header as never }, body: change }));
}

export async function massCancel(scope: string): Promise<{ count: number }> {
  return unwrap(api.POST("/api/v1/orders/mass-cancel", { params: { header: keyed(idempotencyKey()) as never }, body: { scope } }));
}

export async function kill(scope: string, reason: string): Promise<unknown> {
  return unwrap(api.POST("/api/v1/risk/kill-switch/engage", { params: { header: keyed(idempotencyKey()) as never }, body: { scope, reason } }));
}

export async function release(scope: string, reason: string): Promise<unknown> {
  return unwrap(api.POST("/api/v1/risk/kill-switch/release", { params: { header: keyed(idempotencyKey()) as never }, body: { scope, reason } }));
}

/** A typed command of the interface. */
export async function execute(body: Record<string, unknown>): Promise<unknown> {
  return unwrap(api.POST("/api/v1/commands/execute", { params: { header: keyed(idempotencyKey()) as never }, body: body as never }));
}
