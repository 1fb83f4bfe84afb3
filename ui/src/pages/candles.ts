import type { Tick } from "../stream/desk";

export type Candle = { at: number; open: number; high: number; low: number; close: number };

/** A bar as the desk tells it. */
export type Told = { at: string; open: string; high: string; low: string; close: string };

/** For drawing only: no amount on the screen is made of it. */
export function drawn(bar: Told): Candle {
  return { at: Date.parse(bar.at), open: Number(bar.open), high: Number(bar.high), low: Number(bar.low), close: Number(bar.close) };
}

/** What is known, with what is told anew: the newest bars take the place of themselves. */
export function merged(known: readonly Candle[], told: readonly Candle[], most: number): Candle[] {
  const first = told[0];
  if (first === undefined) return [...known];
  return [...known.filter((one) => one.at < first.at), ...told].slice(-most);
}

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

/** The most empty places of one gap: where nothing was received for a night, the day after it is still in sight. */
const GAP = 8;

/** What is drawn: between candles that do not follow each other there are empty places, so that a gap is seen as one. */
export function spaced(bars: readonly Candle[], ms: number): (Candle | { at: number })[] {
  const drawn: (Candle | { at: number })[] = [];
  for (const bar of bars) {
    const before = drawn.at(-1)?.at ?? bar.at;
    const missing = Math.round((bar.at - before) / ms) - 1;
    for (let n = 1; n <= Math.min(missing, GAP); n += 1) drawn.push({ at: before + n * ms });
    drawn.push(bar);
  }
  return drawn;
}

/** How often candles do not follow each other. */
export function gaps(bars: readonly Candle[], ms: number): number {
  return bars.filter((bar, at) => at > 0 && bar.at - (bars[at - 1]?.at ?? bar.at) > ms).length;
}
