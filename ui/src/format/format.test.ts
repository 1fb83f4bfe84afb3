import { describe, expect, it } from "vitest";
import { compare, decimal, quantity, share, sign, signed, step } from "./number";
import { age, time, utc } from "./time";

describe("exact decimals", () => {
  it("are grouped and never rounded", () => {
    expect(decimal("9007199254740993.12345678")).toBe("9,007,199,254,740,993.12345678");
    expect(decimal("1234.5", 2)).toBe("1,234.50");
    expect(decimal("-0.005", 2)).toBe("-0.005");
    expect(decimal("999")).toBe("999");
    expect(decimal(null)).toBe("");
    expect(decimal("not a number")).toBe("not a number");
  });
  it("have a sign where they are not zero", () => {
    expect(signed("12.5")).toBe("+12.50");
    expect(signed("-12.5")).toBe("-12.50");
    expect(signed("0")).toBe("0.00");
    expect([sign("-0.00"), sign("0.01"), sign("-3")]).toEqual([0, 1, -1]);
  });
  it("are compared exactly, beyond what a float can tell apart", () => {
    expect(compare("9007199254740993", "9007199254740992")).toBe(1);
    expect(compare("0.1", "0.10")).toBe(0);
    expect(compare("-2", "1")).toBe(-1);
    expect(compare("-2", "-3")).toBe(1);
    expect(["10", "9", "-1", "0.5"].sort(compare)).toEqual(["-1", "0.5", "9", "10"]);
  });
  it("move by ticks exactly", () => {
    expect(step("13.87", "0.01", 1)).toBe("13.88");
    expect(step("0.1", "0.0001", -1)).toBe("0.0999");
    expect(step("13.9", "0.01", 20)).toBe("14.10");
    expect(step("0.01", "0.01", -2)).toBeNull();
    expect(step("4500", "0.25", 3)).toBe("4500.75");
  });
  it("are shares of each other", () => {
    expect(share("25", "100")).toBe(2_500);
    expect(share("300", "100")).toBe(10_000);
    expect(share("1", "0")).toBe(0);
  });
  it("are read as people type them", () => {
    expect(quantity("1.5k")).toBe("1500");
    expect(quantity("2M")).toBe("2000000");
    expect(quantity("1,000")).toBe("1000");
    expect(quantity("0.125")).toBe("0.125");
    expect(quantity("1.2345k")).toBe("1234.5");
    for (const wrong of ["", "k", "-5", "1e3", "1.", "<b>"]) expect(quantity(wrong)).toBeNull();
  });
});

describe("times", () => {
  it("show milliseconds, and the day where it is another", () => {
    const at = "2026-11-27T21:27:45.479294732Z";
    expect(time(at, new Date(at))).toMatch(/^\d\d:27:45\.479$/);
    expect(time(at, new Date("2026-12-05T00:00:00Z"))).toMatch(/^2026-11-2\d \d\d:27:45\.479$/);
    expect(utc(at)).toBe("2026-11-27 21:27:45.479294732 UTC");
  });
  it("tell ages in words that fit", () => {
    expect([age(12), age(1_500), age(120_000), age(3_720_000)]).toEqual(["12 ms", "1.5 s", "2 min", "1 h 2 min"]);
  });
});
