import { useEffect, useState, useSyncExternalStore } from "react";
import { api, unwrap } from "../api/client";
import type { Session } from "../api/session";
import type { Execution, Market, Order, Position, RiskStatus } from "../api/types";
import { Connection, type Health, type Socket } from "./connection";
import { Cell, Table } from "./table";
import { OrderView, type ViewAsked } from "./view";

const DONE: ReadonlySet<string> = new Set(["FILLED", "CANCELED", "REJECTED", "EXPIRED", "CLOSED"]);
/** The states of orders that work, as filters name them. */
export const WORKING = "NEW,UNACK,LIVE,PARTIALLY_FILLED";
/** How often a second the lists are told of what is new: nobody reads faster, and each message costs the page's only thread. */
const LIST_HZ = 4;
const QUOTE_HZ = 10;
const isDone = (order: Order): boolean => DONE.has(order.state);
/** A leg whose outcome is not known, or is again, changes nothing else of its order. */
const doubted = (next: Order, known: Order): boolean => next.in_doubt !== undefined && next.in_doubt !== known.in_doubt && next.version >= known.version;
export const isInDoubt = (order: Order): boolean => order.uncertainty !== null || order.in_doubt === true;
export const isWorking = (order: Order): boolean => !DONE.has(order.state);

/** The tick of a market, kept for the small line beside it. */
export type Tick = { time: number; mid: number };

/** Everything that is live on the desk. */
export class Desk {
  /** Orders that some screen shows or showed: what views told of them, and what requests answered. */
  readonly orders = new Table<Order>((order) => order.order_id, (next, known) => next.version > known.version || next.updated_at > known.updated_at || doubted(next, known), 50_000, isDone);
  readonly executions = new Table<Execution>((one) => String(one.seq), () => true, 10_000);
  readonly positions = new Table<Position>((one) => `${one.account_id} ${one.symbol}`);
  readonly markets = new Table<Market>((one) => one.symbol, (next, known) => next.version >= known.version, 2_000, () => true, 100);
  readonly risk = new Cell<RiskStatus | null>(null);
  readonly health = new Cell<Health>({ live: false, connected: false, sequence: 0, heardAt: 0, roundTrip: null });
  /** Recent mids of each instrument, newest last. */
  readonly ticks = new Map<string, Tick[]>();
  private readonly connection: Connection;
  private riskAsked = false;
  private riskAgain = false;
  private readonly onWake = () => {
    if (document.visibilityState === "visible") this.connection.wake();
  };

  constructor(session: Session, onUnauthenticated: () => void) {
    this.connection = new Connection({
      open: () => {
        const scheme = location.protocol === "https:" ? "wss:" : "ws:";
        return new WebSocket(`${scheme}//${location.host}/api/v1/ws`) as unknown as Socket;
      },
      clock: {
        now: () => Date.now(),
        after: (ms, run) => {
          const timer = setTimeout(run, ms);
          return () => clearTimeout(timer);
        },
      },
      key: session.kind === "key" ? session.key : null,
      onHealth: (health) => this.health.set(health),
      onUnauthenticated,
    });
  }

  start(): void {
    this.connection.subscribe("executions", {
      reset: () => this.executions.clear(),
      snapshot: (data) => this.tookExecutions(data as Execution[], false),
      // The deltas are events; the list shows executions. The newest page has them all.
      delta: () => void this.newExecutions(),
    }, null, LIST_HZ);
    this.connection.subscribe("positions", {
      reset: () => this.positions.clear(),
      snapshot: (data) => this.positions.put(data as Position[], false),
      delta: (data) => this.positions.put(data as Position[], true),
    });
    this.connection.subscribe("risk", {
      reset: () => this.risk.set(null),
      snapshot: (data) => this.risk.set(data as RiskStatus),
      delta: () => this.lookAtRisk(),
    }, null, LIST_HZ);
    this.connection.subscribe("marketdata", {
      reset: () => undefined,
      snapshot: () => undefined,
      delta: (data) => this.quoted(data as Market),
    }, null, QUOTE_HZ);
    // What is in doubt, and what it may cost, is told on the page of risk.
    this.view({ filter: { in_doubt: "true" }, size: 0 }).subscribe(() => this.lookAtRisk());
    this.connection.start();
    document.addEventListener("visibilitychange", this.onWake);
    window.addEventListener("online", this.onWake);
  }

  /** Opens a window of the desk's orders. */
  view(asked: ViewAsked): OrderView {
    return new OrderView(this.connection, asked, (rows) => this.orders.put(rows, false));
  }

  end(): void {
    document.removeEventListener("visibilitychange", this.onWake);
    window.removeEventListener("online", this.onWake);
    this.connection.end();
  }

  private quoted(market: Market): void {
    this.markets.put([market], true);
    if (market.mid === null) return;
    const known = this.ticks.get(market.symbol) ?? [];
    // For drawing only: no amount on the screen is made of it.
    known.push({ time: Date.now(), mid: Number(market.mid) });
    if (known.length > 600) known.splice(0, known.length - 600);
    this.ticks.set(market.symbol, known);
  }

  private newest = 0;
  private tookExecutions(rows: Execution[], flash: boolean): void {
    this.newest = rows.reduce((most, one) => Math.max(most, one.seq), this.newest);
    this.executions.put(rows, flash);
  }

  private executionsAsked = false;
  private executionsAgain = false;
  private async newExecutions(): Promise<void> {
    if (this.executionsAsked) {
      this.executionsAgain = true;
      return;
    }
    this.executionsAsked = true;
    try {
      // Pages back to what is known already, so that a burst leaves no hole; at most so many as the list keeps.
      const known = this.newest;
      let cursor: string | null = null;
      for (let pages = 0; pages < 20; pages += 1) {
        const query: Record<string, unknown> = { sort: "-seq", limit: 200, ...(cursor === null ? {} : { cursor }) };
        const page: { data: Execution[]; next: string | null } = await unwrap(api.GET("/api/v1/executions", { params: { query: query as never } }));
        this.tookExecutions([...page.data].reverse(), true);
        cursor = page.next;
        if (cursor === null || page.data.some((one) => one.seq <= known)) break;
      }
    } catch {
      this.executionsAgain = true;
    }
    setTimeout(() => {
      this.executionsAsked = false;
      if (this.executionsAgain) {
        this.executionsAgain = false;
        void this.newExecutions();
      }
    }, 250);
  }

  /** Asks for the page of risk, at most four times a second. */
  lookAtRisk(): void {
    if (this.riskAsked) {
      this.riskAgain = true;
      return;
    }
    this.riskAsked = true;
    void unwrap(api.GET("/api/v1/risk/status", { params: { query: { trend_s: 300 } as never } }))
      .then((status) => this.risk.set(status))
      .catch(() => undefined)
      .finally(() =>
        setTimeout(() => {
          this.riskAsked = false;
          if (this.riskAgain) {
            this.riskAgain = false;
            this.lookAtRisk();
          }
        }, 250),
      );
  }
}

/** Follows one order, wherever it stands in the lists. */
export function useOrder(desk: Desk, id: string | null): Order | undefined {
  useEffect(() => {
    if (id === null) return;
    const view = desk.view({ filter: { order_id: id }, size: 1 });
    return () => view.close();
  }, [desk, id]);
  return useTable(desk.orders).get(id ?? "");
}

/** How many orders pass these conditions. */
export function useCount(desk: Desk, filter: Record<string, string>): number | null {
  const [count, setCount] = useState<number | null>(null);
  const words = JSON.stringify(filter);
  useEffect(() => {
    const view = desk.view({ filter: JSON.parse(words) as Record<string, string>, size: 0 });
    const stop = view.subscribe(() => setCount(view.begun ? view.total : null));
    return () => {
      stop();
      view.close();
    };
  }, [desk, words]);
  return count;
}

export function useTable<T>(table: Table<T>): Table<T> {
  useSyncExternalStore(table.subscribe, table.snapshot);
  return table;
}

export function useCell<T>(cell: { subscribe: (listener: () => void) => () => void; get: () => T }): T {
  return useSyncExternalStore(cell.subscribe, cell.get);
}
