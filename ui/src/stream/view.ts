import type { Order } from "../api/types";
import type { Connection, Frame, OpenView } from "./connection";

/** What an order has, in the order in which views tell it. */
const FIELDS = [
  "order_id", "root_order_id", "parent_order_id", "kind", "cl_ord_id", "account_id", "user_id", "source", "symbol", "side", "ord_type", "order_qty",
  "cash_order_qty", "quote_id", "price", "stop_px", "time_in_force", "expire_at", "routing", "care", "venue", "broker_order_id", "ord_status", "state",
  "pending", "uncertainty", "cum_qty", "leaves_qty", "avg_px", "place_qty", "replacing", "saga", "stage", "ended_by", "reject_code", "text", "metadata",
  "work", "strategy", "held", "version", "created_seq", "created_at", "updated_at", "in_doubt",
] as const satisfies readonly (keyof Order)[];

/** Which orders, in which order; and how much of it. */
export type ViewAsked = {
  filter?: Record<string, string>;
  search?: string[];
  sort?: string;
  groupBy?: string | null;
  size: number;
};

export type ViewLine = { row: Order } | { group: string; count: number; open: boolean };

/** Lines move at most so often: rows that jump are rows that are missed. What stands in a row is shown at once. */
const RANK_MS = 250;
/** Lines of a window at most; and how many are fetched beyond what is seen, each way. */
export const MAX_WINDOW = 500;
export const AHEAD = 60;
/** Rows that are taken at most where all of them are asked for. */
const MAX_ALL = 50_000;

/** A window of orders that the server filters and sorts. */
export class OrderView {
  /** The lines of the window, the first of which is the `offset`th of the view. */
  lines: readonly ViewLine[] = [];
  offset = 0;
  /** Lines of the view, and rows of it. */
  height = 0;
  total = 0;
  refusal: string | null = null;
  /** Whether anything was told. */
  begun = false;
  /** When each order changed, for the flash. */
  readonly changed = new Map<string, number>();
  version = 0;
  private rows = new Map<number, Order>();
  private order: NonNullable<Frame["order"]> = [];
  private waiting: { order: NonNullable<Frame["order"]>; offset: number } | null = null;
  private ordered = 0;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private turned = false;
  private collapsed: string[] = [];
  private window: { offset: number; size: number };
  private readonly open: OpenView;
  private readonly listeners = new Set<() => void>();

  constructor(
    private readonly connection: Pick<Connection, "openView">,
    private readonly wanted: ViewAsked,
    private readonly onRows: (rows: Order[]) => void = () => undefined,
  ) {
    this.window = { offset: 0, size: wanted.size };
    this.open = connection.openView({ asked: () => this.asked(), frame: (frame) => this.take(frame), refused: (text) => this.refused(text) });
    if (typeof document !== "undefined") document.addEventListener("visibilitychange", this.onVisible);
  }

  close(): void {
    if (typeof document !== "undefined") document.removeEventListener("visibilitychange", this.onVisible);
    if (this.timer !== null) clearTimeout(this.timer);
    this.open.close();
    this.listeners.clear();
  }

  /** A page that nobody sees is told no rows. */
  private readonly onVisible = () => this.turn();

  private shown(): Record<string, unknown> {
    const hidden = typeof document !== "undefined" && document.visibilityState === "hidden";
    return { offset: this.window.offset, size: hidden ? 0 : this.window.size, collapse: this.collapsed };
  }

  private asked(): Record<string, unknown> {
    // A new connection numbers rows anew.
    this.rows = new Map();
    this.waiting = null;
    this.turned = true;
    const { filter, search, sort, groupBy } = this.wanted;
    return {
      table: "orders", columns: FIELDS, ...(filter === undefined ? {} : { filter }), ...(search === undefined ? {} : { search }),
      ...(sort === undefined ? {} : { sort }), ...(groupBy ? { group_by: groupBy } : {}), ...this.shown(),
    };
  }

  private turn(): void {
    this.turned = true;
    this.open.turn(this.shown());
  }

  /** Sees to it that these lines are there, and some around them. */
  show(from: number, to: number): void {
    const { offset, size } = this.window;
    const within = from >= offset && to <= offset + size;
    // What is seen is well inside, or nothing lies beyond: nothing to ask for.
    const near = (from < offset + AHEAD / 3 && offset > 0) || (to > offset + size - AHEAD / 3 && offset + size < this.height);
    const wanted = Math.min(MAX_WINDOW, to - from + 2 * AHEAD);
    if (within && !near && wanted <= size) return;
    const next = { offset: Math.max(0, from - AHEAD), size: wanted };
    if (next.offset === offset && next.size === size) return;
    this.window = next;
    this.turn();
  }

  /** Opens or closes a group. */
  fold(group: string, open: boolean): void {
    this.collapsed = open ? this.collapsed.filter((one) => one !== group) : [...new Set([...this.collapsed, group])];
    this.turn();
  }

  /** Every row, up to a bound: a second view of the same takes them page by page. */
  all(): Promise<Order[]> {
    return new Promise((resolve, reject) => {
      const found: Order[] = [];
      const view = new OrderView(this.connection, { ...this.wanted, groupBy: null, size: MAX_WINDOW });
      const take = () => {
        if (view.refusal !== null) {
          view.close();
          reject(new Error(view.refusal));
          return;
        }
        if (!view.begun || view.offset !== found.length) return;
        for (const line of view.lines) if ("row" in line) found.push(line.row);
        if (view.lines.length === 0 || found.length >= Math.min(view.total, MAX_ALL)) {
          view.close();
          // Rows that moved meanwhile were met twice.
          resolve([...new Map(found.map((row) => [row.order_id, row])).values()]);
          return;
        }
        view.window = { offset: found.length, size: MAX_WINDOW };
        view.turn();
      };
      view.subscribe(take);
    });
  }

  private refused(text: string): void {
    this.refusal = text;
    this.begun = true;
    this.lines = [];
    this.height = this.total = 0;
    this.tell();
  }

  private take(frame: Frame): void {
    const [now, told] = [Date.now(), [] as Order[]];
    for (const [number, ...cells] of frame.rows ?? []) {
      const row = Object.fromEntries(FIELDS.map((field, at) => [field, cells[at]])) as unknown as Order;
      this.rows.set(number, row);
      told.push(row);
    }
    for (const [number, ...pairs] of frame.cells ?? []) {
      const known = this.rows.get(number);
      if (known === undefined) continue;
      const row = { ...known } as Record<string, unknown>;
      for (let at = 0; at + 1 < pairs.length; at += 2) row[FIELDS[pairs[at] as number] ?? ""] = pairs[at + 1];
      this.rows.set(number, row as unknown as Order);
      this.changed.set(String(row.order_id), now);
      told.push(row as unknown as Order);
    }
    [this.total, this.height, this.begun, this.refusal] = [frame.total, frame.lines, true, null];
    if (frame.order !== undefined || frame.offset !== (this.waiting?.offset ?? this.offset)) {
      this.waiting = { order: frame.order ?? this.waiting?.order ?? this.order, offset: frame.offset };
    }
    if (told.length > 0) this.onRows(told);
    this.settle(now);
  }

  /** Takes the new order over, where the last one has stood for a while or somebody asked for another part. */
  private settle(now: number): void {
    const due = this.turned || now - this.ordered >= RANK_MS;
    if (this.waiting !== null && due) {
      [this.order, this.offset] = [this.waiting.order, this.waiting.offset];
      [this.waiting, this.ordered, this.turned] = [null, now, false];
      const kept = new Set(this.order.filter((line): line is number => typeof line === "number"));
      for (const number of this.rows.keys()) if (!kept.has(number)) this.rows.delete(number);
      if (this.changed.size > 4 * MAX_WINDOW) this.changed.clear();
    } else if (this.waiting !== null && this.timer === null) {
      this.timer = setTimeout(() => {
        this.timer = null;
        this.settle(Date.now());
      }, RANK_MS);
    }
    this.lines = this.order.flatMap((line): ViewLine[] => {
      if (typeof line !== "number") return [{ group: line.group ?? "", count: line.count, open: line.open }];
      const row = this.rows.get(line);
      return row === undefined ? [] : [{ row }];
    });
    this.tell();
  }

  private tell(): void {
    this.version += 1;
    for (const listener of [...this.listeners]) listener();
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
  snapshot = (): number => this.version;
}
