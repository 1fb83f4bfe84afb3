import { asks } from "../shell/bindings";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { api, explain, idempotencyKey, Refused, Unreachable, unwrap } from "../api/client";
import type { Market, Order, Preview } from "../api/types";
import { decimal, quantity, step } from "../format/number";
import { amend, place, say } from "../shell/actions";
import { ticket, type TicketAsk, useDesk, useGuard } from "../shell/context";
import { Key, SideMark } from "../shell/parts";
import { navigate } from "../shell/route";
import { useOrder, useTable } from "../stream/desk";
import { ALGOS, curl, type Draft, EMPTY, order, problems, SIDES, spec, TIMES, TYPES } from "./model";
import { BrokerSays, Checks, RouteTable } from "./verdict";

/** What may be asked for again and again is asked for once in a while only. */
export function useInstruments() {
  return useQuery({ queryKey: ["instruments"], queryFn: () => unwrap(api.GET("/api/v1/instruments", { params: { query: { limit: 500 } as never } })), staleTime: 300_000 });
}
function useAccounts() {
  return useQuery({ queryKey: ["accounts"], queryFn: () => unwrap(api.GET("/api/v1/accounts", {})), staleTime: 300_000 });
}
function useVenues() {
  return useQuery({ queryKey: ["venues"], queryFn: () => unwrap(api.GET("/api/v1/sor/venues", {})), staleTime: 60_000 });
}
function usePolicies() {
  return useQuery({ queryKey: ["policies"], queryFn: () => unwrap(api.GET("/api/v1/sor/policies", {})), staleTime: 60_000 });
}

export function tickOf(ticks: readonly { from: string; tick: string }[] | undefined): string {
  return ticks?.at(-1)?.tick ?? "0.01";
}

export function Ticket({ ask }: { ask: TicketAsk }) {
  return ask.kind === "new" ? <NewTicket ask={ask} /> : <AmendTicket of={ask.order} />;
}

function Quote({ market, onPrice }: { market: Market | undefined; onPrice: (price: string) => void }) {
  if (market === undefined) return <p className="ticket-quote none">No market for this instrument.</p>;
  const side = (label: string, price: string | null, size: string | null) => (
    <button type="button" disabled={price === null} onClick={() => price !== null && onPrice(price)} title={`Take the ${label} as the price`}>
      <small>{label}</small> <b>{decimal(price) || "-"}</b> <small>× {decimal(size) || "0"}</small>
    </button>
  );
  return <div className="ticket-quote">{side("bid", market.bid, market.bid_size)}{side("ask", market.ask, market.ask_size)}<span><small>last</small> {decimal(market.last) || "-"}</span></div>;
}

function NewTicket({ ask }: { ask: Extract<TicketAsk, { kind: "new" }> }) {
  const desk = useDesk();
  const guard = useGuard();
  const [draft, setDraft] = useState<Draft>(() => ({ ...EMPTY, symbol: ask.symbol ?? "", side: ask.side, price: ask.price ?? "", qty: ask.qty ?? "", ...draftOf(ask) }));
  // Made when the ticket opens: however often it is sent, it is one order.
  const [key, setKey] = useState(idempotencyKey);
  const [shown, setShown] = useState<{ preview: Preview; of: string } | null>(null);
  const [refused, setRefused] = useState<string | null>(null);
  const [sending, setSending] = useState(false);
  const [tried, setTried] = useState(false);
  const [more, setMore] = useState(false);
  const instruments = useInstruments().data?.data ?? [];
  const accounts = useAccounts().data?.data ?? [];
  const venues = useVenues().data?.data ?? [];
  const policies = usePolicies().data?.data ?? [];
  const markets = useTable(desk.markets);
  const instrument = instruments.find((one) => one.symbol === draft.symbol);
  const market = markets.get(draft.symbol);
  const form = useRef<HTMLFormElement>(null);
  const kind = spec(draft.type);
  // Where there are several accounts an order names one of them.
  const meant = { ...draft, account: draft.account || (accounts.length > 1 ? (accounts[0]?.account_id ?? "") : "") };
  const wrong = problems(draft);
  const words = JSON.stringify(draft);
  const set = (next: Partial<Draft>) => {
    setDraft((known) => ({ ...known, ...next }));
    setRefused(null);
    // Another order is another order: what was sent under the old key stays what it was.
    if (tried) setKey(idempotencyKey());
  };
  useEffect(() => {
    form.current?.querySelector<HTMLElement>(draft.symbol === "" ? "[name=symbol]" : "[name=qty]")?.focus();
    // Once, when the ticket opens.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);
  const preview = async () => {
    setTried(true);
    if (wrong.length > 0) return focusOn(wrong[0]?.field);
    try {
      const answered = await unwrap(api.POST("/api/v1/orders/preview", { body: order(meant) }));
      setShown({ preview: answered, of: words });
      setRefused(null);
    } catch (error) {
      setRefused(explain(error));
    }
  };
  const focusOn = (field: string | undefined) => form.current?.querySelector<HTMLElement>(`[name=${field ?? "symbol"}]`)?.focus();
  const send = async () => {
    setTried(true);
    if (sending || guard !== null) return;
    if (wrong.length > 0) return focusOn(wrong[0]?.field);
    setSending(true);
    try {
      const placed = await place(order(meant), key);
      say("ok", `${placed.side} ${decimal(placed.order_qty)} ${placed.symbol} is recorded`);
      desk.orders.put([placed], true);
      ticket.set(null);
    } catch (error) {
      setRefused(explain(error));
      // A refusal ends this order, and another try is another order. Where nothing was heard it is the same one.
      if (error instanceof Refused) setKey(idempotencyKey());
      if (error instanceof Unreachable) setRefused("The desk was not reached. Sending again repeats this order: it is placed once at most.");
    } finally {
      setSending(false);
    }
  };
  const tick = (by: number) => {
    const moved = step(draft.price === "" ? (market?.[draft.side === "BUY" ? "bid" : "ask"] ?? "") : draft.price, tickOf(instrument?.ticks), by);
    if (moved !== null) set({ price: moved });
  };
  const problem = (field: keyof Draft) => (tried ? wrong.find((one) => one.field === field)?.text : undefined);
  const text = (field: keyof Draft, label: string, more: React.InputHTMLAttributes<HTMLInputElement> = {}) => (
    <label className="field">
      <span>{label}</span>
      <input name={field} value={draft[field]} autoComplete="off" spellCheck={false} aria-invalid={problem(field) !== undefined} aria-describedby={problem(field) === undefined ? undefined : `wrong-${field}`} onChange={(event) => set({ [field]: event.target.value })} {...more} />
      {problem(field) !== undefined && <small className="wrong" id={`wrong-${field}`}>{problem(field)}</small>}
    </label>
  );
  const choose = (field: keyof Draft, label: string, options: readonly (readonly [string, string])[]) => (
    <label className="field">
      <span>{label}</span>
      <select name={field} value={meant[field]} onChange={(event) => set({ [field]: event.target.value })}>
        {options.map(([value, word]) => <option key={value} value={value}>{word}</option>)}
      </select>
    </label>
  );
  const current = shown !== null && shown.of === words;
  return (
    <aside className={`ticket ticket-${draft.side.startsWith("BUY") || draft.side === "SUBSCRIBE" ? "buy" : "sell"}`} aria-label="Order ticket">
      <header className="panel-head"><h2>New order</h2><span className="spacer" /><button type="button" className="quiet" onClick={() => ticket.set(null)} aria-label="Close the ticket">✕</button></header>
      {/* Keys of the whole form: a form has none of its own. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
      <form
        ref={form}
        onSubmit={(event) => { event.preventDefault(); void preview(); }}
        onKeyDown={(event) => {
          if (asks(event, "send")) {
            event.preventDefault();
            // A key that is held down sends nothing.
            if (!event.repeat) void send();
          } else if (asks(event, "preview")) {
            event.preventDefault();
            void preview();
          } else if (event.key === "Escape") {
            event.stopPropagation();
            ticket.set(null);
          }
        }}
      >
        <div className="ticket-sides" role="radiogroup" aria-label="Side">
          {SIDES.slice(0, 3).map((side) => (
            <label key={side} className={draft.side === side ? "on" : ""}><input type="radio" name="side" value={side} checked={draft.side === side} onChange={() => set({ side })} /><SideMark side={side} /></label>
          ))}
        </div>
        <div className="fields">
          <label className="field">
            <span>Instrument</span>
            <input
              name="symbol" list="instruments" value={draft.symbol} autoComplete="off" spellCheck={false} aria-invalid={problem("symbol") !== undefined}
              onChange={(event) => set({ symbol: event.target.value.toUpperCase() })}
            />
            <datalist id="instruments">{instruments.filter((one) => one.active).map((one) => <option key={one.symbol} value={one.symbol}>{`${one.asset_class.toLowerCase()} ${one.currency} ${one.listing}`}</option>)}</datalist>
            {problem("symbol") !== undefined && <small className="wrong">{problem("symbol")}</small>}
          </label>
          {choose("type", "Type", TYPES.map((one) => [one.type, one.word] as const))}
        </div>
        {draft.symbol !== "" && <Quote market={market} onPrice={(price) => set({ price })} />}
        <div className="fields">
          {text("qty", "Quantity", { inputMode: "decimal", placeholder: "1k, 2.5m" })}
          {kind?.price && text("price", "Price", {
            inputMode: "decimal",
            onKeyDown: (event) => {
              if (event.key !== "ArrowUp" && event.key !== "ArrowDown" && event.key !== "+" && event.key !== "-") return;
              event.preventDefault();
              tick((event.key === "ArrowUp" || event.key === "+" ? 1 : -1) * (event.shiftKey ? 10 : 1));
            },
          })}
          {kind?.stop && text("stop", "Stop price", { inputMode: "decimal" })}
          {kind?.trail && text("trail", "Trail", { inputMode: "decimal" })}
          {kind?.trail && choose("trailBy", "Trail by", [["amount", "amount"], ["percent", "percent"]])}
          {draft.type === "TRAILING_STOP_LIMIT" && text("limitOffset", "Limit offset", { inputMode: "decimal" })}
          {(kind?.peg || draft.algo === "PEG") && choose("peg", "Peg to", [["MID", "mid"], ["MARKET", "other side"], ["PRIMARY", "own side"]])}
          {kind?.peg && text("pegOffset", "Offset", { inputMode: "decimal" })}
          {choose("tif", "Time in force", TIMES.map((one) => [one, one] as const))}
          {draft.tif === "GTD" && text("expire", "Expires", { type: "datetime-local" })}
        </div>
        <details open={more} onToggle={(event) => setMore(event.currentTarget.open)}>
          <summary>Routing, algorithm, display</summary>
          <div className="fields">
            {choose("mode", "Route", [["", "as the policy says"], ["SINGLE_BEST", "single best"], ["SPLIT", "split"], ["SWEEP", "sweep"], ["STAGED", "staged"], ["NAMED", "named venue"]])}
            {choose("policy", "Policy", [["", "default"], ...policies.map((one) => [one.name, one.name] as const)])}
            {(draft.mode === "NAMED" || draft.venue !== "") && choose("venue", "Venue", [["", "choose"], ...venues.map((one) => [one.venue, `${one.venue} ${one.name}`] as const)])}
            {choose("algo", "Algorithm", [["", "none"], ...ALGOS.map((one) => [one, one] as const)])}
            {draft.algo !== "" && !["PEG", "ICEBERG"].includes(draft.algo) && text("minutes", "Minutes", { inputMode: "numeric" })}
            {["TWAP", "VWAP", "ARRIVAL", "TIME_SLICED"].includes(draft.algo) && text("slices", "Slices", { inputMode: "numeric" })}
            {draft.algo === "POV" && text("participation", "Share of volume %", { inputMode: "decimal" })}
            {text("floor", draft.algo === "ICEBERG" ? "Slice quantity" : "Displayed quantity", { inputMode: "decimal" })}
            {accounts.length > 1 && choose("account", "Account", accounts.map((one) => [one.account_id, one.name] as const))}
            {text("note", "Note")}
          </div>
        </details>
        {refused !== null && <p className="refused" role="alert">{refused}</p>}
        {guard !== null && <p className="guard" role="status">{guard}</p>}
        <div className="ticket-actions">
          <button type="submit">Preview <Key action="preview" /></button>
          <button type="button" className="send" disabled={guard !== null || sending} title={guard ?? undefined} onClick={() => void send()}>
            Send <Key action="send" />
          </button>
        </div>
        {shown !== null && <Shown preview={shown.preview} current={current} />}
        <button
          type="button" className="quiet" disabled={wrong.length > 0}
          onClick={() => void navigator.clipboard.writeText(curl(meant, location.origin)).then(() => say("ok", "Copied as curl"))}
        >
          Copy as curl
        </button>
      </form>
    </aside>
  );
}

function draftOf(ask: TicketAsk): Partial<Draft> {
  return ask.kind === "new" ? (ask.draft ?? {}) : {};
}

function Shown({ preview, current }: { preview: Preview; current: boolean }) {
  const { estimate } = preview;
  const notable = preview.checks.filter((check) => check.verdict !== "NOT_APPLICABLE");
  const bad = notable.filter((check) => check.verdict !== "PASS");
  return (
    <section className={`shown ${current ? "" : "old"}`} aria-label="Preview">
      <p className={preview.accepted ? "ok" : "refused"} role="status">
        {!current && "For the ticket as it was: "}
        {preview.accepted && notable.some((check) => check.verdict === "HOLD") ? "‖ would be taken, and wait before it is sent" : preview.accepted ? `✓ passes ${notable.length} checks` : `⊘ would be refused: ${preview.refusal?.message ?? ""}`}
      </p>
      {estimate !== null && (
        <dl className="facts">
          <div><dt>Average price</dt><dd>{decimal(estimate.avg_px, 2) || "-"}</dd></div>
          <div><dt>Notional</dt><dd>{decimal(estimate.notional, 2)}</dd></div>
          <div><dt>Fees</dt><dd>{decimal(estimate.fees, 2)}</dd></div>
          <div><dt>Shortfall</dt><dd>{decimal(estimate.shortfall, 2) || "-"}</dd></div>
        </dl>
      )}
      {preview.brokers.map((said, at) => <BrokerSays key={`${said.venue} ${at}`} said={said} />)}
      {preview.route !== null && <RouteTable route={preview.route} brief />}
      <details open={bad.length > 0}><summary>{notable.length} checks{bad.length > 0 ? `, ${bad.length} to look at` : ""}</summary><Checks checks={[...bad, ...notable.filter((check) => check.verdict === "PASS")]} /></details>
    </section>
  );
}

function AmendTicket({ of }: { of: Order }) {
  const desk = useDesk();
  const guard = useGuard();
  const live = useOrder(desk, of.order_id) ?? of;
  const [qty, setQty] = useState(of.order_qty);
  const [price, setPrice] = useState(of.price ?? "");
  const [stop, setStop] = useState(of.stop_px ?? "");
  const [refused, setRefused] = useState<string | null>(null);
  const [sending, setSending] = useState(false);
  const key = useMemo(() => idempotencyKey(), []);
  const market = useTable(desk.markets).get(of.symbol);
  const instrument = useInstruments().data?.data.find((one) => one.symbol === of.symbol);
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.select(), []);
  const moved = live.version !== of.version;
  const send = async () => {
    if (sending || guard !== null) return;
    const change: Record<string, string> = {};
    for (const [name, typed, was] of [["order_qty", qty, of.order_qty], ["price", price, of.price ?? ""], ["stop_px", stop, of.stop_px ?? ""]] as const) {
      if (typed === was) continue;
      const read = quantity(typed);
      if (read === null) return setRefused(`${typed === "" ? "An empty field" : typed} is not a number`);
      change[name] = read;
    }
    if (Object.keys(change).length === 0) return setRefused("Nothing is changed");
    setSending(true);
    try {
      await amend(live, change, moved ? idempotencyKey() : key);
      say("ok", `The change of ${of.symbol} is asked for`);
      ticket.set(null);
    } catch (error) {
      setRefused(explain(error));
    } finally {
      setSending(false);
    }
  };
  return (
    <aside className="ticket" aria-label="Amend order">
      <header className="panel-head"><h2>Amend</h2><span className="spacer" /><button type="button" className="quiet" onClick={() => ticket.set(null)} aria-label="Close the ticket">✕</button></header>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
      <form
        onSubmit={(event) => { event.preventDefault(); void send(); }}
        onKeyDown={(event) => {
          if (event.key === "Escape") { event.stopPropagation(); ticket.set(null); }
          if (event.key === "Enter" && event.repeat) event.preventDefault();
        }}
      >
        <p className="ticket-of"><SideMark side={of.side} /> {decimal(of.order_qty)} <b>{of.symbol}</b> {of.ord_type} <button type="button" className="link" onClick={() => navigate(`/orders/${of.order_id}`)}>open</button></p>
        <p className="muted">{decimal(live.cum_qty)} executed, {decimal(live.leaves_qty)} open. A higher quantity or another price loses the place in the queue.</p>
        <Quote market={market} onPrice={setPrice} />
        <div className="fields">
          <label className="field"><span>Quantity</span><input ref={first} name="qty" value={qty} autoComplete="off" onChange={(event) => setQty(event.target.value)} inputMode="decimal" /></label>
          {of.price !== null && (
            <label className="field"><span>Price</span>
              <input
                name="price" value={price} autoComplete="off" inputMode="decimal" onChange={(event) => setPrice(event.target.value)}
                onKeyDown={(event) => {
                  if (event.key !== "ArrowUp" && event.key !== "ArrowDown" && event.key !== "+" && event.key !== "-") return;
                  event.preventDefault();
                  setPrice(step(price, tickOf(instrument?.ticks), event.key === "ArrowUp" || event.key === "+" ? 1 : -1) ?? price);
                }}
              />
            </label>
          )}
          {of.stop_px !== null && <label className="field"><span>Stop price</span><input name="stop" value={stop} autoComplete="off" inputMode="decimal" onChange={(event) => setStop(event.target.value)} /></label>}
        </div>
        {moved && <p className="guard" role="status">The order has moved on to version {live.version} while this was open: look again.</p>}
        {refused !== null && <p className="refused" role="alert">{refused}</p>}
        {guard !== null && <p className="guard" role="status">{guard}</p>}
        <div className="ticket-actions"><button type="submit" className="send" disabled={guard !== null || sending}>Send the change <kbd>↵</kbd></button></div>
      </form>
    </aside>
  );
}
