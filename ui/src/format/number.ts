/** Exact decimals as text: they come as text, are shown as text and compared as text. Nothing here makes a float of them. */

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?$/;

function parts(text: string): { negative: boolean; whole: string; fraction: string } | null {
  const match = DECIMAL.exec(text);
  if (match === null) return null;
  const whole = (match[2] ?? "0").replace(/^0+(?=\d)/, "");
  return { negative: match[1] === "-", whole, fraction: match[3] ?? "" };
}

/** Groups thousands; pads the fraction to `decimals` and never cuts it. */
export function decimal(text: string | null | undefined, decimals = 0): string {
  if (text === null || text === undefined) return "";
  const found = parts(text);
  if (found === null) return text;
  const whole = found.whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  const fraction = found.fraction.padEnd(decimals, "0");
  return `${found.negative ? "-" : ""}${whole}${fraction === "" ? "" : `.${fraction}`}`;
}

/** With a sign where it is not zero: profit and loss, changes. */
export function signed(text: string | null | undefined, decimals = 2): string {
  if (text === null || text === undefined) return "";
  const shown = decimal(text, decimals);
  return shown.startsWith("-") || sign(text) === 0 ? shown : `+${shown}`;
}

export function sign(text: string): -1 | 0 | 1 {
  const found = parts(text);
  if (found === null || /^0*$/.test(found.whole + found.fraction)) return 0;
  return found.negative ? -1 : 1;
}

/** The order of two exact decimals. */
export function compare(one: string, other: string): number {
  const [a, b] = [parts(one), parts(other)];
  if (a === null || b === null) return one < other ? -1 : one > other ? 1 : 0;
  const [sa, sb] = [sign(one), sign(other)];
  if (sa !== sb) return sa < sb ? -1 : 1;
  if (sa === 0) return 0;
  const width = Math.max(a.fraction.length, b.fraction.length);
  const [x, y] = [BigInt(a.whole + a.fraction.padEnd(width, "0")), BigInt(b.whole + b.fraction.padEnd(width, "0"))];
  return x === y ? 0 : (x < y) === (sa > 0) ? -1 : 1;
}

/** One decimal and a step of a tick table, exactly. `null` where that is not a decimal or falls below zero. */
export function step(text: string, tick: string, ticks: number): string | null {
  const [a, b] = [parts(text), parts(tick)];
  if (a === null || b === null) return null;
  const width = Math.max(a.fraction.length, b.fraction.length);
  const scaled = (of: { negative: boolean; whole: string; fraction: string }) => BigInt(of.whole + of.fraction.padEnd(width, "0")) * (of.negative ? -1n : 1n);
  const sum = scaled(a) + scaled(b) * BigInt(ticks);
  if (sum < 0n) return null;
  const digits = sum.toString().padStart(width + 1, "0");
  return width === 0 ? digits : `${digits.slice(0, -width)}.${digits.slice(-width)}`;
}

/** Ten thousandths of one amount against another, for the width of a bar; at most 10,000. */
export function share(part: string, of: string): number {
  const [a, b] = [parts(part), parts(of)];
  if (a === null || b === null) return 0;
  const width = Math.max(a.fraction.length, b.fraction.length);
  const [x, y] = [BigInt(a.whole + a.fraction.padEnd(width, "0")), BigInt(b.whole + b.fraction.padEnd(width, "0"))];
  if (y === 0n) return 0;
  return Math.min(10_000, Number((x * 10_000n) / y));
}

/** A quantity as people type it: `1.5k`, `2m`, `1,000`. `null` where it is not one. */
export function quantity(typed: string): string | null {
  const match = /^(\d+)(?:\.(\d+))?([kmb]?)$/i.exec(typed.trim().replaceAll(",", ""));
  if (match === null) return null;
  const zeros = { k: 3, m: 6, b: 9 }[(match[3] ?? "").toLowerCase()] ?? 0;
  const fraction = match[2] ?? "";
  const whole = `${match[1] ?? ""}${fraction.slice(0, zeros).padEnd(zeros, "0")}`.replace(/^0+(?=\d)/, "");
  const rest = fraction.slice(zeros);
  return rest === "" ? whole : `${whole}.${rest}`;
}
