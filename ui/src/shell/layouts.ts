import { Cell } from "../stream/table";
import { dress } from "./shell";

/** Changes when another layout was taken: what is on the screen is laid out anew. */
export const laid = new Cell(0);

const KEPT = "oms.layouts";
/** What a layout is made of: the grids, and how the screen is dressed. */
const PARTS = /^oms\.(?:grid\..+|theme|density|sides)$/;
const MAX_LAYOUTS = 50;

export type Saved = Record<string, Record<string, string>>;

export function layouts(): Saved {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEPT) ?? "{}");
    return checked(kept);
  } catch {
    return {};
  }
}

/** What is no layout is left out: it may come from a file. */
function checked(kept: unknown): Saved {
  if (typeof kept !== "object" || kept === null) return {};
  const whole = Object.entries(kept).filter(([name, parts]) => name !== "" && typeof parts === "object" && parts !== null);
  return Object.fromEntries(
    whole.slice(0, MAX_LAYOUTS).map(([name, parts]) => [
      name.slice(0, 60),
      Object.fromEntries(Object.entries(parts as Record<string, unknown>).filter((part): part is [string, string] => PARTS.test(part[0]) && typeof part[1] === "string" && isJsonOrWord(part[1]))),
    ]),
  );
}

function isJsonOrWord(text: string): boolean {
  if (/^[a-z]+$/.test(text)) return true;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function parts(): Record<string, string> {
  return Object.fromEntries(Object.keys(localStorage).filter((key) => PARTS.test(key)).map((key) => [key, localStorage.getItem(key) ?? ""]));
}

/** Keeps the screen as it is now under a name. Answers why not, where it cannot. */
export function saveLayout(name: string): string | null {
  const known = layouts();
  if (!(name in known) && Object.keys(known).length >= MAX_LAYOUTS) return `There are ${MAX_LAYOUTS} layouts already`;
  localStorage.setItem(KEPT, JSON.stringify({ ...known, [name]: parts() }));
  return null;
}

export function takeLayout(name: string): void {
  const layout = layouts()[name];
  if (layout === undefined) return;
  for (const key of Object.keys(parts())) localStorage.removeItem(key);
  for (const [key, value] of Object.entries(layout)) localStorage.setItem(key, value);
  dress();
  laid.set(laid.get() + 1);
}

export function dropLayout(name: string): void {
  const left = Object.entries(layouts()).filter(([known]) => known !== name);
  localStorage.setItem(KEPT, JSON.stringify(Object.fromEntries(left)));
}

export function exported(): string {
  return JSON.stringify(layouts(), null, 2);
}

/** Takes layouts from a file beside those that are there. Answers how many. */
export function imported(text: string): number {
  const told = checked(JSON.parse(text));
  localStorage.setItem(KEPT, JSON.stringify(checked({ ...layouts(), ...told })));
  return Object.keys(told).length;
}
