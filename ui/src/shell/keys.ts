import { actionsOf, asks, chordOf, whatOf } from "./bindings";
import { asOf, dialog, ticket } from "./context";
import { navigate } from "./route";

export const PAGES: readonly (readonly [path: string, word: string, key: string])[] = [
  ["/desk", "Desk", "d"], ["/orders", "Orders", "o"], ["/executions", "Executions", "e"], ["/positions", "Positions", "p"], ["/risk", "Risk", "r"], ["/market", "Market", "m"],
  ["/approvals", "Approvals", "v"], ["/quotes", "Quotes", "q"], ["/allocations", "Allocations", "a"], ["/venues", "Venues", "s"], ["/audit", "Audit", "u"],
];

type Shown = readonly (readonly [key: string, what: string])[];

const shown = (where: Parameters<typeof actionsOf>[0]): Shown => actionsOf(where).map((action) => [chordOf(action).replaceAll("+", " "), whatOf(action)] as const);

/** The keys as they are now, for the overlay that shows them. */
export function keys(): readonly (readonly [title: string, keys: Shown])[] {
  const go = chordOf("go");
  return [
    ["Everywhere", [...shown("desk"), ...PAGES.map(([, word, key]) => [`${go} ${key}`, word] as const), ["Esc", "close, clear; it never trades"]]],
    ["Lists", [
      ["↑ ↓ PgUp PgDn Home End", "move"], ["Space, Shift ↑ ↓", "select"], ["Ctrl A", "select all that pass the filter"], ["Enter", "open"], ["← →", "close, open a group"], ["Shift F10", "menu of the row"], ["Ctrl C", "copy as a table"],
    ]],
    ["Orders", [...shown("orders"), ...shown("ticket"), ["↑ ↓ + - in the price", "a tick; ten with Shift"]]],
    ["Safety, also while typing", shown("safety")],
  ];
}

export function types(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || ["INPUT", "SELECT", "TEXTAREA"].includes(target.tagName));
}

/** Keys of the whole desk. A key that is held down opens nothing. */
export function listen(): () => void {
  let going = 0;
  const onKey = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.repeat) return;
    const take = (what: () => void) => {
      event.preventDefault();
      what();
    };
    if (asks(event, "cancel-all")) return take(() => asOf.get() === null && dialog.set({ kind: "cancel-all" }));
    if (asks(event, "kill")) return take(() => asOf.get() === null && dialog.set({ kind: "kill" }));
    if (asks(event, "palette") && !(types(event.target) && !event.ctrlKey && !event.metaKey && !event.altKey)) return take(() => dialog.set({ kind: "palette" }));
    if (dialog.get() !== null || types(event.target)) return;
    if (Date.now() - going < 1_200 && !event.ctrlKey && !event.metaKey && !event.altKey) {
      going = 0;
      const page = PAGES.find(([, , letter]) => letter === event.key.toLowerCase());
      if (page !== undefined) return take(() => navigate(page[0]));
    }
    if (asks(event, "go")) going = Date.now();
    else if (asks(event, "help")) take(() => dialog.set({ kind: "help" }));
    else if (asks(event, "filter")) take(() => document.querySelector<HTMLElement>("[data-filter]")?.focus());
    else if (asks(event, "back") || asks(event, "forward")) take(() => document.dispatchEvent(new CustomEvent("desk:step", { detail: asks(event, "back") ? -1 : 1 })));
    else if ((asks(event, "buy") || asks(event, "sell")) && asOf.get() === null) take(() => ticket.set({ kind: "new", side: asks(event, "buy") ? "BUY" : "SELL" }));
    else if (event.key === "Escape" && ticket.get() !== null) take(() => ticket.set(null));
  };
  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey);
}
