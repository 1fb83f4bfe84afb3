import { useQuery as useAsked, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, unwrap } from "../api/client";
import type { Suspended } from "../api/types";
import { decimal, sign } from "../format/number";
import { execute, run, say } from "../shell/actions";
import { asOf, useDesk, useGuard } from "../shell/context";
import { Panel, Time } from "../shell/parts";
import { useCell } from "../stream/desk";

/** What waits there: only a fill can be booked as it is. */
function whatOf(row: Suspended): "fill" | "bust" | "correction" | "charge" {
  if (row.commission !== null) return "charge";
  if (row.exec_ref === null) return "fill";
  return sign(row.last_qty) === 0 ? "bust" : "correction";
}

/** Fills of no order, and what venues said of executions that are not in the books. Nothing stands here while nothing waits. */
export function InSuspense() {
  const past = useCell(asOf);
  const waiting = useCell(useDesk().risk)?.suspense ?? 0;
  const [chosen, choose] = useState<number | null>(null);
  // Counted again with every change of the status.
  const asked = useAsked({
    queryKey: ["suspense", waiting],
    enabled: past === null && waiting > 0,
    queryFn: () => unwrap(api.GET("/api/v1/executions/suspense", { params: { query: { limit: 100 } as never } })),
    placeholderData: (before) => before,
  });
  if (past !== null || waiting === 0) return null;
  const rows = asked.data?.data ?? [];
  const row = rows.find((one) => one.seq === chosen);
  return (
    <Panel title="In suspense" className="third scroll" note="what venues told that belongs to nothing in the books; somebody has to say what it is">
      {row !== undefined && <Decide key={row.seq} row={row} onDone={() => choose(null)} />}
      <table className="table" aria-label="In suspense">
        <thead><tr><th>Time</th><th>What</th><th>Venue</th><th>Execution</th><th className="right">Quantity</th><th className="right">Price</th><th>Of execution</th><th className="right">Charge</th><th>Order, as the venue names it</th><th /></tr></thead>
        <tbody>
          {rows.map((one) => (
            <tr key={one.seq} className={one.seq === chosen ? "row-taken" : ""}>
              <td><Time at={one.transact_time} /></td><td>{whatOf(one)}</td><td>{one.venue}</td><td>{one.exec_id}</td>
              <td className="right">{sign(one.last_qty) === 0 ? "" : decimal(one.last_qty)}</td><td className="right">{sign(one.last_qty) === 0 ? "" : decimal(one.last_px, 2)}</td>
              <td>{one.exec_ref ?? ""}</td><td className="right">{one.commission === null ? "" : `${decimal(one.commission, 2)} ${one.currency ?? ""}`}</td><td>{one.wire_id}</td>
              <td><button type="button" aria-pressed={one.seq === chosen} onClick={() => choose(one.seq === chosen ? null : one.seq)}>Decide</button></td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}

function Decide({ row, onDone }: { row: Suspended; onDone: () => void }) {
  const guard = useGuard();
  const client = useQueryClient();
  const [order, setOrder] = useState("");
  const [symbol, setSymbol] = useState("");
  const [side, setSide] = useState("BUY");
  const [reason, setReason] = useState("");
  const named = { venue: row.venue, exec_id: row.exec_id };
  const decide = async (what: string, command: Record<string, unknown>) => {
    if (reason.trim() === "") return say("bad", "A reason is needed: it stays in the log");
    if (!(await run(what, () => execute({ ...command, ...named, reason })))) return;
    await client.invalidateQueries({ queryKey: ["suspense"] });
    onDone();
  };
  const book = () => {
    const on = order.trim() !== "" ? { order_id: order.trim() } : { symbol: symbol.trim().toUpperCase(), side };
    return decide(`Execution ${row.exec_id} is booked`, { type: "ExecutionCreateCmd", from_suspense: true, ...on });
  };
  const bookable = whatOf(row) === "fill";
  return (
    <form className="inline-form" aria-label={`Decide about ${row.exec_id}`} onSubmit={(event) => { event.preventDefault(); if (bookable) void book(); }}>
      {bookable ? (
        <>
          <label className="field"><span>Order id</span><input value={order} onChange={(event) => setOrder(event.target.value)} /></label>
          <label className="field"><span>or instrument</span><input value={symbol} disabled={order.trim() !== ""} onChange={(event) => setSymbol(event.target.value)} /></label>
          <label className="field"><span>Side</span><select value={side} disabled={order.trim() !== ""} onChange={(event) => setSide(event.target.value)}><option value="BUY">buy</option><option value="SELL">sell</option><option value="SELL_SHORT">short</option></select></label>
        </>
      ) : <p className="muted">{whatOf(row) === "charge" ? "A charge is booked with its execution where that waits here too. Otherwise correct that one" : `A ${whatOf(row)} is done to its execution: correct or take back that one`}, then dismiss this.</p>}
      <label className="field"><span>Reason</span><input value={reason} onChange={(event) => setReason(event.target.value)} /></label>
      {bookable && <button type="submit" className="send" disabled={guard !== null || (order.trim() === "" && symbol.trim() === "")} title={guard ?? undefined}>Book</button>}
      <button type="button" className="danger" disabled={guard !== null} title={guard ?? undefined} onClick={() => void decide(`${row.exec_id} is dismissed`, { type: "SuspenseDismissCmd" })}>Dismiss</button>
    </form>
  );
}
