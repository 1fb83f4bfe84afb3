import { useInfiniteQuery, useQuery as useAsked } from "@tanstack/react-query";
import { useState } from "react";
import { api, explain, unwrap } from "../api/client";
import type { components } from "../api/schema";
import { decimal } from "../format/number";
import { Panel, short, Time, words } from "../shell/parts";
import { navigate, useQuery } from "../shell/route";

type Record = components["schemas"]["AuditRecord"];
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Who did what: the log, newest first, by user, kind of event and order; and whether it is the log that was signed. */
export default function AuditPage() {
  const [user, setUser] = useQuery("user_id");
  const [kind, setKind] = useQuery("type");
  const [order, setOrder] = useQuery("order_id");
  const [from, setFrom] = useQuery("before");
  const wrong = [["user", user], ["order", order]].find(([, id]) => id !== "" && !UUID.test(id ?? ""));
  const query = { ...(user === "" ? {} : { user_id: user }), ...(kind === "" ? {} : { type: kind }), ...(order === "" ? {} : { order_id: order }) };
  const pages = useInfiniteQuery({
    queryKey: ["audit", user, kind, order, from],
    enabled: wrong === undefined,
    initialPageParam: Number(from === "" ? 0 : from),
    queryFn: ({ pageParam }) => unwrap(api.GET("/api/v1/audit", { params: { query: { ...query, before: pageParam, limit: 100 } as never } })),
    getNextPageParam: (page) => page.next ?? undefined,
    retry: false,
  });
  const records = pages.data?.pages.flatMap((page) => page.data) ?? [];
  return (
    <div className="page audit-page">
      <Panel title="Search">
        <div className="inline-form" role="search" aria-label="Audit">
          <Kinds value={kind} onChange={setKind} />
          <label className="field wide-field"><span>Order id</span><input value={order} spellCheck={false} autoComplete="off" onChange={(event) => setOrder(event.target.value.trim().toLowerCase())} /></label>
          <label className="field wide-field"><span>User id</span><input value={user} spellCheck={false} autoComplete="off" onChange={(event) => setUser(event.target.value.trim().toLowerCase())} /></label>
          <label className="field"><span>Before sequence</span><input value={from} inputMode="numeric" onChange={(event) => setFrom(event.target.value.replace(/\D/g, ""))} /></label>
          <button type="button" className="quiet" onClick={() => navigate("/audit", true)}>Clear</button>
          {wrong !== undefined && <p className="refused" role="alert">The {wrong[0]} id is not whole.</p>}
        </div>
      </Panel>
      <Signed />
      <Panel title="Records" className="grow" note="newest first" tools={<button type="button" className="quiet" onClick={() => void pages.refetch()}>Look again</button>}>
        {pages.error !== null ? <p className="refused" role="alert">{explain(pages.error)}</p> : (
          <table className="table" aria-label="Records">
            <thead><tr><th className="right">Sequence</th><th>Time</th><th>What happened</th><th>Who</th><th>By</th><th>Trace</th></tr></thead>
            <tbody>
              {records.map((one) => (
                <tr key={one.sequence}>
                  <td className="right">{decimal(String(one.sequence))}</td><td><Time at={one.time} /></td><td className="events"><Events of={one} onKind={setKind} /></td>
                  <td>{UUID.test(one.actor.user_id) && !/^0{8}/.test(one.actor.user_id) ? <button type="button" className="link" title={one.actor.user_id} onClick={() => setUser(one.actor.user_id)}>{short(one.actor.user_id)}</button> : <span className="muted">the desk</span>}</td>
                  <td>{words(one.actor.source)}</td><td className="id" title={one.trace_id}>{one.trace_id.slice(0, 8)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        {pages.isFetching && <p className="muted">Looking…</p>}
        {!pages.isFetching && records.length === 0 && pages.error === null && <p className="muted">Nothing that was looked at passes.</p>}
        {pages.hasNextPage && !pages.isFetching && <p><button type="button" onClick={() => void pages.fetchNextPage()}>Look further back</button></p>}
      </Panel>
    </div>
  );
}

/** Kinds as the document of the interface names them are too many for a list that is part of the page: they are typed, with help. */
function Kinds({ value, onChange }: { value: string; onChange: (kind: string) => void }) {
  const [text, setText] = useState(value);
  const [seen, setSeen] = useState(value);
  if (seen !== value) {
    setSeen(value);
    setText(value);
  }
  return <label className="field"><span>Kind of event</span><input value={text} spellCheck={false} autoComplete="off" placeholder="OrderCreated" onChange={(event) => setText(event.target.value.trim())} onBlur={() => onChange(text)} onKeyDown={(event) => event.key === "Enter" && onChange(text)} /></label>;
}

function Events({ of, onKind }: { of: Record; onKind: (kind: string) => void }) {
  const order = of.events.find((event) => event.order_id !== null)?.order_id;
  const counted = new Map<string, number>();
  for (const event of of.events) counted.set(event.type, (counted.get(event.type) ?? 0) + 1);
  return (
    <>
      {[...counted].map(([kind, times]) => <button key={kind} type="button" className="part link" onClick={() => onKind(kind)}>{kind}{times > 1 ? ` × ${times}` : ""}</button>)}
      {order !== undefined && order !== null && <button type="button" className="link" onClick={() => navigate(`/orders/${order}`)}>order {short(order)}</button>}
    </>
  );
}

/** Whether the log is the one that was signed: looked at when somebody asks, for it reads all of it. */
function Signed() {
  const report = useAsked({ queryKey: ["audit verify"], enabled: false, retry: false, queryFn: () => unwrap(api.GET("/api/v1/audit/verify", {})) });
  const found = report.data;
  return (
    <Panel title="Signed log" tools={<button type="button" disabled={report.isFetching} onClick={() => void report.refetch()}>{report.isFetching ? "Reading all of it…" : "Verify"}</button>}>
      {report.error !== null ? <p className="refused" role="alert">{explain(report.error)}</p>
        : found === undefined ? <p className="muted">Every record is chained to the one before it, and checkpoints of the chain are signed. Verify reads the whole log against them.</p>
          : found.intact ? <p className="calm" role="status">✓ Intact: {decimal(String(found.records))} records against {decimal(String(found.checkpoints))} signed checkpoints.</p>
            : <ul className="refused" role="alert">{found.findings.map((one) => <li key={`${one.place} ${one.what}`}>{one.place}: {one.what}</li>)}</ul>}
    </Panel>
  );
}
