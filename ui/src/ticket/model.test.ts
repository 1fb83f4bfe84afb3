import { describe, expect, it } from "vitest";
import { curl, EMPTY, order, problems, sentence, TYPES } from "./model";

const draft = { ...EMPTY, symbol: "BAC", qty: "1.5k", price: "13.90" };

describe("a ticket", () => {
  it("makes the order of the interface, exact and without what was not asked for", () => {
    expect(problems(draft)).toEqual([]);
    expect(order(draft)).toEqual({ symbol: "BAC", side: "BUY", ord_type: "LIMIT", order_qty: "1500", time_in_force: "DAY", price: "13.90" });
    expect(order({ ...draft, type: "MARKET" })).not.toHaveProperty("price");
    expect(order({ ...draft, type: "TRAILING_STOP_LIMIT", trail: "0.5", trailBy: "percent", limitOffset: "0.02" })).toMatchObject({ trail: { percent: "0.5", limit_offset: "0.02" } });
    expect(order({ ...draft, mode: "NAMED", venue: "XNAS" })).toMatchObject({ routing: { mode: "NAMED", venue: "XNAS" } });
  });
  it("says what is missing, for every type", () => {
    expect(problems(EMPTY).map((one) => one.field)).toEqual(["symbol", "qty", "price"]);
    for (const { type, price, stop, trail } of TYPES) {
      const fields = problems({ ...EMPTY, type, symbol: "BAC", qty: "1" }).map((one) => one.field);
      expect([fields.includes("price"), fields.includes("stop"), fields.includes("trail")]).toEqual([price, stop, trail]);
    }
    expect(problems({ ...draft, tif: "GTD" }).map((one) => one.field)).toEqual(["expire"]);
    expect(problems({ ...draft, qty: "1e5" }).map((one) => one.field)).toEqual(["qty"]);
  });
  it("reads a sentence, and nothing that it does not understand wholly", () => {
    expect(sentence("buy 500 msft 412.30 ioc sweep")).toEqual({ side: "BUY", qty: "500", symbol: "MSFT", price: "412.30", type: "LIMIT", tif: "IOC", mode: "SWEEP" });
    expect(sentence("sell 2k ibm")).toEqual({ side: "SELL", qty: "2000", symbol: "IBM", type: "MARKET" });
    for (const no of ["", "buy", "buy x ibm", "hold 5 ibm", "buy 5 ibm tomorrow"]) expect(sentence(no)).toBeNull();
  });
  it("is copied as a command that a shell takes as it is meant", () => {
    expect(curl({ ...draft, note: "it's" }, "http://x")).toContain(`{"note":"it'\\''s"}`);
  });
});
