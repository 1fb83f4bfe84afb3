import { expect, it } from "vitest";
import { candles } from "./candles";

it("ticks become candles, and silence none", () => {
  const ticks = [[1_000, 5], [4_000, 7], [9_999, 4], [10_000, 6], [35_000, 8]].map(([time = 0, mid = 0]) => ({ time, mid }));
  expect(candles(ticks, 10_000)).toEqual([
    { at: 0, open: 5, high: 7, low: 4, close: 4 },
    { at: 10_000, open: 6, high: 6, low: 6, close: 6 },
    { at: 30_000, open: 8, high: 8, low: 8, close: 8 },
  ]);
});
