import { useQuery as useAsked } from "@tanstack/react-query";
import { useState } from "react";
import { api, explain, unwrap } from "../api/client";
import type { components } from "../api/schema";
import { Time } from "../shell/parts";

type Message = components["schemas"]["FixMessage"];
/** Fields of the session layer, which say nothing of the order. */
const FRAME: ReadonlySet<number> = new Set([8, 9, 10, 34, 35, 49, 52, 56]);

/** The FIX messages about an order, as the log of the sessions has them. */
export function Messages({ id, version }: { id: string; version: number }) {
  const [open, setOpen] = useState<string | null>(null);
  const found = useAsked({
    queryKey: ["messages of", id, version],
    queryFn: () => unwrap(api.GET("/api/v1/orders/{order_id}/messages", { params: { path: { order_id: id }, query: { limit: 500 } as never } })),
    placeholderData: (before) => before,
  });
  if (found.error !== null) return <p className="refused" role="alert">{explain(found.error)}</p>;
  if (found.data === undefined) return <p className="muted">Looking…</p>;
  const messages = found.data.data;
  if (messages.length === 0) return <p className="muted none-found">No FIX session had to do with this order: it came by another door, and its venues are reached in another way.</p>;
  return (
    <>
      {!found.data.complete && <p className="warn none-found">These are not all: <code>oms fix log --find {id}</code> has the rest.</p>}
      <table className="table" aria-label="FIX messages">
        <thead><tr><th>Time</th><th>With</th><th>Message</th><th>Says</th><th>Raw</th></tr></thead>
        <tbody>
          {messages.map((one, at) => {
            const key = `${one.entry} ${at}`;
            return [
              <tr key={key}>
                <td><Time at={one.at} /></td>
                <td><span className={one.direction === "OUT" ? "accent" : ""}>{one.direction === "OUT" ? "→ to" : "← from"}</span> <b>{one.client}</b></td>
                <td><b>{one.name || one.fields.find((field) => field.tag === 35)?.value}</b></td>
                <td className="says">{says(one)}</td>
                <td><button type="button" aria-expanded={open === key} onClick={() => setOpen(open === key ? null : key)}>{open === key ? "Less" : "Raw"}</button></td>
              </tr>,
              open === key && <tr key={`${key} raw`}><td colSpan={5} className="raw"><code>{one.raw}</code></td></tr>,
            ];
          })}
        </tbody>
      </table>
    </>
  );
}

function says(message: Message): string {
  return message.fields.filter((field) => !FRAME.has(field.tag)).map((field) => `${field.name || field.tag}=${field.value}`).join("  ");
}
