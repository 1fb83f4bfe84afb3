import type { Tick } from "../stream/desk";

export type Candle = { at: number; open: number; high: number; low: number; close: number };

/** Candles of so many milliseconds; a stretch without a tick has none. */
export function candles(ticks: readonly Tick[], ms: number): Candle[] {
  const made: Candle[] = [];
  for (const tick of ticks) {
    const at = Math.floor(tick.time / ms) * ms;
    const last = made.at(-1);
    if (last === undefined || last.at !== at) made.push({ at, open: tick.mid, high: tick.mid, low: tick.mid, close: tick.mid });
    else Object.assign(last, { high: Math.max(last.high, tick.mid), low: Math.min(last.low, tick.mid), close: tick.mid });
  }
  return made;
}
