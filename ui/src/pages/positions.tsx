import { useQuery as useAsked } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, unwrap } from "../api/client";
import type { Position } from "../api/types";
import { decimal, sign } from "../format/number";
import { type Column, Grid } from "../grid/grid";
import { asOf, ticket, useDesk } from "../shell/context";
import { Money, Num, Panel, short } from "../shell/parts";
import { useCell, useTable } from "../stream/desk";
import { PnlChart } from "./charts";
import { useTick } from "./blotter";

const columns = (marks: (symbol: string) => string | null): Column<Position>[] => [
  { id: "symbol", title: "Symbol", width: 90, text: (row) => row.symbol, cell: (row) => <b>{row.symbol}</b> },
  { id: "qty", title: "Position", width: 100, right: true, decimal: true, text: (row) => row.qty, cell: (row) => <span className={["down", "none", "up"][sign(row.qty) + 1]}>{decimal(row.qty)}</span> },
  { id: "avg_cost", title: "Average cost", width: 116, right: true, decimal: true, text: (row) => row.avg_cost ?? "", cell: (row) => <Num value={row.avg_cost} decimals={2} /> },
  { id: "last", title: "Last", width: 90, right: true, decimal: true, text: (row) => marks(row.symbol) ?? row.mark ?? "", cell: (row) => <Num value={marks(row.symbol) ?? row.mark} decimals={2} /> },
  { id: "market_value", title: "Value at mark", width: 130, right: true, decimal: true, text: (row) => row.market_value ?? "", cell: (row) => <Num value={row.market_value} decimals={2} /> },
  { id: "unrealized", title: "Unrealized", width: 120, right: true, decimal: true, text: (row) => row.unrealized ?? "", cell: (row) => <Money value={row.unrealized} /> },
  { id: "realized", title: "Realized", width: 120, right: true, decimal: true, text: (row) => row.realized, cell: (row) => <Money value={row.realized} /> },
  { id: "fees", title: "Fees", width: 100, right: true, decimal: true, text: (row) => row.fees, cell: (row) => <Num value={row.fees} decimals={2} /> },
  { id: "bought_qty", title: "Bought", width: 100, right: true, decimal: true, text: (row) => row.bought_qty, cell: (row) => decimal(row.bought_qty) },
  { id: "sold_qty", title: "Sold", width: 100, right: true, decimal: true, text: (row) => row.sold_qty, cell: (row) => decimal(row.sold_qty) },
  { id: "lots", title: "Lots", width: 60, right: true, decimal: true, text: (row) => String(row.lots.length) },
  { id: "account_id", title: "Account", width: 112, text: (row) => row.account_id, cell: (row) => <span title={row.account_id}>{short(row.account_id)}</span>, groups: true },
];
/** What has room beside the orders. */
const SMALL: readonly [id: string, width: number][] = [["symbol", 72], ["qty", 60], ["avg_cost", 96], ["unrealized", 86]];
const SHORT: Record<string, string> = { avg_cost: "Cost" };
const small = (all: Column<Position>[]) => SMALL.flatMap(([id, width]) => all.filter((one) => one.id === id).map((one) => ({ ...one, width, title: SHORT[id] ?? one.title })));
export const keyOfPosition = (row: Position) => `${row.account_id} ${row.symbol}`;

export function usePositions(): Position[] {
  const desk = useDesk();
  const past = useCell(asOf);
  const live = useTable(desk.positions);
  const seconds = useTick(2_000);
  // Marks move without an execution: the page is asked for every other second beside the stream.
  const asked = useAsked({
    queryKey: ["positions", past, past === null ? `${live.version} ${Math.floor(seconds / 2_000)}` : ""],
    queryFn: () => unwrap(api.GET("/api/v1/positions", { params: { query: { limit: 500, ...(past === null ? {} : { as_of: String(past) }) } as never } })),
    placeholderData: (before) => before,
  });
  return asked.data?.data ?? (past === null ? live.values() : []);
}

export function usePnl() {
  const past = useCell(asOf);
  const seconds = useTick(2_000);
  return useAsked({
    queryKey: ["pnl", past, past === null ? Math.floor(seconds / 2_000) : 0],
    queryFn: () => unwrap(api.GET("/api/v1/pnl/today", { params: { query: (past === null ? {} : { as_of: String(past) }) as never } })),
    placeholderData: (before) => before,
  }).data;
}

export function PositionGrid({ plain = false }: { plain?: boolean }) {
  const desk = useDesk();
  const past = useCell(asOf);
  const markets = useTable(desk.markets);
  const rows = usePositions();
  const shown = useMemo(() => columns((symbol) => (past === null ? (markets.get(symbol)?.last ?? null) : null)), [markets, past]);
  return (
    <Grid
      name={plain ? "positions-small" : "positions"} label="Positions" rows={rows} columns={plain ? small(shown) : shown} keyOf={keyOfPosition} plain={plain} changed={desk.positions.changed} layout={{ sort: { id: "symbol", down: false } }}
      empty="No positions."
      menu={(row) => [
        { label: "Close the position", run: () => ticket.set({ kind: "new", side: sign(row.qty) > 0 ? "SELL" : "BUY", symbol: row.symbol, qty: row.qty.replace("-", ""), draft: { type: "MARKET" } }), disabled: past !== null ? "The past is read only" : sign(row.qty) === 0 ? "There is none" : null },
        { label: "Buy", keys: "B", run: () => ticket.set({ kind: "new", side: "BUY", symbol: row.symbol }), disabled: past !== null ? "The past is read only" : null },
        { label: "Sell", keys: "S", run: () => ticket.set({ kind: "new", side: "SELL", symbol: row.symbol }), disabled: past !== null ? "The past is read only" : null },
      ]}
    />
  );
}

export function PositionsPage() {
  const pnl = usePnl();
  const past = useCell(asOf);
  const stale = !useCell(useDesk().health).live && past === null;
  return (
    <div className="page positions-page">
      <Panel title="Profit and loss today" stale={stale} note={pnl?.last_closed_day ? `since the close of ${pnl.last_closed_day}` : "since the first execution"}>
        <div className="pnl">
          <div className="tiles">
            {(pnl?.data ?? []).map((one) => (
              <dl className="facts" key={`${one.account_id} ${one.strategy}`}>
                <div className="big"><dt>Net, {one.base_currency}</dt><dd><Money value={one.net} /></dd></div>
                <div><dt>Realized</dt><dd><Money value={one.realized} /></dd></div>
                <div><dt>Unrealized</dt><dd><Money value={one.unrealized} /></dd></div>
                <div><dt>Fees</dt><dd>{decimal(one.fees, 2)}</dd></div>
                <div><dt>Without a mark</dt><dd>{one.unmarked}</dd></div>
              </dl>
            ))}
            {pnl?.data.length === 0 && <p className="muted">Nothing was executed yet.</p>}
          </div>
          {past === null && <PnlChart />}
        </div>
      </Panel>
      <Panel title="Positions" className="grow" stale={stale}><PositionGrid /></Panel>
    </div>
  );
}
