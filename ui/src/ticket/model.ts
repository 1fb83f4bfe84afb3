import type { NewOrder, OrdType, Side, TimeInForce } from "../api/types";
import { quantity } from "../format/number";

/** What each type of order asks for. */
export const TYPES: { type: OrdType; word: string; price: boolean; stop: boolean; trail: boolean; peg: boolean }[] = [
  { type: "LIMIT", word: "Limit", price: true, stop: false, trail: false, peg: false },
  { type: "MARKET", word: "Market", price: false, stop: false, trail: false, peg: false },
  { type: "STOP", word: "Stop", price: false, stop: true, trail: false, peg: false },
  { type: "STOP_LIMIT", word: "Stop limit", price: true, stop: true, trail: false, peg: false },
  { type: "TRAILING_STOP", word: "Trailing stop", price: false, stop: false, trail: true, peg: false },
  { type: "TRAILING_STOP_LIMIT", word: "Trailing stop limit", price: false, stop: false, trail: true, peg: false },
  { type: "MARKET_TO_LIMIT", word: "Market to limit", price: false, stop: false, trail: false, peg: false },
  { type: "PEGGED", word: "Pegged", price: false, stop: false, trail: false, peg: true },
  { type: "MARKET_ON_CLOSE", word: "Market on close", price: false, stop: false, trail: false, peg: false },
  { type: "LIMIT_ON_CLOSE", word: "Limit on close", price: true, stop: false, trail: false, peg: false },
];
export const SIDES: Side[] = ["BUY", "SELL", "SELL_SHORT", "SELL_SHORT_EXEMPT", "SUBSCRIBE", "REDEEM"];
export const TIMES: TimeInForce[] = ["DAY", "GTC", "IOC", "FOK", "GTD", "OPG"];
export const ALGOS = ["TWAP", "VWAP", "POV", "ARRIVAL", "ICEBERG", "TIME_SLICED", "PEG"] as const;

export type Draft = {
  symbol: string; side: Side; type: OrdType; qty: string; price: string; stop: string; trail: string; trailBy: "amount" | "percent"; limitOffset: string;
  peg: "MID" | "MARKET" | "PRIMARY"; pegOffset: string; tif: TimeInForce; expire: string; account: string; mode: string; venue: string; policy: string;
  floor: string; algo: string; minutes: string; slices: string; participation: string; note: string;
};

export const EMPTY: Draft = {
  symbol: "", side: "BUY", type: "LIMIT", qty: "", price: "", stop: "", trail: "", trailBy: "amount", limitOffset: "", peg: "MID", pegOffset: "", tif: "DAY",
  expire: "", account: "", mode: "", venue: "", policy: "", floor: "", algo: "", minutes: "30", slices: "10", participation: "10", note: "",
};

export function spec(type: OrdType) {
  return TYPES.find((one) => one.type === type);
}

/** What is missing or is no number, in the order of the form; the rest is the server's to judge. */
export function problems(draft: Draft): { field: keyof Draft; text: string }[] {
  const found: { field: keyof Draft; text: string }[] = [];
  const kind = spec(draft.type);
  const needs = (field: keyof Draft, what: string) => {
    const text = draft[field];
    if (text === "") found.push({ field, text: `${what} is missing` });
    else if (quantity(text) === null) found.push({ field, text: `${what} is not a number` });
  };
  if (draft.symbol === "") found.push({ field: "symbol", text: "The instrument is missing" });
  needs("qty", "The quantity");
  if (kind?.price) needs("price", "The price");
  if (kind?.stop) needs("stop", "The stop price");
  if (kind?.trail) needs("trail", "The trail");
  if (draft.type === "TRAILING_STOP_LIMIT") needs("limitOffset", "The limit offset");
  if (draft.tif === "GTD" && draft.expire === "") found.push({ field: "expire", text: "The time of expiry is missing" });
  if (draft.mode === "NAMED" && draft.venue === "") found.push({ field: "venue", text: "The venue is missing" });
  for (const [field, what] of [["floor", "The displayed quantity"]] as const) if (draft[field] !== "" && quantity(draft[field]) === null) found.push({ field, text: `${what} is not a number` });
  return found;
}

/** The order that a draft without problems asks for. */
export function order(draft: Draft): NewOrder {
  const kind = spec(draft.type);
  const made: Record<string, unknown> = { symbol: draft.symbol, side: draft.side, ord_type: draft.type, order_qty: quantity(draft.qty), time_in_force: draft.tif };
  if (kind?.price) made.price = quantity(draft.price);
  if (kind?.stop) made.stop_px = quantity(draft.stop);
  if (kind?.trail) made.trail = { [draft.trailBy]: quantity(draft.trail), ...(draft.type === "TRAILING_STOP_LIMIT" ? { limit_offset: quantity(draft.limitOffset) } : {}) };
  if (kind?.peg) made.peg = { peg_price: draft.peg, ...(draft.pegOffset === "" ? {} : { offset: draft.pegOffset }) };
  if (draft.tif === "GTD") made.expire_at = new Date(draft.expire).toISOString();
  if (draft.account !== "") made.account_id = draft.account;
  if (draft.floor !== "") made.max_floor = quantity(draft.floor);
  const routing = { ...(draft.mode === "" ? {} : { mode: draft.mode }), ...(draft.venue === "" ? {} : { venue: draft.venue }), ...(draft.policy === "" ? {} : { policy: draft.policy }) };
  if (Object.keys(routing).length > 0) made.routing = routing;
  if (draft.algo !== "") made.algo = algo(draft);
  if (draft.note !== "") made.metadata = { note: draft.note };
  return made as NewOrder;
}

function algo(draft: Draft): Record<string, unknown> {
  const until = { end_time: new Date(Date.now() + Number(draft.minutes) * 60_000).toISOString() };
  switch (draft.algo) {
    case "TWAP":
    case "VWAP":
      return { strategy: draft.algo, slices: Number(draft.slices), ...until };
    case "POV":
      return { strategy: "POV", max_participation: draft.participation, ...until };
    case "ARRIVAL":
      return { strategy: "ARRIVAL", slices: Number(draft.slices), ...until };
    case "TIME_SLICED":
      return { strategy: "TIME_SLICED", slices: Number(draft.slices), interval_ms: Math.max(1_000, Math.floor((Number(draft.minutes) * 60_000) / Math.max(1, Number(draft.slices)))) };
    case "PEG":
      return { strategy: "PEG", peg: { peg_price: draft.peg } };
    default:
      return { strategy: draft.algo, ...(draft.floor === "" ? {} : { slice_qty: quantity(draft.floor) }) };
  }
}

/** One sentence of the palette: `buy 500 msft 412.30 ioc sweep`. `null` where it is none. */
export function sentence(line: string): Partial<Draft> | null {
  const words = line.trim().toLowerCase().split(/\s+/);
  const side = { buy: "BUY", b: "BUY", sell: "SELL", s: "SELL", short: "SELL_SHORT" }[words[0] ?? ""];
  const qty = quantity(words[1] ?? "");
  const symbol = words[2];
  if (side === undefined || qty === null || symbol === undefined) return null;
  const draft: Partial<Draft> = { side: side as Side, qty, symbol: symbol.toUpperCase(), type: "MARKET" };
  for (const word of words.slice(3)) {
    const upper = word.toUpperCase();
    if (quantity(word) !== null) Object.assign(draft, { price: quantity(word), type: "LIMIT" });
    else if ((TIMES as string[]).includes(upper)) draft.tif = upper as TimeInForce;
    else if (["SWEEP", "SPLIT", "STAGED", "SINGLE_BEST"].includes(upper)) draft.mode = upper;
    else return null;
  }
  return draft;
}

/** The same order on the command line, for whoever wants to repeat it there. */
export function curl(draft: Draft, origin: string): string {
  return `curl -s ${origin}/api/v1/orders -H "X-API-Key: $OMS_API_KEY" -H 'Content-Type: application/json' -H "Idempotency-Key: $(uuidgen)" -d '${JSON.stringify(order(draft)).replaceAll("'", "'\\''")}'`;
}
