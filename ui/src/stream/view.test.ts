import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Frame, ViewListener } from "./connection";
import { AHEAD, MAX_WINDOW, OrderView } from "./view";

/** A server that answers what it is told to. */
class Server {
  listeners: ViewListener[] = [];
  turned: Record<string, unknown>[] = [];
  closed = 0;
  openView(listener: ViewListener) {
    this.listeners.push(listener);
    return { turn: (window: Record<string, unknown>) => void this.turned.push(window), close: () => void (this.closed += 1) };
  }
  asked(at = 0) {
    return this.listeners[at]?.asked() ?? {};
  }
  say(frame: Partial<Frame>, at = 0) {
    this.listeners[at]?.frame({ type: "delta", sequence: 1, total: 0, lines: 0, offset: 0, ...frame });
  }
}

let server: Server;
let columns: string[];
/** A row of the wire: its number, and an order of this id and version. */
const row = (number: number, id: string, version = 1): [number, ...unknown[]] => [number, ...columns.map((name) => (name === "order_id" ? id : name === "version" ? version : null))];
const shown = (view: OrderView) => view.lines.map((line) => ("row" in line ? `${line.row.order_id}@${line.row.version}` : `${line.group}(${line.count})`));

beforeEach(() => {
  vi.useFakeTimers();
  server = new Server();
});
afterEach(() => vi.useRealTimers());

function open(): OrderView {
  const view = new OrderView(server, { sort: "-price", size: 3 });
  columns = server.asked().columns as string[];
  return view;
}

describe("a view of orders", () => {
  it("shows what its frames say", () => {
    const view = open();
    expect(server.asked()).toMatchObject({ table: "orders", sort: "-price", offset: 0, size: 3 });
    server.say({ type: "snapshot", total: 9, lines: 9, order: [7, 4], rows: [row(7, "b"), row(4, "a")] });
    expect(shown(view)).toEqual(["b@1", "a@1"]);
    expect([view.total, view.height, view.begun]).toEqual([9, 9, true]);
    server.say({ total: 9, lines: 9, cells: [[4, columns.indexOf("version"), 2]] });
    expect(shown(view)).toEqual(["b@1", "a@2"]);
    expect(view.changed.has("a")).toBe(true);
  });

  it("shows values at once and moves lines four times a second", () => {
    const view = open();
    server.say({ type: "snapshot", order: [1, 2], rows: [row(1, "a"), row(2, "b")] });
    server.say({ order: [3, 1], rows: [row(3, "c")], cells: [[1, columns.indexOf("version"), 5]] });
    expect(shown(view)).toEqual(["a@5", "b@1"]);
    server.say({ order: [4, 3], rows: [row(4, "d")] });
    vi.advanceTimersByTime(260);
    expect(shown(view)).toEqual(["d@1", "c@1"]);
  });

  it("asks for another part before its edge is seen, and shows it as soon as it is there", () => {
    const view = open();
    server.say({ type: "snapshot", lines: 1_000, total: 1_000, order: [1], rows: [row(1, "a")] });
    view.show(0, 40);
    expect(server.turned.at(-1)).toMatchObject({ offset: 0, size: 40 + 2 * AHEAD });
    const asked = server.turned.length;
    view.show(5, 45);
    expect(server.turned.length).toBe(asked);
    view.show(500, 540);
    expect(server.turned.at(-1)).toMatchObject({ offset: 500 - AHEAD });
    server.say({ lines: 1_000, total: 1_000, offset: 500 - AHEAD, order: [9], rows: [row(9, "z")] });
    expect([view.offset, shown(view)]).toEqual([500 - AHEAD, ["z@1"]]);
  });

  it("begins anew on a new connection", () => {
    const view = open();
    server.say({ type: "snapshot", order: [1, 2], rows: [row(1, "a"), row(2, "b")] });
    view.show(300, 340);
    expect(server.asked()).toMatchObject({ offset: 300 - AHEAD });
    server.say({ type: "snapshot", offset: 300 - AHEAD, order: [1], rows: [row(1, "other")] });
    expect(shown(view)).toEqual(["other@1"]);
  });

  it("shows heads of groups, and tells which are closed", () => {
    const view = open();
    server.say({ type: "snapshot", lines: 3, total: 9, order: [{ group: "IBM", count: 8, open: false }, { group: null, count: 1, open: true }, 1], rows: [row(1, "a")] });
    expect(shown(view)).toEqual(["IBM(8)", "(1)", "a@1"]);
    view.fold("IBM", true);
    view.fold("", false);
    expect(server.turned.at(-1)).toMatchObject({ collapse: [""] });
  });

  it("takes all rows page by page, each once", async () => {
    const all = open().all();
    expect(server.asked(1)).toMatchObject({ size: MAX_WINDOW });
    const page = (from: number, count: number) => Array.from({ length: count }, (_, at) => from + at);
    const say = (offset: number, ids: number[]) => server.say({ total: 502, lines: 502, offset, order: ids, rows: ids.map((id) => row(id, `o${id}`)) }, 1);
    say(0, page(0, 500));
    expect(server.turned.at(-1)).toMatchObject({ offset: 500 });
    // One of them moved meanwhile.
    say(500, [499, 500]);
    expect((await all).length).toBe(501);
    expect(server.closed).toBe(1);
  });

  it("says what was refused", () => {
    const view = open();
    server.listeners[0]?.refused("there is no field nope");
    expect([view.refusal, view.begun, view.lines.length]).toEqual(["there is no field nope", true, 0]);
  });
});
