import { useQuery as useAsked, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, idempotencyKey, unwrap } from "../api/client";
import type { Allocation, FixSession, Order, Quote, QuoteRequest, VenueStatistic } from "../api/types";
import { compare, decimal, quantity } from "../format/number";
import { age } from "../format/time";
import { type Column, Grid } from "../grid/grid";
import { execute, run, say } from "../shell/actions";
import { asOf, useDesk, useGuard } from "../shell/context";
import { Num, Panel, short, SideMark, Time, words } from "../shell/parts";
import { navigate } from "../shell/route";
import { useCell } from "../stream/desk";
import { useInstruments } from "../ticket/ticket";
import { keyOfOrder, ORDER_COLUMNS, useTick } from "./blotter";

const keyed = () => ({ "Idempotency-Key": idempotencyKey() }) as never;

/** Another number each second: what has no topic of the stream is asked for so often while it is looked at. */
function useFresh(): number {
  return Math.floor(useTick(1_000) / 1_000);
}

export function ApprovalsPage() {
  const past = useCell(asOf);
  const guard = useGuard();
  const fresh = useFresh();
  const client = useQueryClient();
  const held = useAsked({
    queryKey: ["held", past, past === null ? fresh : 0],
    queryFn: () => unwrap(api.GET("/api/v1/risk/held", { params: { query: (past === null ? {} : { as_of: String(past) }) as never } })),
    placeholderData: (before) => before,
  });
  const rows = held.data?.data ?? [];
  const decide = async (order: Order, type: "OrderApproveCmd" | "OrderTurnDownCmd") => {
    const done = await run(type === "OrderApproveCmd" ? `${order.symbol} is approved` : `${order.symbol} is turned down`, () =>
      execute({ type, order_id: order.order_id, if_version: order.version, ...(type === "OrderApproveCmd" ? {} : { reason: "turned down at the desk" }) }),
    );
    if (done) void client.invalidateQueries({ queryKey: ["held"] });
  };
  const columns: Column<Order>[] = [
    {
      id: "decide", title: "Decide", width: 170, text: () => "",
      cell: (row) => (
        <span className="row-actions">
          <button type="button" tabIndex={-1} disabled={guard !== null} onClick={() => void decide(row, "OrderApproveCmd")}>Approve</button>
          <button type="button" tabIndex={-1} className="danger" disabled={guard !== null} onClick={() => void decide(row, "OrderTurnDownCmd")}>Turn down</button>
        </span>
      ),
    },
    ...ORDER_COLUMNS.filter((column) => !["avg_px", "cum_qty", "text"].includes(column.id)).map((column) => (column.id === "account_id" ? { ...column, hidden: false } : column)),
  ];
  return (
    <div className="page">
      <Panel title="Approvals" className="grow" note="orders that wait for a second person; nobody approves an order of their own">
        <Grid
          name="approvals" label="Approvals" rows={rows} columns={columns} keyOf={keyOfOrder} onOpen={(row) => navigate(`/orders/${row.order_id}`)} empty="Nothing waits for approval."
          menu={(row) => [
            { label: "Approve", run: () => void decide(row, "OrderApproveCmd"), disabled: guard },
            { label: "Turn down", danger: true, run: () => void decide(row, "OrderTurnDownCmd"), disabled: guard },
            { label: "Open", keys: "↵", run: () => navigate(`/orders/${row.order_id}`) },
          ]}
        />
      </Panel>
    </div>
  );
}

export function QuotesPage() {
  const desk = useDesk();
  const guard = useGuard();
  const client = useQueryClient();
  const now = useTick(500);
  const beat = Math.floor(now / 500);
  const [symbol, setSymbol] = useState("");
  const [qty, setQty] = useState("");
  const [side, setSide] = useState("BUY");
  const [seconds, setSeconds] = useState("60");
  const instruments = useInstruments().data?.data ?? [];
  const requests = useAsked({ queryKey: ["rfq", beat], queryFn: () => unwrap(api.GET("/api/v1/quote-requests", { params: { query: { limit: 50 } as never } })), placeholderData: (before) => before });
  const quotes = useAsked({ queryKey: ["quotes", beat], queryFn: () => unwrap(api.GET("/api/v1/quotes", { params: { query: { limit: 200 } as never } })), placeholderData: (before) => before });
  const again = () => void client.invalidateQueries({ queryKey: ["quotes"] });
  const ask = async () => {
    const read = quantity(qty);
    if (symbol === "" || read === null) return say("bad", "An instrument and a quantity are needed");
    await run(`Quotes for ${read} ${symbol} are asked for`, () =>
      unwrap(api.POST("/api/v1/quote-requests", { params: { header: keyed() }, body: { symbol, order_qty: read, side: side === "" ? null : side, life_ms: Number(seconds) * 1_000 } as never })),
    );
    again();
  };
  const accept = async (quote: Quote, taken: "BUY" | "SELL" | null) => {
    await run(`The quote of ${quote.dealer} is accepted`, () =>
      unwrap(api.POST("/api/v1/quotes/{quote_id}/accept", { params: { path: { quote_id: quote.quote_id }, header: keyed() }, body: taken === null ? {} : { side: taken } })).then((order) => desk.orders.put([order], true)),
    );
    again();
  };
  const all = quotes.data?.data ?? [];
  return (
    <div className="page quotes-page">
      <Panel title="Ask for quotes">
        <form className="inline-form" onSubmit={(event) => { event.preventDefault(); void ask(); }}>
          <label className="field"><span>Instrument</span><input list="rfq-instruments" value={symbol} onChange={(event) => setSymbol(event.target.value.toUpperCase())} /></label>
          <datalist id="rfq-instruments">{instruments.filter((one) => one.active).map((one) => <option key={one.symbol} value={one.symbol}>{one.asset_class.toLowerCase()}</option>)}</datalist>
          <label className="field"><span>Side</span><select value={side} onChange={(event) => setSide(event.target.value)}><option value="BUY">buy</option><option value="SELL">sell</option><option value="">both</option></select></label>
          <label className="field"><span>Quantity</span><input value={qty} inputMode="decimal" onChange={(event) => setQty(event.target.value)} /></label>
          <label className="field"><span>Seconds</span><input value={seconds} inputMode="numeric" onChange={(event) => setSeconds(event.target.value)} /></label>
          <button type="submit" className="send" disabled={guard !== null} title={guard ?? undefined}>Ask the dealers</button>
        </form>
      </Panel>
      <Panel title="Requests and quotes" className="grow scroll">
        {(requests.data?.data ?? []).length === 0 && <p className="muted">Nobody was asked for a quote yet.</p>}
        {(requests.data?.data ?? []).map((request) => {
          const mine = all.filter((quote) => quote.quote_req_id === request.quote_req_id).sort((a, b) => bestFirst(a, b, request.side));
          const left = new Date(request.expire_at).getTime() - now;
          return (
            <section key={request.quote_req_id} className="rfq" aria-label={`Request for ${request.symbol}`}>
              <h3>
                {request.side === null ? <span className="side">BOTH</span> : <SideMark side={request.side} />} {decimal(request.order_qty)} {request.symbol} <small>{words(request.state)}, asked of {request.dealers.length === 0 ? "every dealer" : request.dealers.join(", ")}{["NEW", "QUOTED"].includes(request.state) && left > 0 ? `, ${age(left)} left` : ""}</small>
              </h3>
              <table className="table">
                <thead><tr><th>Dealer</th><th className="right">Size</th><th className="right">Bid</th><th className="right">Offer</th><th className="right">Size</th><th>State</th><th>Good until</th><th /></tr></thead>
                <tbody>
                  {mine.map((quote) => {
                    const good = quote.state === "LIVE" && new Date(quote.valid_until).getTime() > now;
                    return (
                      <tr key={quote.quote_id} className={quote.state === "ACCEPTED" ? "row-taken" : good ? "" : "row-out"}>
                        <td>{quote.dealer}</td><td className="right">{decimal(quote.bid_size)}</td><td className="right bid">{decimal(quote.bid_px, 2)}</td><td className="right ask">{decimal(quote.offer_px, 2)}</td><td className="right">{decimal(quote.offer_size)}</td>
                        <td>{words(quote.state)}</td><td><Time at={quote.valid_until} /></td>
                        <td>{good ? (request.side === null ? (["BUY", "SELL"] as const) : [null]).map((taken) => <button key={taken ?? "it"} type="button" disabled={guard !== null} onClick={() => void accept(quote, taken)}>{taken === null ? "Accept" : words(taken)}</button>) : quote.order_id !== null && <button type="button" className="link" onClick={() => navigate(`/orders/${quote.order_id}`)}>its order</button>}</td>
                      </tr>
                    );
                  })}
                  {mine.length === 0 && <tr><td colSpan={8} className="muted">No dealer has answered.</td></tr>}
                </tbody>
              </table>
            </section>
          );
        })}
      </Panel>
    </div>
  );
}

function bestFirst(a: Quote, b: Quote, side: QuoteRequest["side"]): number {
  if (a.state !== b.state) return a.state === "LIVE" ? -1 : b.state === "LIVE" ? 1 : 0;
  return side === "SELL" ? compare(b.bid_px ?? "0", a.bid_px ?? "0") : compare(a.offer_px ?? "0", b.offer_px ?? "0");
}

export function AllocationsPage() {
  const guard = useGuard();
  const fresh = useFresh();
  const client = useQueryClient();
  const groups = useAsked({ queryKey: ["groups", fresh], queryFn: () => unwrap(api.GET("/api/v1/order-groups", {})), placeholderData: (before) => before });
  const allocations = useAsked({ queryKey: ["allocations", fresh], queryFn: () => unwrap(api.GET("/api/v1/allocations", {})), placeholderData: (before) => before });
  const again = () => void client.invalidateQueries({ queryKey: ["allocations"] });
  const decide = async (one: Allocation, yes: boolean) => {
    const path = { alloc_id: one.alloc_id };
    await run(yes ? "The allocation is approved" : "The allocation is rejected", () =>
      yes
        ? unwrap(api.POST("/api/v1/allocations/{alloc_id}/approve", { params: { path, header: keyed() }, body: {} as never }))
        : unwrap(api.POST("/api/v1/allocations/{alloc_id}/reject", { params: { path, header: keyed() }, body: { reason: "rejected at the desk" } })),
    );
    again();
  };
  return (
    <div className="page">
      <Panel title="Groups">
        {(groups.data?.data ?? []).length === 0 ? <p className="muted">No orders are worked as a group.</p> : (
          <table className="table">
            <thead><tr><th>Side</th><th>Symbol</th><th className="right">Quantity</th><th className="right">Executed</th><th className="right">Average</th><th className="right">Allocated</th><th className="right">Members</th><th>Mode</th><th>State</th><th /></tr></thead>
            <tbody>
              {(groups.data?.data ?? []).map((one) => (
                <tr key={one.group_order_id}>
                  <td><SideMark side={one.side} /></td><td><b>{one.symbol}</b></td><td className="right">{decimal(one.order_qty)}</td><td className="right">{decimal(one.cum_qty)}</td><td className="right">{decimal(one.avg_px, 2)}</td><td className="right">{decimal(one.alloc_qty)}</td><td className="right">{one.member_count}</td><td>{one.mode}</td><td>{words(one.ord_status)}</td>
                  <td>
                    <button type="button" className="link" onClick={() => navigate(`/orders/${one.group_order_id}?tab=tree`)}>open</button>{" "}
                    {one.mode === "MANUAL" && compare(one.cum_qty, one.alloc_qty) > 0 && (
                      <button
                        type="button" disabled={guard !== null}
                        onClick={() => void run("The allocation is proposed", () => unwrap(api.POST("/api/v1/order-groups/{group_id}/allocations/propose", { params: { path: { group_id: one.group_order_id }, header: keyed() }, body: {} as never }))).then(again)}
                      >
                        Propose
                      </button>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Panel>
      <Panel title="Allocations" className="grow scroll">
        {(allocations.data?.data ?? []).length === 0 ? <p className="muted">Nothing was shared out yet.</p> : (
          <table className="table">
            <thead><tr><th>Time</th><th>Side</th><th>Symbol</th><th className="right">Quantity</th><th className="right">Average</th><th className="right">Notional</th><th>State</th><th>Shares</th><th /></tr></thead>
            <tbody>
              {(allocations.data?.data ?? []).map((one) => (
                <tr key={one.alloc_id}>
                  <td><Time at={one.transact_time} /></td><td><SideMark side={one.side} /></td><td><b>{one.symbol}</b></td><td className="right">{decimal(one.qty)}</td><td className="right">{decimal(one.avg_px, 2)}</td><td className="right">{decimal(one.notional, 2)}</td><td>{words(one.status)}</td>
                  <td>{one.shares.map((part) => <span key={part.order_id} className="part" title={part.account_id}>{short(part.account_id)} {decimal(part.qty)}</span>)}</td>
                  <td>{one.status === "PROPOSED" && <><button type="button" disabled={guard !== null} onClick={() => void decide(one, true)}>Approve</button> <button type="button" className="danger" disabled={guard !== null} onClick={() => void decide(one, false)}>Reject</button></>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Panel>
    </div>
  );
}

const VENUES: Column<VenueStatistic>[] = [
  { id: "venue", title: "Venue", width: 70, text: (row) => row.venue, cell: (row) => <b>{row.venue}</b> },
  { id: "name", title: "Name", width: 170, text: (row) => row.name },
  { id: "line", title: "Line", width: 110, text: (row) => (!row.enabled ? "disabled" : row.connected ? "connected" : "away"), cell: (row) => (!row.enabled ? <span className="state over">■ disabled</span> : row.connected ? <span className="state live">● connected</span> : <span className="state bad">⊘ away</span>), groups: true },
  { id: "in_doubt", title: "In doubt", width: 70, right: true, decimal: true, text: (row) => String(row.in_doubt), cell: (row) => (row.in_doubt > 0 ? <span className="state doubt">? {row.in_doubt}</span> : "0") },
  { id: "acknowledged", title: "Taken", width: 80, right: true, decimal: true, text: (row) => String(row.acknowledged), cell: (row) => decimal(String(row.acknowledged)) },
  { id: "rejected", title: "Rejected", width: 76, right: true, decimal: true, text: (row) => String(row.rejected), cell: (row) => decimal(String(row.rejected)) },
  { id: "latency", title: "Latency", width: 90, right: true, decimal: true, text: (row) => String(row.latency_ewma_ns), cell: (row) => `${(row.latency_ewma_ns / 1e6).toFixed(2)} ms` },
  { id: "p95", title: "p95", width: 90, right: true, decimal: true, text: (row) => String(row.latency_p95_ns), cell: (row) => `${(row.latency_p95_ns / 1e6).toFixed(2)} ms` },
  { id: "aggressive", title: "Fill, taking", width: 96, right: true, decimal: true, text: (row) => row.aggressive.fill_probability, cell: (row) => `${row.aggressive.filled} of ${row.aggressive.submitted}` },
  { id: "passive", title: "Fill, resting", width: 96, right: true, decimal: true, text: (row) => row.passive.fill_probability, cell: (row) => `${row.passive.filled} of ${row.passive.submitted}` },
  { id: "maker_fee", title: "Maker fee", width: 86, right: true, decimal: true, text: (row) => row.maker_fee, cell: (row) => <Num value={row.maker_fee} decimals={4} /> },
  { id: "taker_fee", title: "Taker fee", width: 86, right: true, decimal: true, text: (row) => row.taker_fee, cell: (row) => <Num value={row.taker_fee} decimals={4} /> },
];
const SESSIONS: Column<FixSession>[] = [
  { id: "client", title: "Client", width: 130, text: (row) => row.client, cell: (row) => <b>{row.client}</b> },
  { id: "line", title: "Line", width: 120, text: (row) => (row.logged_on ? "logged on" : row.open ? "open" : "closed"), cell: (row) => (row.logged_on ? <span className="state live">● logged on</span> : row.open ? <span className="state wait">◌ waits</span> : <span className="state over">■ closed</span>) },
  { id: "next_in", title: "Next in", width: 80, right: true, decimal: true, text: (row) => String(row.next_in) },
  { id: "next_out", title: "Next out", width: 80, right: true, decimal: true, text: (row) => String(row.next_out) },
  { id: "received", title: "Received", width: 80, right: true, decimal: true, text: (row) => String(row.received) },
  { id: "sent", title: "Sent", width: 80, right: true, decimal: true, text: (row) => String(row.sent) },
  { id: "gaps", title: "Gaps", width: 60, right: true, decimal: true, text: (row) => String(row.gaps) },
  { id: "resends", title: "Resends", width: 70, right: true, decimal: true, text: (row) => String(row.resends) },
  { id: "refused", title: "Refused", width: 70, right: true, decimal: true, text: (row) => String(row.refused) },
  { id: "logons", title: "Logons", width: 70, right: true, decimal: true, text: (row) => String(row.logons) },
];
const keyOfVenue = (row: VenueStatistic) => row.venue;
const keyOfSession = (row: FixSession) => row.client;

export function VenuesPage() {
  const fresh = useFresh();
  const venues = useAsked({ queryKey: ["venue statistics", fresh], queryFn: () => unwrap(api.GET("/api/v1/sor/venues", {})), placeholderData: (before) => before });
  const sessions = useAsked({ queryKey: ["fix", fresh], queryFn: () => unwrap(api.GET("/api/v1/fix/sessions", {})), placeholderData: (before) => before });
  return (
    <div className="page">
      <Panel title="Venues" className="grow"><Grid name="venues" label="Venues" rows={venues.data?.data ?? NONE} columns={VENUES} keyOf={keyOfVenue} layout={{ sort: { id: "venue", down: false } }} /></Panel>
      <Panel title="FIX sessions" className="third" note="clients of this desk"><Grid name="fix" label="FIX sessions" rows={sessions.data?.data ?? NONE} columns={SESSIONS} keyOf={keyOfSession} empty="No client speaks FIX to this desk: oms serve --fix ADDRESS" /></Panel>
    </div>
  );
}
const NONE: never[] = [];
