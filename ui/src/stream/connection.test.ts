import { beforeEach, describe, expect, it } from "vitest";
import { Connection, type Frame, type Health, type Listener, PING_MS, type Socket, STALE_MS } from "./connection";

class FakeSocket implements Socket {
  readyState = 1;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  closed = false;
  sent: Record<string, unknown>[] = [];
  send(text: string) {
    if (this.readyState !== 1) throw new Error("sent on a socket that is closing");
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }
  close() {
    this.closed = true;
  }
  say(message: unknown) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  last(op: string) {
    const found = this.sent.filter((message) => message.op === op).at(-1);
    if (found === undefined) throw new Error(`no ${op} was sent`);
    return found;
  }
  answer(op: string, body: unknown, status = 200) {
    this.say({ id: this.last(op).id, op, status, body });
  }
}

class FakeClock {
  time = 1_000_000;
  private timers: { at: number; run: () => void }[] = [];
  now = () => this.time;
  after = (ms: number, run: () => void) => {
    const timer = { at: this.time + ms, run };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((one) => one !== timer);
    };
  };
  pass(ms: number) {
    const end = this.time + ms;
    for (;;) {
      const next = this.timers.filter((one) => one.at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.timers = this.timers.filter((one) => one !== next);
      this.time = next.at;
      next.run();
    }
    this.time = end;
  }
}

class Seen implements Listener {
  log: string[] = [];
  reset = () => void this.log.push("reset");
  snapshot = (data: unknown, last: boolean) => void this.log.push(`snapshot ${JSON.stringify(data)}${last ? " last" : ""}`);
  delta = (data: unknown, sequence: number) => void this.log.push(`delta ${JSON.stringify(data)} at ${sequence}`);
  tooBroad = () => void this.log.push("too broad");
}

let sockets: FakeSocket[];
let clock: FakeClock;
let health: Health;
let refused: number;
let seen: Seen;
let connection: Connection;
const socket = () => sockets.at(-1) ?? new FakeSocket();

beforeEach(() => {
  sockets = [];
  clock = new FakeClock();
  refused = 0;
  seen = new Seen();
  connection = new Connection({
    open: () => {
      sockets.push(new FakeSocket());
      return socket();
    },
    clock,
    key: "a key",
    onHealth: (now) => (health = now),
    onUnauthenticated: () => (refused += 1),
  });
  connection.subscribe("orders", seen);
  connection.start();
});

function signIn() {
  socket().onopen?.();
  socket().answer("auth", {});
}

function whole(sequence = 10) {
  signIn();
  socket().answer("subscribe", { subscription: 1, topic: "orders", sequence });
  socket().say({ subscription: 1, type: "snapshot", sequence, last: true, data: ["a"] });
  socket().answer("ping", { sequence });
}

describe("the stream", () => {
  it("says who it is before it asks for anything", () => {
    socket().onopen?.();
    expect(socket().sent).toEqual([{ id: "1", op: "auth", key: "a key" }]);
    socket().answer("auth", {});
    expect(socket().last("subscribe")).toMatchObject({ topic: "orders" });
    expect(socket().last("subscribe")).not.toHaveProperty("from");
  });

  it("asks at once where the browser sends a cookie, and is not given up for having heard nothing before", () => {
    sockets = [];
    const byCookie = new Connection({
      open: () => {
        sockets.push(new FakeSocket());
        return socket();
      },
      clock, key: null, onHealth: (now) => (health = now), onUnauthenticated: () => (refused += 1),
    });
    byCookie.subscribe("orders", seen);
    byCookie.start();
    socket().onopen?.();
    expect(socket().sent.map((message) => message.op)).toEqual(["subscribe", "ping"]);
    expect(socket().closed).toBe(false);
    socket().answer("subscribe", { subscription: 1, topic: "orders", sequence: 10 });
    socket().say({ subscription: 1, type: "snapshot", sequence: 10, last: true, data: ["a"] });
    expect([health.live, sockets.length]).toEqual([true, 1]);
  });

  it("is live only once its snapshot is whole", () => {
    signIn();
    socket().answer("subscribe", { subscription: 1, topic: "orders", sequence: 10 });
    socket().say({ subscription: 1, type: "snapshot", sequence: 10, last: false, data: ["a"] });
    expect(health.live).toBe(false);
    socket().say({ subscription: 1, type: "snapshot", sequence: 10, last: true, data: ["b"] });
    expect(health.live).toBe(true);
    expect(seen.log).toEqual(["reset", 'snapshot ["a"]', 'snapshot ["b"] last']);
  });

  it("says nothing on a connection that is closing, and asks again on the next", () => {
    whole();
    const closing = socket();
    closing.readyState = 2;
    clock.pass(2 * PING_MS);
    const other = new Seen();
    connection.subscribe("executions", other);
    closing.onclose?.({ code: 1006 });
    expect(health.connected).toBe(false);
    clock.pass(1_000);
    expect(socket()).not.toBe(closing);
    signIn();
    expect(socket().sent.filter((one) => one.op === "subscribe").map((one) => one.topic)).toEqual(["orders", "executions"]);
  });

  it("leaves a topic that was closed before its answer came, once its number is known", () => {
    signIn();
    const close = connection.subscribe("executions", new Seen());
    const asked = socket().last("subscribe");
    close();
    expect(socket().sent.filter((message) => message.op === "unsubscribe")).toEqual([]);
    socket().say({ id: asked.id, op: "subscribe", status: 200, body: { subscription: 7, topic: "executions", sequence: 10 } });
    expect(socket().last("unsubscribe")).toMatchObject({ subscription: 7 });
    // One that was refused is not there to be left, and is not asked for again.
    const again = connection.subscribe("risk", new Seen());
    const refusedOne = socket().last("subscribe");
    again();
    socket().say({ id: refusedOne.id, op: "subscribe", status: 503, body: { code: "OVERLOADED" } });
    socket().say({ subscription: 1, type: "heartbeat", sequence: 10 });
    clock.pass(1_000);
    expect(socket().sent.filter((message) => message.op === "unsubscribe")).toHaveLength(1);
    expect(socket().sent.filter((message) => message.topic === "risk")).toHaveLength(1);
  });

  it("says how often it wants to be told, where it wants it seldom", () => {
    signIn();
    connection.subscribe("marketdata", new Seen(), null, 10);
    expect(socket().last("subscribe")).toMatchObject({ topic: "marketdata", max_hz: 10 });
    connection.subscribe("risk", new Seen());
    expect(socket().last("subscribe")).not.toHaveProperty("max_hz");
  });

  it("is not asked for again where it was closed while it waited for another try", () => {
    signIn();
    const close = connection.subscribe("risk", new Seen());
    socket().answer("subscribe", { code: "OVERLOADED" }, 503);
    close();
    clock.pass(1_000);
    expect(socket().sent.filter((message) => message.topic === "risk")).toHaveLength(1);
  });

  it("resumes behind the last delta, without a snapshot", () => {
    whole();
    socket().say({ subscription: 1, type: "delta", sequence: 14, last: true, data: ["c"] });
    socket().onclose?.({ code: 1001 });
    expect(health.live).toBe(false);
    clock.pass(250);
    expect(sockets).toHaveLength(2);
    signIn();
    expect(socket().last("subscribe")).toMatchObject({ from: 14 });
    socket().answer("subscribe", { subscription: 1, topic: "orders", sequence: 14 });
    expect(health.live).toBe(true);
    socket().say({ subscription: 1, type: "delta", sequence: 20, last: true, data: ["d"] });
    expect(seen.log.slice(2)).toEqual(['delta ["c"] at 14', 'delta ["d"] at 20']);
  });

  it("does not go on from half a snapshot", () => {
    signIn();
    socket().answer("subscribe", { subscription: 1, topic: "orders", sequence: 10 });
    socket().say({ subscription: 1, type: "snapshot", sequence: 10, last: false, data: ["a"] });
    socket().onclose?.({ code: 1006 });
    clock.pass(250);
    signIn();
    expect(socket().last("subscribe")).not.toHaveProperty("from");
  });

  it("begins anew where the log does not reach so far", () => {
    whole();
    socket().onclose?.({ code: 1001 });
    clock.pass(250);
    signIn();
    socket().answer("subscribe", { code: "VALIDATION_ERROR", message: "lies behind the end" }, 400);
    expect(socket().last("subscribe")).not.toHaveProperty("from");
  });

  it("goes on from the present where there is too much for a snapshot", () => {
    signIn();
    socket().answer("ping", { sequence: 77 });
    socket().answer("subscribe", { code: "QUERY_TOO_BROAD", message: "too many" }, 422);
    expect(seen.log).toEqual(["too broad"]);
    expect(socket().last("subscribe")).toMatchObject({ from: 77 });
  });

  it("is stale when a ping has no answer in time, whatever the socket says", () => {
    whole();
    expect(health.live).toBe(true);
    clock.pass(PING_MS);
    expect(health.live).toBe(true);
    clock.pass(STALE_MS + PING_MS);
    expect(health.live).toBe(false);
    socket().answer("ping", { sequence: 12 });
    clock.pass(PING_MS);
    expect(health.live).toBe(true);
    expect(health.sequence).toBe(12);
  });

  it("is stale at the moment at which the silence is too long, wherever in the interval of pings it began", () => {
    whole();
    for (let began = 0; began < PING_MS; began += 50) {
      // Pings are answered for a while, then nothing comes any more.
      for (let answered = 0; answered < 4; answered += 1) {
        clock.pass(PING_MS);
        socket().answer("ping", { sequence: 12 });
      }
      clock.pass(began);
      socket().say({ type: "heartbeat", sequence: 12 });
      expect(health.live).toBe(true);
      const heard = clock.time;
      while (health.live) clock.pass(1);
      expect(clock.time - heard).toBeLessThanOrEqual(STALE_MS + 2);
      socket().answer("ping", { sequence: 12 });
      clock.pass(PING_MS);
    }
    expect(STALE_MS).toBeLessThan(1_500);
  });

  it("gives up a socket that says nothing, and takes another", () => {
    whole();
    clock.pass(5 * STALE_MS);
    expect(sockets[0]?.closed).toBe(true);
    expect(sockets.length).toBeGreaterThan(1);
  });

  it("waits longer after each failure, up to a bound", () => {
    const at: number[] = [];
    for (let n = 0; n < 8; n += 1) {
      const before = sockets.length;
      socket().onclose?.({ code: 1006 });
      const began = clock.time;
      while (sockets.length === before) clock.pass(50);
      at.push(clock.time - began);
    }
    expect(at).toEqual([250, 500, 1_000, 2_000, 4_000, 4_000, 4_000, 4_000]);
  });

  it("does not try again with a key that is refused", () => {
    socket().onopen?.();
    socket().onclose?.({ code: 4001 });
    clock.pass(60_000);
    expect(refused).toBe(1);
    expect(sockets).toHaveLength(1);
  });

  it("looks at once when the machine wakes up", () => {
    whole();
    clock.time += 600_000;
    connection.wake();
    expect(health.live).toBe(false);
    expect(sockets).toHaveLength(2);
    signIn();
    expect(socket().last("subscribe")).toMatchObject({ from: 10 });
  });
});

describe("a view", () => {
  const said: string[] = [];
  const listener = {
    asked: () => ({ table: "orders", size: 5 }),
    frame: (frame: Frame) => void said.push(`${frame.type} at ${frame.sequence}`),
    refused: (text: string) => void said.push(text),
  };
  beforeEach(() => said.splice(0));

  it("is opened anew on every connection, and the desk is stale until it is there again", () => {
    const view = connection.openView(listener);
    whole();
    expect(socket().last("view.open")).toMatchObject({ table: "orders", size: 5 });
    // A view that was never there makes nothing stale.
    expect(health.live).toBe(true);
    socket().answer("view.open", { subscription: 2 });
    socket().say({ subscription: 2, type: "snapshot", sequence: 11, total: 0, lines: 0, offset: 0, order: [] });
    view.turn({ offset: 40, size: 5 });
    expect(socket().last("view.window")).toMatchObject({ subscription: 2, offset: 40 });
    socket().onclose?.({ code: 1006 });
    clock.pass(300);
    whole(12);
    expect(health.live).toBe(false);
    socket().answer("view.open", { subscription: 7 });
    socket().say({ subscription: 2, type: "delta", sequence: 12, total: 0, lines: 0, offset: 0 });
    socket().say({ subscription: 7, type: "snapshot", sequence: 13, total: 0, lines: 0, offset: 0, order: [] });
    expect(health.live).toBe(true);
    expect(said).toEqual(["snapshot at 11", "snapshot at 13"]);
    view.close();
    expect(socket().last("unsubscribe")).toMatchObject({ subscription: 7 });
  });

  it("says what is not understood, and asks again where there was no room", () => {
    connection.openView(listener);
    whole();
    socket().answer("view.open", { code: "OVERLOADED", message: "no room" }, 503);
    expect(socket().sent.filter((message) => message.op === "view.open")).toHaveLength(1);
    clock.pass(1_100);
    expect(socket().sent.filter((message) => message.op === "view.open")).toHaveLength(2);
    socket().answer("view.open", { code: "VALIDATION_ERROR", message: "no such field" }, 400);
    clock.pass(5_000);
    expect(socket().sent.filter((message) => message.op === "view.open")).toHaveLength(2);
    expect(said).toEqual(["no room", "no such field"]);
  });

  it("that is closed before it is open is given back", () => {
    const view = connection.openView(listener);
    whole();
    view.close();
    socket().answer("view.open", { subscription: 3 });
    expect(socket().last("unsubscribe")).toMatchObject({ subscription: 3 });
  });
});
