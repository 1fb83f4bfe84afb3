import { compare } from "../format/number";

/**
 * What a filter line asks for. Words are looked for in every column; `field:word` in one, `field=value` exactly,
 * `field>value` and so on by size; a `-` before it turns it round. All of them must hold.
 */
export type Term = { field: string | null; op: ":" | "=" | ">" | "<" | ">=" | "<="; value: string; not: boolean };

const TERM = /^(-?)(?:([a-z_]+)(>=|<=|[:=<>]))?(.+)$/i;

export function parse(line: string): Term[] {
  const words = line.match(/(?:[^\s"]+|"[^"]*")+/g) ?? [];
  return words.flatMap((word) => {
    const match = TERM.exec(word);
    if (match === null) return [];
    const value = (match[4] ?? "").replaceAll('"', "");
    if (value === "") return [];
    return [{ field: match[2]?.toLowerCase() ?? null, op: (match[3] ?? ":") as Term["op"], value, not: match[1] === "-" }];
  });
}

function holds(term: Term, text: string): boolean {
  if (term.op === ":") return text.toLowerCase().includes(term.value.toLowerCase());
  if (term.op === "=") return term.value.split(",").some((one) => one.toLowerCase() === text.toLowerCase());
  const order = compare(text, term.value);
  return term.op === ">" ? order > 0 : term.op === "<" ? order < 0 : term.op === ">=" ? order >= 0 : order <= 0;
}

/** Whether a row is meant. `textOf` answers `null` for a field that there is not. */
export function takes(terms: readonly Term[], fields: readonly string[], textOf: (field: string) => string | null): boolean {
  return terms.every((term) => {
    const found = term.field === null ? fields.some((field) => holds(term, textOf(field) ?? "")) : holdsField(term, textOf(term.field));
    return found !== term.not;
  });
}

function holdsField(term: Term, text: string | null): boolean {
  return text !== null && (text !== "" || term.op === "=") && holds(term, text);
}

const TURNED = { ">": "lte", "<": "gte", ">=": "lt", "<=": "gt" } as const;
const SIZED = { ">": "gt", "<": "lt", ">=": "gte", "<=": "lte" } as const;

/** What a filter line asks the server's views for: conditions as its lists take them, and words to look for. */
export function served(terms: readonly Term[], upper: (field: string) => boolean): { filter: Record<string, string>; search: string[] } {
  const [filter, search]: [Record<string, string>, string[]] = [{}, []];
  for (const { field, op, value, not } of terms) {
    if (op === ":" || field === null) search.push(`${not ? "-" : ""}${field === null ? "" : `${field}:`}${value}`);
    else if (op !== "=") filter[`${field}__${not ? TURNED[op] : SIZED[op]}`] = value;
    else {
      const meant = upper(field) ? value.toUpperCase() : value;
      if (not) filter[`${field}__ne`] = meant;
      else filter[meant.includes(",") ? `${field}__in` : field] = meant;
    }
  }
  return { filter, search };
}
