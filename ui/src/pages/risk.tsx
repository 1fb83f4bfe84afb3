import { useQuery as useAsked } from "@tanstack/react-query";
import { api, unwrap } from "../api/client";
import type { LimitUse, RiskStatus } from "../api/types";
import { compare, decimal, share } from "../format/number";
import { type Column, Grid } from "../grid/grid";
import { asOf, dialog, useDesk } from "../shell/context";
import { Bar, Key, Num, Panel, scopeText, short, Time, words } from "../shell/parts";
import { navigate } from "../shell/route";
import { useCell } from "../stream/desk";

export function useRisk(): { status: RiskStatus | null; past: boolean } {
  const desk = useDesk();
  const past = useCell(asOf);
  const live = useCell(desk.risk);
  const earlier = useAsked({
    queryKey: ["risk", past],
    enabled: past !== null,
    queryFn: () => unwrap(api.GET("/api/v1/risk/status", { params: { query: { as_of: String(past) } as never } })),
    placeholderData: (before) => before,
  });
  return past === null ? { status: live, past: false } : { status: earlier.data ?? null, past: true };
}

const used = (row: LimitUse) => (row.used === null ? -1 : share(row.used.replace("-", ""), row.value));
const LIMITS: Column<LimitUse>[] = [
  { id: "limit_type", title: "Limit", width: 190, text: (row) => row.limit_type, cell: (row) => words(row.limit_type) },
  { id: "scope", title: "Scope", width: 180, text: (row) => row.scope, groups: true, cell: (row) => <span title={row.scope}>{scopeText(row.scope)}</span> },
  { id: "use", title: "Headroom", width: 150, text: (row) => String(used(row)), decimal: true, cell: (row) => (row.used === null ? <span className="none">per order</span> : <><Bar share={used(row)} label={`${words(row.limit_type)}: used`} /> {used(row) === 0 ? "0" : (used(row) / 100).toFixed(1)}%</>) },
  { id: "used", title: "Used", width: 130, right: true, decimal: true, text: (row) => row.used ?? "", cell: (row) => <Num value={row.used} /> },
  { id: "value", title: "Limit", width: 130, right: true, decimal: true, text: (row) => row.value, cell: (row) => <Num value={row.value} /> },
  { id: "headroom", title: "Left", width: 130, right: true, decimal: true, text: (row) => row.headroom ?? "", cell: (row) => <Num value={row.headroom} /> },
  { id: "trend", title: "In 5 min", width: 100, right: true, decimal: true, text: (row) => row.trend?.change ?? "", cell: (row) => (row.trend === null ? "" : decimal(row.trend.change)) },
  { id: "kind", title: "Kind", width: 60, text: (row) => (row.soft ? "soft" : "hard"), groups: true },
  { id: "breaches", title: "Breaches", width: 76, right: true, decimal: true, text: (row) => String(row.breaches ?? "") },
  { id: "last_breach", title: "Last breach", width: 110, text: (row) => row.last_breach?.time ?? "", cell: (row) => <Time at={row.last_breach?.time} /> },
  { id: "version", title: "Version", width: 60, right: true, decimal: true, text: (row) => String(row.version), hidden: true },
];
const keyOfLimit = (row: LimitUse) => `${row.limit_type} ${row.scope} ${row.period ?? ""} ${row.soft}`;

export function RiskPage() {
  const { status, past } = useRisk();
  const stale = !useCell(useDesk().health).live && !past;
  if (status === null) return <Panel title="Risk"><p className="muted">Looking…</p></Panel>;
  const worst = [...status.doubts].sort((a, b) => compare(b.worst_notional, a.worst_notional));
  return (
    <div className="page risk-page">
      <div className="risk-top">
        <Panel title="Kill switch" className={status.kills.switches.length > 0 ? "hazard" : ""} stale={stale} tools={<button type="button" className="danger" disabled={past} onClick={() => dialog.set({ kind: "kill" })}>Engage… <Key action="kill" /></button>}>
          {status.kills.switches.length === 0 && <p className="calm">✓ No switch is engaged. Orders are taken.</p>}
          <ul className="kills">
            {status.kills.switches.map((one) => (
              <li key={one.scope}>
                <b className={one.state === "ENGAGED" ? "kill-engaged" : "kill-engaging"}>{one.state === "ENGAGED" ? "■" : "◐"} {one.state}</b> {one.scope}
                <dl className="facts">
                  <div><dt>Since</dt><dd><Time at={one.since} /></dd></div>
                  <div><dt>Still working</dt><dd>{one.working ?? "-"}</dd></div>
                  <div><dt>In doubt</dt><dd>{one.in_doubt}</dd></div>
                </dl>
                {one.alarm && <p className="refused">An order of this scope cannot be confirmed gone.</p>}
                <button type="button" disabled={past} onClick={() => dialog.set({ kind: "release", scope: one.scope })}>Release…</button>
              </li>
            ))}
          </ul>
        </Panel>
        <Panel title="Trading" stale={stale}>
          <dl className="facts">
            {status.trading_states.map((one) => <div key={one.scope}><dt>{one.scope}</dt><dd className={one.state === "ACTIVE" ? "" : "warn"}>{one.state}</dd></div>)}
            <div><dt>Held for approval</dt><dd><button type="button" className="link" onClick={() => navigate("/approvals")}>{status.held}</button></dd></div>
            <div><dt>Throttled</dt><dd>{status.throttled.length === 0 ? "none" : status.throttled.join(", ")}</dd></div>
          </dl>
          <table className="table">
            <thead><tr><th>Open in</th><th className="right">Orders</th><th className="right">Notional</th></tr></thead>
            <tbody>{status.open.map((one) => <tr key={one.scope}><td title={one.scope}>{scopeText(one.scope)}</td><td className="right">{decimal(String(one.orders))}</td><td className="right">{decimal(one.notional, 2)}</td></tr>)}</tbody>
          </table>
        </Panel>
        <Panel title="Breakers" stale={stale}>
          {status.breakers.length === 0 ? <p className="muted">No breaker is set.</p> : (
            <table className="table">
              <thead><tr><th>State</th><th>Breaker</th><th>Scope</th><th className="right">Threshold</th><th>Does</th><th>Since</th></tr></thead>
              <tbody>
                {status.breakers.map((one) => (
                  <tr key={`${one.kind} ${one.scope}`} className={one.state === "OPEN" ? "row-bad" : ""}><td>{one.state === "CLOSED" ? "✓" : one.state === "OPEN" ? "■" : "◐"} {words(one.state)}</td><td>{words(one.kind)}</td><td>{one.scope}</td><td className="right"><Num value={one.threshold} /> in {one.window_s} s</td><td>{words(one.action)}</td><td><Time at={one.since} /></td></tr>
                ))}
              </tbody>
            </table>
          )}
        </Panel>
      </div>
      <Panel title="In doubt" note={status.in_doubt === 0 ? undefined : `${status.in_doubt} with an unknown outcome`} className={status.in_doubt > 0 ? "doubt-panel" : ""} stale={stale}>
        {worst.length === 0 ? <p className="calm">✓ The outcome of every order is known.</p> : (
          <table className="table">
            <thead><tr><th>Order</th><th>Venue</th><th className="right">Quantity</th><th className="right">Worst case</th><th>Evidence so far</th><th>Since</th></tr></thead>
            <tbody>
              {worst.map((one) => (
                <tr key={one.order_id}><td><button type="button" className="link" onClick={() => navigate(`/orders/${one.root_order_id}?tab=timeline`)}>{short(one.order_id)}</button></td><td>{one.venue}</td><td className="right">{decimal(one.qty)}</td><td className="right">{decimal(one.worst_notional, 2)}</td><td>{words(one.reason)}</td><td><Time at={one.since} /></td></tr>
              ))}
            </tbody>
          </table>
        )}
      </Panel>
      <Panel title="Limits" className="grow" stale={stale}>
        <Grid name="limits" label="Limits" rows={status.limits} columns={LIMITS} keyOf={keyOfLimit} layout={{ sort: { id: "use", down: true } }} />
      </Panel>
    </div>
  );
}
