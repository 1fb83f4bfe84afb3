import { useQuery as useAsked } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { api, unwrap } from "../api/client";
import type { Execution, Order } from "../api/types";
import { decimal } from "../format/number";
import { parse, served } from "../grid/filter";
import { type Column, Grid, type RowSource } from "../grid/grid";
import type { Layout } from "../grid/layout";
import { run, say } from "../shell/actions";
import { asks } from "../shell/bindings";
import { asOf, dialog, ticket, useDesk } from "../shell/context";
import type { MenuItem } from "../shell/menu";
import { keyText, short, SideMark, StateMark, stateText, Time } from "../shell/parts";
import { navigate, useQuery } from "../shell/route";
import { isInDoubt, isWorking, useCell, useTable, WORKING } from "../stream/desk";
import { AHEAD, type OrderView, type ViewAsked } from "../stream/view";

export const ORDER_COLUMNS: Column<Order>[] = [
  { id: "created_at", title: "Time", width: 96, text: (row) => row.created_at, cell: (row) => <Time at={row.created_at} /> },
  { id: "ord_status", title: "State", width: 112, text: stateText, cell: (row) => <StateMark order={row} />, groups: true },
  { id: "side", title: "Side", width: 74, text: (row) => row.side, cell: (row) => <SideMark side={row.side} />, groups: true },
  { id: "symbol", title: "Symbol", width: 86, text: (row) => row.symbol, cell: (row) => <b>{row.symbol}</b>, groups: true },
  { id: "ord_type", title: "Type", width: 116, text: (row) => row.ord_type, cell: (row) => row.ord_type.replaceAll("_", " ").toLowerCase(), groups: true },
  { id: "order_qty", title: "Quantity", width: 84, right: true, decimal: true, text: (row) => row.order_qty, cell: (row) => decimal(row.order_qty) },
  { id: "price", title: "Price", width: 84, right: true, decimal: true, text: (row) => row.price ?? "", cell: (row) => decimal(row.price, 2) },
  { id: "cum_qty", title: "Executed", width: 84, right: true, decimal: true, text: (row) => row.cum_qty, cell: (row) => decimal(row.cum_qty) },
  { id: "leaves_qty", title: "Open", width: 76, right: true, decimal: true, text: (row) => row.leaves_qty, cell: (row) => decimal(row.leaves_qty) },
  { id: "avg_px", title: "Average", width: 92, right: true, decimal: true, text: (row) => row.avg_px ?? "", cell: (row) => decimal(row.avg_px, 2) },
  { id: "time_in_force", title: "TIF", width: 46, text: (row) => row.time_in_force, groups: true },
  { id: "stop_px", title: "Stop", width: 76, right: true, decimal: true, text: (row) => row.stop_px ?? "", cell: (row) => decimal(row.stop_px, 2), hidden: true },
  { id: "venue", title: "Venue", width: 64, text: (row) => row.venue ?? "", hidden: true, groups: true },
  { id: "source", title: "Source", width: 72, text: (row) => row.source, hidden: true, groups: true },
  { id: "kind", title: "Kind", width: 72, text: (row) => row.kind, hidden: true },
  { id: "updated_at", title: "Changed", width: 96, text: (row) => row.updated_at, cell: (row) => <Time at={row.updated_at} /> },
  { id: "text", title: "Reason", width: 180, text: (row) => row.reject_code ?? row.text ?? "" },
  { id: "cl_ord_id", title: "Client id", width: 130, text: (row) => row.cl_ord_id, hidden: true },
  { id: "order_id", title: "Order id", width: 112, text: (row) => row.order_id, cell: (row) => <span title={row.order_id}>{short(row.order_id)}</span> },
  { id: "account_id", title: "Account", width: 112, text: (row) => row.account_id, cell: (row) => <span title={row.account_id}>{short(row.account_id)}</span>, hidden: true, groups: true },
  { id: "version", title: "Version", width: 60, right: true, text: (row) => String(row.version), decimal: true, hidden: true },
];

export const keyOfOrder = (order: Order) => order.order_id;

/** What may be done with an order, in a menu. */
export function orderMenu(order: Order, meant: Order[], past: boolean): MenuItem[] {
  const done = isWorking(order) ? null : "The order is done";
  const readOnly = past ? "The past is read only" : null;
  const working = meant.filter(isWorking);
  return [
    { label: "Open", keys: "↵", run: () => navigate(`/orders/${order.order_id}`) },
    { label: "Why", keys: keyText("why"), run: () => navigate(`/orders/${order.order_id}?tab=why`) },
    { label: "Amend", keys: keyText("amend"), run: () => ticket.set({ kind: "amend", order }), disabled: readOnly ?? done },
    { label: working.length > 1 ? `Cancel ${working.length} orders` : "Cancel", keys: keyText("cancel"), danger: true, run: () => dialog.set({ kind: "cancel", orders: working }), disabled: readOnly ?? (working.length === 0 ? "The order is done" : null) },
    { label: "Buy more like it", keys: keyText("buy"), run: () => ticket.set({ kind: "new", side: "BUY", symbol: order.symbol, price: order.price ?? undefined, qty: order.order_qty }), disabled: readOnly },
    { label: "Sell like it", keys: keyText("sell"), run: () => ticket.set({ kind: "new", side: "SELL", symbol: order.symbol, price: order.price ?? undefined, qty: order.order_qty }), disabled: readOnly },
    { label: "Copy the order id", run: () => void navigator.clipboard.writeText(order.order_id).then(() => say("ok", "Copied")) },
    { label: "Copy as command", run: () => void navigator.clipboard.writeText(`oms order why ${order.order_id}`).then(() => say("ok", "Copied")) },
  ];
}

/** Keys of a list of orders. */
export function orderKeys(event: React.KeyboardEvent, row: Order | null, meant: Order[], past: boolean): boolean {
  if (event.repeat || row === null) return false;
  if (asks(event, "why")) navigate(`/orders/${row.order_id}?tab=why`);
  else if (past) return false;
  else if (asks(event, "buy") || asks(event, "sell")) ticket.set({ kind: "new", side: asks(event, "buy") ? "BUY" : "SELL", symbol: row.symbol, price: row.price ?? undefined, qty: row.order_qty });
  else if (asks(event, "amend") && isWorking(row)) ticket.set({ kind: "amend", order: row });
  else if (asks(event, "cancel") && meant.some(isWorking)) dialog.set({ kind: "cancel", orders: meant.filter(isWorking) });
  else return false;
  return true;
}

const STATES = [["", "All"], ["working", "Working"], ["done", "Done"], ["in_doubt", "In doubt"]] as const;
/** What the buttons ask for. */
const SHOWS: Record<string, Record<string, string>> = { working: { state__in: WORKING }, done: { state__in: "FILLED,CANCELED,REJECTED,EXPIRED,CLOSED" }, in_doubt: { in_doubt: "true" } };
/** Columns that the server sorts by another name, or not at all. */
const SORTED_AS: Record<string, string | null> = { text: "reject_code", kind: null };
/** Ids of clients and brokers are as they are written; terms and symbols are capitals. */
const asWritten = new Set(["cl_ord_id", "broker_order_id", "order_id", "root_order_id", "account_id", "user_id", "in_doubt", "created_at", "updated_at"]);
const LAYOUT: Partial<Layout> = { sort: { id: "created_at", down: true } };

/** A view of the desk's orders, opened anew when something else is asked for. */
function useOrderView(asked: ViewAsked | null): OrderView | null {
  const desk = useDesk();
  const words = JSON.stringify(asked);
  const [view, setView] = useState<OrderView | null>(null);
  useEffect(() => {
    const meant = JSON.parse(words) as ViewAsked | null;
    if (meant === null) return setView(null);
    const opened = desk.view(meant);
    setView(opened);
    return () => opened.close();
  }, [desk, words]);
  useSyncExternalStore(view?.subscribe ?? nothing, view?.snapshot ?? zero);
  // What was shown last stands until the answer to another question is there.
  const shown = useRef<OrderView | null>(null);
  if (view === null || view.begun) shown.current = view;
  return shown.current ?? view;
}
const nothing = () => () => undefined;
const zero = () => 0;

/** A view that shows nothing for so long reads the orders first. */
const READS_MS = 150;

/**
 * The first page of the same list, until the view is there: the first one after a pause has every order read, which takes seconds where
 * there are a million. It is asked for again while the view is waited for.
 */
function useFirstPage(asked: ViewAsked | null, view: OrderView | null): RowSource<Order> | null {
  const waits = asked !== null && view?.begun !== true;
  const [reads, setReads] = useState(false);
  useEffect(() => {
    if (!waits) return setReads(false);
    const timer = setTimeout(() => setReads(true), READS_MS);
    return () => clearTimeout(timer);
  }, [waits]);
  // Lists know no words that stand anywhere and no groups, and the doubt of an order is that of its legs.
  const plain = asked !== null && (asked.search ?? []).length === 0 && !asked.groupBy && asked.filter?.in_doubt === undefined;
  const page = useAsked({
    queryKey: ["first orders", asked],
    enabled: waits && reads && plain,
    queryFn: () => unwrap(api.GET("/api/v1/orders", { params: { query: { is_root: "true", limit: 100, ...(asked?.sort ? { sort: asked.sort } : {}), ...asked?.filter } as never } })),
    refetchInterval: 1_000,
    retry: false,
  });
  const rows = page.data?.data;
  return useMemo(() => (!waits || rows === undefined ? null : { ...EMPTY, lines: rows.map((row) => ({ row })), height: rows.length }), [waits, rows]);
}

/** Follows a value once it has rested for a moment. */
function useRested<T>(value: T, ms: number): T {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return rested;
}

export function Blotter({ name }: { name: string }) {
  const past = useCell(asOf);
  const [filter, setFilter] = useQuery("filter");
  const [which, setWhich] = useQuery("show");
  const [layout, setLayout] = useState<Pick<Layout, "sort" | "group"> | null>(null);
  const typed = useRested(filter, 150);
  const asked = useMemo<ViewAsked | null>(() => {
    if (past !== null || layout === null) return null;
    const { filter: conditions, search } = served(parse(typed), (field) => !asWritten.has(field));
    const id = layout.sort?.id ?? "";
    const by = id in SORTED_AS ? SORTED_AS[id] : id;
    const sort = by ? `${layout.sort?.down ? "-" : ""}${by}` : "";
    return { filter: { ...SHOWS[which], ...conditions }, search, sort, groupBy: layout.group, size: 2 * AHEAD };
  }, [past, layout, typed, which]);
  const view = useOrderView(asked);
  const first = useFirstPage(asked, view);
  const earlier = useAsked({
    queryKey: ["orders", past],
    enabled: past !== null,
    queryFn: () => unwrap(api.GET("/api/v1/orders", { params: { query: { as_of: String(past), is_root: "true", sort: "-created_seq", limit: 500 } as never } })),
    placeholderData: (before) => before,
  });
  const rows = useMemo(() => {
    if (past === null) return NONE;
    const roots = (earlier.data?.data ?? []).filter((order) => order.parent_order_id === null);
    return which === "working" ? roots.filter(isWorking) : which === "done" ? roots.filter((order) => !isWorking(order)) : which === "in_doubt" ? roots.filter(isInDoubt) : roots;
  }, [earlier.data, which, past]);
  const open = useCallback((order: Order) => navigate(`/orders/${order.order_id}`), []);
  return (
    <Grid
      name={name} label="Orders" rows={rows} source={past === null ? (first ?? view ?? EMPTY) : null} onLayout={setLayout} columns={ORDER_COLUMNS} keyOf={keyOfOrder} layout={LAYOUT}
      onOpen={open}
      menu={(row, meant) => orderMenu(row, meant, past !== null)} onKey={(event, row, meant) => orderKeys(event, row, meant, past !== null)}
      filter={filter} onFilter={setFilter} rowClass={(row) => (isInDoubt(row) ? "row-doubt" : "")}
      empty={which === "" ? "No orders yet. Press B to buy, S to sell." : "Nothing passes the filter."}
      tools={(_, picked) => (
        <>
          <div className="segments" role="group" aria-label="Which orders">
            {STATES.map(([value, word]) => <button key={value} type="button" aria-pressed={which === value} onClick={() => setWhich(value)}>{word}</button>)}
          </div>
          <button type="button" className="quiet" disabled={past !== null || picked.filter(isWorking).length === 0} onClick={() => dialog.set({ kind: "cancel", orders: picked.filter(isWorking) })}>Cancel selected</button>
        </>
      )}
    />
  );
}

const NONE: Order[] = [];
/** Before a view is open. */
const EMPTY: RowSource<Order> = {
  lines: [], offset: 0, height: 0, total: 0, begun: false, refusal: null, changed: new Map(),
  show: () => undefined, fold: () => undefined, all: () => Promise.resolve([]),
};

export const EXECUTION_COLUMNS: Column<Execution>[] = [
  { id: "transact_time", title: "Time", width: 96, text: (row) => row.transact_time, cell: (row) => <Time at={row.transact_time} /> },
  { id: "side", title: "Side", width: 74, text: (row) => row.side, cell: (row) => <SideMark side={row.side} />, groups: true },
  { id: "symbol", title: "Symbol", width: 86, text: (row) => row.symbol, cell: (row) => <b>{row.symbol}</b>, groups: true },
  { id: "last_qty", title: "Quantity", width: 84, right: true, decimal: true, text: (row) => row.last_qty, cell: (row) => decimal(row.last_qty) },
  { id: "last_px", title: "Price", width: 84, right: true, decimal: true, text: (row) => row.last_px, cell: (row) => decimal(row.last_px, 2) },
  { id: "venue", title: "Venue", width: 64, text: (row) => row.venue, groups: true },
  { id: "liquidity", title: "Liquidity", width: 82, text: (row) => row.liquidity, cell: (row) => row.liquidity.toLowerCase(), groups: true },
  { id: "fee", title: "Fee", width: 76, right: true, decimal: true, text: (row) => row.fee, cell: (row) => decimal(row.fee, 2) },
  { id: "exec_type", title: "Kind", width: 104, text: (row) => row.exec_type, cell: (row) => row.exec_type.replaceAll("_", " ").toLowerCase(), groups: true },
  { id: "exec_id", title: "Execution", width: 104, text: (row) => row.exec_id },
  { id: "root_order_id", title: "Order", width: 112, text: (row) => row.root_order_id ?? "", cell: (row) => short(row.root_order_id ?? "") },
  { id: "recorded_at", title: "Recorded", width: 96, text: (row) => row.recorded_at, cell: (row) => <Time at={row.recorded_at} />, hidden: true },
  { id: "seq", title: "Sequence", width: 76, right: true, decimal: true, text: (row) => String(row.seq), cell: (row) => decimal(String(row.seq)) },
];
const keyOfExecution = (one: Execution) => String(one.seq);

export function Executions({ name, orderId }: { name: string; orderId?: string }) {
  const desk = useDesk();
  const live = useTable(desk.executions);
  const past = useCell(asOf);
  const version = live.version;
  const rows = useMemo(() => {
    const meant = orderId === undefined ? live.values() : live.values().filter((one) => one.root_order_id === orderId || one.order_id === orderId);
    return past === null ? meant : meant.filter((one) => one.seq <= past);
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [version, orderId, past]);
  return (
    <Grid
      name={name} label="Executions" rows={rows} columns={EXECUTION_COLUMNS} keyOf={keyOfExecution} layout={{ sort: { id: "seq", down: true } }} changed={live.changed}
      onOpen={(row) => row.root_order_id !== null && navigate(`/orders/${row.root_order_id}`)} empty="Nothing was executed yet."
      menu={(row) => [
        { label: "Open its order", run: () => navigate(`/orders/${row.root_order_id ?? ""}`), disabled: row.root_order_id === null ? "It belongs to no order" : null },
        { label: "Copy the execution id", run: () => void run("Copied", () => navigator.clipboard.writeText(row.exec_id)) },
      ]}
    />
  );
}

/** The time, told so often. */
export function useTick(ms: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), ms);
    return () => clearInterval(timer);
  }, [ms]);
  return now;
}
