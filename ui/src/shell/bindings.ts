import { Cell } from "../stream/table";

type Where = "desk" | "orders" | "ticket" | "safety";

/** What can be done by a key, and by which one where nobody chose another. */
const FIRST = {
  palette: ["Ctrl+K", "find or do, or enter an order as a sentence", "desk"],
  help: ["?", "these keys", "desk"],
  filter: ["/", "filter the list", "desk"],
  go: ["G", "then the letter of a page: go there", "desk"],
  back: ["[", "time travel: a step back", "desk"],
  forward: ["]", "time travel: a step forward", "desk"],
  buy: ["B", "ticket to buy, filled from the row", "desk"],
  sell: ["S", "ticket to sell, filled from the row", "desk"],
  why: ["W", "why", "orders"],
  amend: ["F2", "amend", "orders"],
  cancel: ["Delete", "cancel what is selected", "orders"],
  preview: ["Alt+P", "preview: checks, route, cost", "ticket"],
  send: ["Ctrl+Enter", "send", "ticket"],
  "cancel-all": ["F8", "cancel all orders", "safety"],
  kill: ["Shift+F8", "kill switch", "safety"],
} as const satisfies Record<string, readonly [chord: string, what: string, where: Where]>;

export type Action = keyof typeof FIRST;
export const ACTIONS = Object.keys(FIRST) as Action[];
/** Keys by which the desk is walked through, and those that the browser keeps for itself. */
const TAKEN = /^(?:Shift\+)?(?:Escape|Tab|Enter|Space|Arrow\w+|Home|End|PageUp|PageDown|ContextMenu)$|^Shift\+F10$|^Ctrl\+(?:Shift\+)?[WTNLQRFP]$|^Ctrl\+(?:A|C|V|X|Z|Tab)$|^Alt\+(?:[0-9]|F4|Arrow\w+|Home)$|^Ctrl\+Shift\+Delete$|^F(?:1|3|5|6|7|11|12)$/;
const KEPT = "oms.keys";
const LETTERS = "oms.letters";

/** What was chosen in place of the first keys. */
export const chosen = new Cell<Partial<Record<Action, string>>>(read());
/** Whether keys without Ctrl, Alt or Meta that are characters do something (WCAG 2.1.4). */
export const letters = new Cell(localStorage.getItem(LETTERS) !== "off");

function read(): Partial<Record<Action, string>> {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEPT) ?? "{}");
    if (typeof kept !== "object" || kept === null) return {};
    return Object.fromEntries(Object.entries(kept).filter(([action, chord]) => action in FIRST && typeof chord === "string"));
  } catch {
    return {};
  }
}

export function setLetters(on: boolean): void {
  localStorage.setItem(LETTERS, on ? "on" : "off");
  letters.set(on);
}

export function whatOf(action: Action): string {
  return FIRST[action][1];
}

export function chordOf(action: Action): string {
  return chosen.get()[action] ?? FIRST[action][0];
}

/** The keys of an event as they are written: `Ctrl+Enter`, `B`, `?`. `null` while only Ctrl and its like are held. */
export function pressed(event: { key: string; ctrlKey: boolean; metaKey: boolean; altKey: boolean; shiftKey: boolean }): string | null {
  if (["Control", "Shift", "Alt", "Meta", "AltGraph", "Dead", "Unidentified"].includes(event.key)) return null;
  const letter = /^\p{L}$/u.test(event.key);
  const key = event.key === " " ? "Space" : letter ? event.key.toUpperCase() : event.key;
  // A sign that needs Shift on some keyboards is the same sign on all of them.
  const shift = event.shiftKey && (letter || event.key.length > 1);
  return [event.ctrlKey || event.metaKey ? "Ctrl+" : "", event.altKey ? "Alt+" : "", shift ? "Shift+" : "", key].join("");
}

/** Whether a chord is a character that is typed. */
function types(chord: string): boolean {
  return [...chord.replace(/^Shift\+/, "")].length === 1;
}

/** Whether an event asks for an action. */
export function asks(event: Parameters<typeof pressed>[0], action: Action): boolean {
  const chord = chordOf(action);
  return pressed(event) === chord && (letters.get() || !types(chord));
}

/** Why a chord cannot be the key of an action; `null` where it can. */
export function refuses(action: Action, chord: string): string | null {
  if (TAKEN.test(chord)) return `${chord} moves about, or is the browser's own`;
  const where = FIRST[action][2];
  if ((where === "safety" || where === "ticket") && types(chord)) return "it has to work while you type: take a function key, or one with Ctrl or Alt";
  const other = ACTIONS.find((one) => one !== action && chordOf(one) === chord);
  return other === undefined ? null : `${chord} is the key of "${FIRST[other][1]}"`;
}

/** Gives an action another key. Answers why not, where it cannot have it. */
export function bind(action: Action, chord: string): string | null {
  const refused = refuses(action, chord);
  if (refused !== null) return refused;
  const next = { ...chosen.get(), [action]: chord };
  if (chord === FIRST[action][0]) delete next[action];
  keep(next);
  return null;
}

export function unbindAll(): void {
  keep({});
  setLetters(true);
}

function keep(next: Partial<Record<Action, string>>): void {
  localStorage.setItem(KEPT, JSON.stringify(next));
  chosen.set(next);
}

export function actionsOf(where: Where): Action[] {
  return ACTIONS.filter((action) => FIRST[action][2] === where);
}
