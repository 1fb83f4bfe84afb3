import { expect, it } from "vitest";
import { candles, drawn, gaps, merged, spaced } from "./candles";

it("ticks become candles, and silence none", () => {
  const ticks = [[1_000, 5], [4_000, 7], [9_999, 4], [10_000, 6], [35_000, 8]].map(([time = 0, mid = 0]) => ({ time, mid }));
  expect(candles(ticks, 10_000)).toEqual([
    { at: 0, open: 5, high: 7, low: 4, close: 4 },
    { at: 10_000, open: 6, high: 6, low: 6, close: 6 },
    { at: 30_000, open: 8, high: 8, low: 8, close: 8 },
  ]);
});

it("bars that are told anew take the place of themselves, and no more are kept than wanted", () => {
  const bar = (minute: number, close: string) => drawn({ at: `2026-11-28T10:0${minute}:00Z`, open: "1", high: "2", low: "0.5", close });
  const known = merged([], [bar(1, "1"), bar(2, "1")], 3);
  expect(merged(known, [bar(2, "1.5"), bar(3, "2")], 3).map((one) => one.close)).toEqual([1, 1.5, 2]);
  expect(merged(merged(known, [bar(2, "1.5"), bar(3, "2")], 3), [bar(4, "3")], 3).map((one) => one.close)).toEqual([1.5, 2, 3]);
  expect(merged(known, [], 3)).toEqual(known);
});

it("a gap has empty places, and a long one not more than are seen at a glance", () => {
  const bars = [0, 1, 4, 500].map((minute) => ({ at: minute * 60_000, open: 1, high: 1, low: 1, close: 1 }));
  const places = spaced(bars, 60_000);
  expect(places.map((one) => one.at / 60_000)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 500]);
  expect(places.filter((one) => "close" in one)).toEqual(bars);
  expect(gaps(bars, 60_000)).toBe(2);
  expect(gaps(bars.slice(0, 2), 60_000)).toBe(0);
});
