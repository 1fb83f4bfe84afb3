import { asOf, dialog, ticket } from "./context";
import { navigate } from "./route";

export const PAGES: readonly (readonly [path: string, word: string, key: string])[] = [
  ["/desk", "Desk", "d"], ["/orders", "Orders", "o"], ["/executions", "Executions", "e"], ["/positions", "Positions", "p"], ["/risk", "Risk", "r"], ["/market", "Market", "m"],
  ["/approvals", "Approvals", "v"], ["/quotes", "Quotes", "q"], ["/allocations", "Allocations", "a"], ["/venues", "Venues", "s"],
];

export const KEYS: readonly (readonly [title: string, keys: readonly (readonly [key: string, what: string])[]])[] = [
  ["Everywhere", [
    ["Ctrl K", "find or do, or enter an order as a sentence"], ["?", "these keys"], ["/", "filter the list"], ...PAGES.map(([, word, key]) => [`g ${key}`, word] as const),
    ["[  ]", "time travel: a step back, a step forward"], ["Esc", "close, clear; it never trades"],
  ]],
  ["Lists", [
    ["↑ ↓ PgUp PgDn Home End", "move"], ["Space, Shift ↑ ↓", "select"], ["Ctrl A", "select all that pass the filter"], ["Enter", "open"], ["← →", "close, open a group"], ["Shift F10", "menu of the row"], ["Ctrl C", "copy as a table"],
  ]],
  ["Orders", [
    ["B, S", "ticket to buy, to sell, filled from the row"], ["Alt P", "preview: checks, route, cost"], ["Ctrl Enter", "send"], ["↑ ↓ + - in the price", "a tick; ten with Shift"], ["F2", "amend"], ["W", "why"], ["Delete", "cancel what is selected"],
  ]],
  ["Safety, also while typing", [["F8", "cancel all orders"], ["Shift F8", "kill switch"]]],
];

function types(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || ["INPUT", "SELECT", "TEXTAREA"].includes(target.tagName));
}

/** Keys of the whole desk. A key that is held down opens nothing. */
export function listen(): () => void {
  let going = 0;
  const onKey = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.repeat) return;
    const control = event.ctrlKey || event.metaKey;
    const take = (what: () => void) => {
      event.preventDefault();
      what();
    };
    if (event.key === "F8" && !control) return take(() => asOf.get() === null && dialog.set({ kind: event.shiftKey ? "kill" : "cancel-all" }));
    if (control && event.key.toLowerCase() === "k") return take(() => dialog.set({ kind: "palette" }));
    if (dialog.get() !== null || types(event.target) || control || event.altKey) return;
    const key = event.key.toLowerCase();
    if (Date.now() - going < 1_200) {
      going = 0;
      const page = PAGES.find(([, , letter]) => letter === key);
      if (page !== undefined) return take(() => navigate(page[0]));
    }
    if (key === "g") going = Date.now();
    else if (key === "?") take(() => dialog.set({ kind: "help" }));
    else if (key === "/") take(() => document.querySelector<HTMLElement>("[data-filter]")?.focus());
    else if (key === "[" || key === "]") take(() => document.dispatchEvent(new CustomEvent("desk:step", { detail: key === "[" ? -1 : 1 })));
    else if ((key === "b" || key === "s") && asOf.get() === null) take(() => ticket.set({ kind: "new", side: key === "b" ? "BUY" : "SELL" }));
    else if (key === "escape" && ticket.get() !== null) take(() => ticket.set(null));
  };
  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey);
}
