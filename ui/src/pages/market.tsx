import { useQuery as useAsked } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { api, unwrap } from "../api/client";
import type { Market } from "../api/types";
import { compare, decimal } from "../format/number";
import { type Column, Grid } from "../grid/grid";
import { asks } from "../shell/bindings";
import { asOf, ticket, useDesk } from "../shell/context";
import { keyText, Panel, Spark, Time } from "../shell/parts";
import { useCell, useTable } from "../stream/desk";
import { useInstruments } from "../ticket/ticket";
import { Candles } from "./charts";

function watchColumns(ticks: ReadonlyMap<string, { mid: number }[]>, small: boolean): Column<Market>[] {
  const all: Column<Market>[] = [
    { id: "symbol", title: "Symbol", width: 76, text: (row) => row.symbol, cell: (row) => <b>{row.symbol}</b> },
    { id: "bid_size", title: "Size", width: 88, right: true, decimal: true, text: (row) => row.bid_size ?? "", cell: (row) => decimal(row.bid_size), hidden: small },
    { id: "bid", title: "Bid", width: 68, right: true, decimal: true, text: (row) => row.bid ?? "", cell: (row) => <span className="bid">{decimal(row.bid, 2)}</span> },
    { id: "ask", title: "Ask", width: 68, right: true, decimal: true, text: (row) => row.ask ?? "", cell: (row) => <span className="ask">{decimal(row.ask, 2)}</span> },
    { id: "ask_size", title: "Size", width: 88, right: true, decimal: true, text: (row) => row.ask_size ?? "", cell: (row) => decimal(row.ask_size), hidden: small },
    { id: "last", title: "Last", width: 68, right: true, decimal: true, text: (row) => row.last ?? "", cell: (row) => decimal(row.last, 2), hidden: small },
    { id: "spark", title: "Recent", width: small ? 74 : 110, text: () => "", cell: (row) => <Spark values={(ticks.get(row.symbol) ?? []).slice(-120).map((tick) => tick.mid)} width={small ? 62 : 96} /> },
    { id: "updated_at", title: "Changed", width: 92, text: (row) => row.updated_at ?? "", cell: (row) => <Time at={row.updated_at} />, hidden: small },
  ];
  return all;
}
const keyOfMarket = (row: Market) => row.symbol;

export function Watch({ small, onActive }: { small: boolean; onActive?: (row: Market | null) => void }) {
  const desk = useDesk();
  const past = useCell(asOf);
  const markets = useTable(desk.markets);
  const version = markets.version;
  const rows = useMemo(
    () => markets.values().filter((one) => one.bid !== null || one.ask !== null || one.last !== null),
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [version],
  );
  const columns = useMemo(() => watchColumns(desk.ticks, small), [desk, small]);
  return (
    <Grid
      name={small ? "watch-small" : "watch"} label="Market watch" rows={rows} columns={columns} keyOf={keyOfMarket} changed={markets.changed} plain={small} layout={{ sort: { id: "symbol", down: false } }}
      onActive={onActive} onOpen={(row) => past === null && ticket.set({ kind: "new", side: "BUY", symbol: row.symbol, price: row.ask ?? undefined })} empty="No quotes yet."
      onKey={(event, row) => {
        const buys = asks(event, "buy");
        if (row === null || event.repeat || past !== null || (!buys && !asks(event, "sell"))) return false;
        ticket.set({ kind: "new", side: buys ? "BUY" : "SELL", symbol: row.symbol, price: (buys ? row.ask : row.bid) ?? undefined });
        return true;
      }}
      menu={(row) => [
        { label: "Buy at the ask", keys: keyText("buy"), run: () => ticket.set({ kind: "new", side: "BUY", symbol: row.symbol, price: row.ask ?? undefined }), disabled: past !== null ? "The past is read only" : null },
        { label: "Sell at the bid", keys: keyText("sell"), run: () => ticket.set({ kind: "new", side: "SELL", symbol: row.symbol, price: row.bid ?? undefined }), disabled: past !== null ? "The past is read only" : null },
      ]}
    />
  );
}

/** The first level of every venue beside the consolidated best. */
function Venues({ of }: { of: Market }) {
  // The stream tells the best of all venues; what each of them says is asked for, twice a second.
  const asked = useAsked({
    queryKey: ["venues of", of.symbol],
    queryFn: () => unwrap(api.GET("/api/v1/marketdata/last/{symbol}", { params: { path: { symbol: of.symbol } } })),
    refetchInterval: 500,
    retry: false,
  });
  const market = asked.data;
  if (market === undefined) return <p className="muted">Looking…</p>;
  const quoted = market.venues.filter((one) => one.bid !== null || one.ask !== null || one.halted);
  return (
    <table className="table" aria-label={`Venues of ${market.symbol}`}>
      <thead><tr><th>Venue</th><th className="right">Size</th><th className="right">Bid</th><th className="right">Ask</th><th className="right">Size</th><th>Changed</th></tr></thead>
      <tbody>
        <tr className="row-taken"><td><b>Best</b></td><td className="right">{decimal(market.bid_size)}</td><td className="right bid">{decimal(market.bid, 2)}</td><td className="right ask">{decimal(market.ask, 2)}</td><td className="right">{decimal(market.ask_size)}</td><td><Time at={market.updated_at} /></td></tr>
        {quoted.map((one) => (
          <tr key={one.venue}>
            <td>{one.venue}{one.halted && <span className="warn"> halted</span>}</td>
            <td className="right">{decimal(one.bid_size)}</td>
            <td className="right">{one.bid !== null && market.bid !== null && compare(one.bid, market.bid) === 0 ? <b className="bid">{decimal(one.bid, 2)}</b> : decimal(one.bid, 2)}</td>
            <td className="right">{one.ask !== null && market.ask !== null && compare(one.ask, market.ask) === 0 ? <b className="ask">{decimal(one.ask, 2)}</b> : decimal(one.ask, 2)}</td>
            <td className="right">{decimal(one.ask_size)}</td>
            <td><Time at={one.updated_at} /></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function MarketPage() {
  const desk = useDesk();
  const live = useCell(desk.health).live;
  const markets = useTable(desk.markets);
  const [symbol, setSymbol] = useState<string | null>(null);
  const first = markets.values().filter((one) => one.mid !== null).sort((a, b) => (a.symbol < b.symbol ? -1 : 1))[0];
  const market = (symbol === null ? undefined : markets.get(symbol)) ?? first;
  const instrument = useInstruments().data?.data.find((one) => one.symbol === market?.symbol);
  return (
    <div className="page market-page">
      <Panel title="Watch" className="grow" stale={!live}><Watch small={false} onActive={(row) => row !== null && setSymbol(row.symbol)} /></Panel>
      <div className="market-side">
        {market !== undefined && (
          <>
            <Panel title={market.symbol} stale={!live} note={instrument === undefined ? undefined : `${instrument.asset_class.toLowerCase().replaceAll("_", " ")}, ${instrument.currency}, listed at ${instrument.listing}`}><Venues of={market} /></Panel>
            <Panel title={`Candles of ${market.symbol}`} className="grow" note="middle of the best bid and offer" stale={!live}><Candles key={market.symbol} symbol={market.symbol} first="1m" /></Panel>
          </>
        )}
      </div>
    </div>
  );
}
