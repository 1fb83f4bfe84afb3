import { describe, expect, it } from "vitest";
import { csv, field } from "./csv";
import { parse, served, takes } from "./filter";
import { arranged, PLAIN } from "./layout";

const row: Record<string, string> = { symbol: "BAC", side: "BUY", qty: "9000", state: "LIVE", text: "" };
const meant = (line: string) => takes(parse(line), Object.keys(row), (name) => row[name] ?? null);

describe("a filter line", () => {
  it("looks for words everywhere and for values where it says", () => {
    expect(["bac", "symbol:ba", "side=buy", "state=live,filled", "qty>8999.5", "qty<=9000", "bac qty>1", "-sell", '"BAC"'].filter((line) => !meant(line))).toEqual([]);
    expect(["ibm", "symbol=ba", "qty>9000", "-bac", "nope=1", "text:x", "bac sell"].filter(meant)).toEqual([]);
    expect(meant("")).toBe(true);
  });
  it("is put to the server in the words of its lists", () => {
    const upper = (field: string) => field !== "cl_ord_id";
    expect(served(parse("symbol=bac state=live,filled qty>1 -qty>9 -symbol=ibm cl_ord_id=aB foo -text:x side:bu"), upper)).toEqual({
      filter: { symbol: "BAC", state__in: "LIVE,FILLED", qty__gt: "1", qty__lte: "9", symbol__ne: "IBM", cl_ord_id: "aB" },
      search: ["foo", "-text:x", "side:bu"],
    });
  });
});

describe("an export", () => {
  it("runs nothing in a spreadsheet and keeps numbers", () => {
    expect(field("=HYPERLINK(1)")).toBe("'=HYPERLINK(1)");
    expect(field("@x")).toBe("'@x");
    expect(field("-12.5")).toBe("-12.5");
    expect(field("-1+1")).toBe("'-1+1");
    expect(field('a "b", c')).toBe('"a ""b"", c"');
    expect(csv([["a", "b"], ["1", "2"]])).toBe("a,b\r\n1,2\r\n");
  });
});

it("columns that a layout does not know stand at the end", () => {
  const columns = ["a", "b", "c"].map((id) => ({ id }));
  expect(arranged(columns, { ...PLAIN, order: ["c", "a"] }).map((one) => one.id)).toEqual(["c", "a", "b"]);
});
