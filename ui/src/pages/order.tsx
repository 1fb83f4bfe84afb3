import { useQuery as useAsked } from "@tanstack/react-query";
import { useEffect } from "react";
import { api, explain, unwrap } from "../api/client";
import type { Order, OrderTree, Route, Step, Why } from "../api/types";
import { decimal } from "../format/number";
import { asks } from "../shell/bindings";
import { asOf, dialog, ticket, useDesk } from "../shell/context";
import { types } from "../shell/keys";
import { Key, Panel, short, SideMark, StateMark, Time, words } from "../shell/parts";
import { navigate, useQuery } from "../shell/route";
import { isWorking, useCell, useOrder } from "../stream/desk";
import { Messages } from "./messages";
import { Checks, RouteTable } from "../ticket/verdict";

const TABS = [["why", "Why"], ["tree", "Tree"], ["timeline", "Timeline"], ["executions", "Executions"], ["messages", "Messages"]] as const;

export function OrderPage({ id }: { id: string }) {
  const desk = useDesk();
  const past = useCell(asOf);
  const live = useOrder(desk, past === null ? id : null);
  const [tab, setTab] = useQuery("tab");
  const at = past === null ? {} : { as_of: String(past) };
  // The page is asked for anew whenever the order moves on.
  const why = useAsked({
    queryKey: ["why", id, past, past === null ? (live?.version ?? 0) : 0],
    queryFn: () => unwrap(api.GET("/api/v1/orders/{order_id}/why", { params: { path: { order_id: id }, query: at as never } })) as Promise<Why>,
    placeholderData: (before) => before,
  });
  const shownOrder = past === null && live !== undefined && live.version >= (why.data?.order.version ?? 0) ? live : why.data?.order;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.repeat || types(event.target) || dialog.get() !== null || asOf.get() !== null || shownOrder === undefined || !isWorking(shownOrder)) return;
      if (asks(event, "amend")) ticket.set({ kind: "amend", order: shownOrder });
      else if (asks(event, "cancel")) dialog.set({ kind: "cancel", orders: [shownOrder] });
      else return;
      event.preventDefault();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [shownOrder]);
  if (why.error !== null) return <Panel title="Order"><p className="refused" role="alert">{explain(why.error)}</p></Panel>;
  if (why.data === undefined) return <Panel title="Order"><p className="muted">Looking it up…</p></Panel>;
  const order = shownOrder ?? why.data.order;
  const shown = tab === "" ? "why" : tab;
  return (
    <div className="page order-page">
      <header className="order-head">
        <button type="button" className="quiet" onClick={() => navigate("/orders")}>‹ Orders</button>
        <h1><SideMark side={order.side} /> {decimal(order.order_qty)} {order.symbol}</h1>
        <StateMark order={order} />
        <span className="muted">{words(order.ord_type)}{order.price !== null && <> at <b>{decimal(order.price, 2)}</b></>} {order.time_in_force}</span>
        <span className="spacer" />
        <button type="button" disabled={past !== null || !isWorking(order)} onClick={() => ticket.set({ kind: "amend", order })}>Amend <Key action="amend" /></button>
        <button type="button" className="danger" disabled={past !== null || !isWorking(order)} onClick={() => dialog.set({ kind: "cancel", orders: [order] })}>Cancel <Key action="cancel" /></button>
      </header>
      <dl className="facts">
        <div><dt>Executed</dt><dd>{decimal(order.cum_qty)}</dd></div>
        <div><dt>Open</dt><dd>{decimal(order.leaves_qty)}</dd></div>
        <div><dt>Average</dt><dd>{decimal(order.avg_px, 2) || "-"}</dd></div>
        <div><dt>Recorded</dt><dd><Time at={order.created_at} /></dd></div>
        <div><dt>Changed</dt><dd><Time at={order.updated_at} /></dd></div>
        <div><dt>Version</dt><dd>{order.version}</dd></div>
        <div><dt>Order id</dt><dd className="id">{order.order_id}</dd></div>
        <div><dt>Client id</dt><dd className="id">{order.cl_ord_id}</dd></div>
        {order.metadata !== null && <div><dt>Metadata</dt><dd className="id">{JSON.stringify(order.metadata)}</dd></div>}
      </dl>
      <div className="tabs" role="tablist" aria-label="Parts of the order">
        {TABS.map(([value, word]) => (
          <button
            key={value} type="button" role="tab" id={`tab-${value}`} aria-selected={shown === value} aria-controls="tab-panel" tabIndex={shown === value ? 0 : -1} onClick={() => setTab(value)}
            onKeyDown={(event) => {
              const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
              if (by === 0) return;
              const next = TABS[(TABS.findIndex(([one]) => one === value) + by + TABS.length) % TABS.length];
              if (next !== undefined) { setTab(next[0]); document.getElementById(`tab-${next[0]}`)?.focus(); }
            }}
          >
            {word}
          </button>
        ))}
      </div>
      <div className="tab-panel" role="tabpanel" id="tab-panel" aria-labelledby={`tab-${shown}`} tabIndex={0}>
        {shown === "why" && <WhyTab why={why.data} />}
        {shown === "tree" && <Tree id={id} version={order.version} />}
        {shown === "timeline" && <Timeline steps={why.data.timeline} root={order.order_id} />}
        {shown === "executions" && <OrderExecutions id={id} version={order.version} />}
        {shown === "messages" && <Messages id={id} version={order.version} />}
      </div>
    </div>
  );
}

function WhyTab({ why }: { why: Why }) {
  return (
    <div className="why">
      <p className="why-summary">{why.summary}</p>
      <ol className="pipeline" aria-label="The way in">
        {why.pipeline.map((task) => (
          <li key={task.task} className={task.result === "PASSED" ? "ok" : task.result === "FAILED" || task.result === "REFUSED" ? "bad" : ""}>
            <span>{words(task.task)}</span><small>{words(task.result)}{task.text !== "" && `, ${task.text}`}{task.sequence !== null && ` at ${task.sequence}`}</small>
          </li>
        ))}
      </ol>
      {(why.routes as (Route & { order_id: string; sequence: number })[]).map((route) => (
        <section key={`${route.order_id} ${route.sequence}`} aria-label={`Route, attempt ${route.attempt}`}>
          <h3>Route, attempt {route.attempt} <small>at sequence {route.sequence}{route.replan_reason !== null && `, because ${words(route.replan_reason)}`}</small></h3>
          <RouteTable route={route} />
        </section>
      ))}
      {why.checks.map((one) => {
        const asked = one.results.filter((check) => check.verdict !== "NOT_APPLICABLE");
        return (
          <section key={`${one.order_id} ${one.sequence}`} aria-label="Checks">
            <h3>Checks <small>at sequence {one.sequence}, {one.results.length - asked.length} more do not apply to this order</small></h3>
            <Checks checks={asked} />
          </section>
        );
      })}
    </div>
  );
}

function Timeline({ steps, root }: { steps: Step[]; root: string }) {
  return (
    <table className="table">
      <thead><tr><th className="right">Sequence</th><th>Time</th><th>What happened</th><th>Order</th><th>Venue</th><th>State</th><th className="right">Executed</th><th className="right">Open</th></tr></thead>
      <tbody>
        {steps.map((step) => {
          const more = step as Step & { state?: string; cum_qty?: string; leaves_qty?: string };
          return (
            <tr key={step.sequence} className={step.order_id === root ? "row-taken" : ""}>
              <td className="right">{step.sequence}</td><td><Time at={step.time} /></td><td><b>{step.type}</b> {step.text}</td>
              <td className="muted">{step.order_id === root ? "this" : short(step.order_id ?? "")}</td><td>{step.venue ?? ""}</td><td>{more.state ?? ""}</td><td className="right">{decimal(more.cum_qty)}</td><td className="right">{decimal(more.leaves_qty)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function flat(tree: OrderTree, depth = 0): { order: Order; depth: number }[] {
  return [{ order: tree, depth }, ...tree.children.flatMap((child) => flat(child, depth + 1))];
}

function Tree({ id, version }: { id: string; version: number }) {
  const past = useCell(asOf);
  const at = past === null ? {} : { as_of: String(past) };
  const tree = useAsked({
    queryKey: ["tree", id, past, version],
    queryFn: () => unwrap(api.GET("/api/v1/orders/{order_id}/tree", { params: { path: { order_id: id }, query: at as never } })) as Promise<unknown> as Promise<OrderTree>,
    placeholderData: (before) => before,
  });
  if (tree.error !== null) return <p className="refused" role="alert">{explain(tree.error)}</p>;
  return (
    <table className="table tree" aria-label="Order tree">
      <thead><tr><th>Order</th><th>Venue</th><th>Side</th><th>State</th><th className="right">Quantity</th><th className="right">Price</th><th className="right">Executed</th><th className="right">Average</th><th>Broker id</th><th>Changed</th></tr></thead>
      <tbody>
        {tree.data !== undefined && flat(tree.data).map(({ order, depth }) => (
          <tr key={order.order_id} className={depth === 0 ? "row-taken" : ""}>
            <td className={`indent-${Math.min(depth, 4)}`}>{depth > 0 && <span aria-hidden="true">└ </span>}{words(order.kind)} <span className="muted">{short(order.order_id)}</span></td>
            <td>{order.venue ?? ""}</td><td><SideMark side={order.side} /></td><td><StateMark order={order} /></td><td className="right">{decimal(order.order_qty)}</td><td className="right">{decimal(order.price, 2)}</td>
            <td className="right">{decimal(order.cum_qty)}</td><td className="right">{decimal(order.avg_px, 2)}</td><td>{order.broker_order_id ?? ""}</td><td><Time at={order.updated_at} /></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function OrderExecutions({ id, version }: { id: string; version: number }) {
  const found = useAsked({
    queryKey: ["executions of", id, version],
    queryFn: () => unwrap(api.GET("/api/v1/executions", { params: { query: { root_order_id: id, sort: "-seq", limit: 500 } as never } })),
    placeholderData: (before) => before,
  });
  if (found.error !== null) return <p className="refused" role="alert">{explain(found.error)}</p>;
  return (
    <table className="table">
      <thead><tr><th>Time</th><th>Execution</th><th>Venue</th><th className="right">Quantity</th><th className="right">Price</th><th>Liquidity</th><th className="right">Fee</th><th>Kind</th></tr></thead>
      <tbody>
        {(found.data?.data ?? []).map((one) => (
          <tr key={one.seq}><td><Time at={one.transact_time} /></td><td>{one.exec_id}</td><td>{one.venue}</td><td className="right">{decimal(one.last_qty)}</td><td className="right">{decimal(one.last_px, 2)}</td><td>{words(one.liquidity)}</td><td className="right">{decimal(one.fee, 2)}</td><td>{words(one.exec_type)}</td></tr>
        ))}
      </tbody>
    </table>
  );
}
