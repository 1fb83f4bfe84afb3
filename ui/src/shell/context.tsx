import { createContext, useContext } from "react";
import type { Order, Side } from "../api/types";
import { type Desk, useCell } from "../stream/desk";
import { Cell } from "../stream/table";

export type TicketAsk = { kind: "new"; side: Side; symbol?: string | undefined; price?: string | undefined; qty?: string | undefined; draft?: Partial<import("../ticket/model").Draft> } | { kind: "amend"; order: Order };
export type Dialog =
  | { kind: "cancel"; orders: Order[] }
  | { kind: "cancel-all" }
  | { kind: "kill" }
  | { kind: "release"; scope: string }
  | { kind: "help" }
  | { kind: "palette" };

export const DeskContext = createContext<Desk | null>(null);

export function useDesk(): Desk {
  const desk = useContext(DeskContext);
  if (desk === null) throw new Error("outside of a signed-in desk");
  return desk;
}

/** The ticket that is open, the dialog that is open, and the sequence that is looked at; `null` is now. */
export const ticket = new Cell<TicketAsk | null>(null);
export const dialog = new Cell<Dialog | null>(null);
export const asOf = new Cell<number | null>(null);

/** Why an order may not be entered now; `null` where it may. */
export function useGuard(): string | null {
  const health = useCell(useDesk().health);
  const past = useCell(asOf);
  if (past !== null) return `You are looking at sequence ${past}: the past is read only.`;
  if (!health.live) return "The stream is stale: what you see may not be so any more.";
  return null;
}
