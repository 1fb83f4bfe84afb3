import { useQuery as useAsked } from "@tanstack/react-query";
import { useState } from "react";
import { api, explain, unwrap } from "../api/client";
import type { components } from "../api/schema";
import { Time } from "../shell/parts";

type Fix = components["schemas"]["FixMessage"];
type Told = components["schemas"]["BrokerMessage"];
/** Fields of the session layer, which say nothing of the order. */
const FRAME: ReadonlySet<number> = new Set([8, 9, 10, 34, 35, 49, 52, 56]);
/** Messages of a broker that are asked for at a time. */
const PAGE = 100;

/** The messages about an order: of FIX sessions, and of brokers. */
export function Messages({ id, version }: { id: string; version: number }) {
  const [pages, setPages] = useState(1);
  const fix = useAsked({
    queryKey: ["messages of", id, version],
    queryFn: () => unwrap(api.GET("/api/v1/orders/{order_id}/messages", { params: { path: { order_id: id }, query: { limit: 500 } as never } })),
    placeholderData: (before) => before,
  });
  const told = useAsked({
    queryKey: ["broker messages of", id, version, pages],
    queryFn: () => toldOf(id, pages),
    placeholderData: (before) => before,
  });
  const refused = fix.error ?? told.error;
  if (refused !== null) return <p className="refused" role="alert">{explain(refused)}</p>;
  if (fix.data === undefined || told.data === undefined) return <p className="muted">Looking…</p>;
  if (fix.data.data.length === 0 && told.data.data.length === 0) return <p className="muted none-found">No FIX session and no broker had to do with this order: it came by another door, and its venues are reached in another way.</p>;
  return (
    <>
      {fix.data.data.length > 0 && (
        <>
          {!fix.data.complete && <p className="warn none-found">These are not all: <code>oms fix log --find {id}</code> has the rest.</p>}
          <FixTable messages={fix.data.data} />
        </>
      )}
      {told.data.data.length > 0 && (
        <>
          <ToldTable messages={told.data.data} />
          {told.data.next !== null && <p className="none-found"><button type="button" onClick={() => setPages(pages + 1)}>Show more</button></p>}
          {told.data.next === null && !told.data.complete && <p className="warn none-found">These are not all: <code>oms brokers log</code> has the rest.</p>}
        </>
      )}
    </>
  );
}

/** So many pages of what brokers were told and said, one after the other. */
async function toldOf(id: string, pages: number) {
  const data: Told[] = [];
  let next: string | null = null;
  for (let page = 0; ; page += 1) {
    const query: Record<string, unknown> = next === null ? { limit: PAGE } : { limit: PAGE, cursor: next };
    const found = await unwrap(api.GET("/api/v1/orders/{order_id}/broker-messages", { params: { path: { order_id: id }, query: query as never } }));
    data.push(...found.data);
    next = found.next;
    if (next === null || page + 1 >= pages) return { data, next, complete: found.complete };
  }
}

function FixTable({ messages }: { messages: readonly Fix[] }) {
  const [open, setOpen] = useState<string | null>(null);
  return (
    <table className="table" aria-label="FIX messages">
      <thead><tr><th>Time</th><th>With</th><th>Message</th><th>Says</th><th>Raw</th></tr></thead>
      <tbody>
        {messages.map((one, at) => {
          const key = `${one.entry} ${at}`;
          return [
            <tr key={key}>
              <td><Time at={one.at} /></td>
              <td><With out={one.direction === "OUT"} name={one.client} /></td>
              <td><b>{one.name || one.fields.find((field) => field.tag === 35)?.value}</b></td>
              <td className="says">{says(one)}</td>
              <td><button type="button" aria-expanded={open === key} onClick={() => setOpen(open === key ? null : key)}>{open === key ? "Less" : "Raw"}</button></td>
            </tr>,
            open === key && <tr key={`${key} raw`}><td colSpan={5} className="raw"><code>{one.raw}</code></td></tr>,
          ];
        })}
      </tbody>
    </table>
  );
}

function ToldTable({ messages }: { messages: readonly Told[] }) {
  const [open, setOpen] = useState<string | null>(null);
  return (
    <table className="table" aria-label="Broker messages">
      <thead><tr><th>Time</th><th>With</th><th>Message</th><th>Says</th><th>Raw</th></tr></thead>
      <tbody>
        {messages.map((one) => {
          const key = `${one.broker} ${one.entry}`;
          return [
            <tr key={key}>
              <td><Time at={one.at} /></td>
              <td><With out={one.direction === "OUT"} name={one.broker} /></td>
              <td><b>{one.name}</b></td>
              <td className="says">{one.fields.map((field) => `${field.name}=${field.value}`).join("  ")}</td>
              <td><button type="button" aria-expanded={open === key} onClick={() => setOpen(open === key ? null : key)}>{open === key ? "Less" : "Raw"}</button></td>
            </tr>,
            open === key && <tr key={`${key} raw`}><td colSpan={5} className="raw"><code>{one.raw}</code></td></tr>,
          ];
        })}
      </tbody>
    </table>
  );
}

function With({ out, name }: { out: boolean; name: string }) {
  return <><span className={out ? "accent" : ""}>{out ? "→ to" : "← from"}</span> <b>{name}</b></>;
}

function says(message: Fix): string {
  return message.fields.filter((field) => !FRAME.has(field.tag)).map((field) => `${field.name || field.tag}=${field.value}`).join("  ");
}
