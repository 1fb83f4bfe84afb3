import { lazy, type ReactNode, Suspense, useEffect, useRef, useState } from "react";
import { explain } from "../api/client";
import { decimal } from "../format/number";
import { isWorking, useCell, useCount, useTable, WORKING } from "../stream/desk";
import { cancel, kill, massCancel, release, run, say } from "./actions";
import { dialog, useDesk } from "./context";
import { keys } from "./keys";
import { short, SideMark } from "./parts";
import { navigate } from "./route";

const Choices = lazy(() => import("./palette"));

/** The browser's own dialog: it keeps the focus inside, and Escape closes it without doing anything. */
export function Modal(props: { title: string; children: ReactNode; hazard?: boolean; wide?: boolean }) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    element.current?.showModal();
    element.current?.querySelector<HTMLElement>("[data-first]")?.focus();
    return () => (before instanceof HTMLElement ? before.focus() : undefined);
  }, []);
  return (
    <dialog ref={element} className={`dialog ${props.hazard ? "hazard" : ""} ${props.wide ? "wide" : ""}`} aria-label={props.title} onClose={() => dialog.set(null)} onCancel={() => dialog.set(null)}>
      <header className="panel-head"><h2>{props.title}</h2><span className="spacer" /><button type="button" className="quiet" aria-label="Close" onClick={() => dialog.set(null)}>✕</button></header>
      {props.children}
    </dialog>
  );
}

/** A confirmation by typing: what is dangerous is not one key away. */
function Typed(props: { word: string; action: string; onDo: () => Promise<unknown>; reason?: boolean; children?: ReactNode }) {
  const [typed, setTyped] = useState("");
  const [refused, setRefused] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const meant = typed.trim().toUpperCase() === props.word.toUpperCase();
  return (
    <form
      className="dialog-body"
      onSubmit={(event) => {
        event.preventDefault();
        if (!meant || busy) return;
        setBusy(true);
        props.onDo().then(() => dialog.set(null)).catch((error: unknown) => setRefused(explain(error))).finally(() => setBusy(false));
      }}
    >
      {props.children}
      <label className="field"><span>Type <b>{props.word}</b> to confirm</span><input name="confirm" data-first={props.reason ? undefined : ""} autoComplete="off" spellCheck={false} value={typed} onChange={(event) => setTyped(event.target.value)} /></label>
      {refused !== null && <p className="refused" role="alert">{refused}</p>}
      <div className="dialog-actions"><button type="button" onClick={() => dialog.set(null)}>Leave it</button><button type="submit" className="danger" disabled={!meant || busy}>{props.action}</button></div>
    </form>
  );
}

function CancelOrders({ orders }: { orders: import("../api/types").Order[] }) {
  const desk = useDesk();
  useTable(desk.orders);
  // As they are now: what was filled meanwhile is not canceled.
  const now = orders.map((order) => desk.orders.get(order.order_id) ?? order);
  const working = now.filter(isWorking);
  const [busy, setBusy] = useState(false);
  const act = async () => {
    for (const order of working) await run(`Cancel of ${order.symbol} ${short(order.order_id)} asked for`, () => cancel(order));
  };
  const list = (
    <ul className="meant">
      {now.slice(0, 8).map((order) => <li key={order.order_id} className={isWorking(order) ? "" : "row-out"}><SideMark side={order.side} /> {decimal(order.leaves_qty)} <b>{order.symbol}</b> {order.price !== null && `at ${decimal(order.price, 2)}`} <span className="muted">{short(order.order_id)}{isWorking(order) ? "" : ", done meanwhile"}</span></li>)}
      {now.length > 8 && <li className="muted">and {now.length - 8} more</li>}
    </ul>
  );
  if (orders.length > 1) return <Modal title={`Cancel ${working.length} orders`} hazard><Typed word={`CANCEL ${working.length}`} action={`Cancel ${working.length} orders`} onDo={act}>{list}</Typed></Modal>;
  return (
    <Modal title="Cancel the order" hazard>
      <form
        className="dialog-body"
        onSubmit={(event) => {
          event.preventDefault();
          if (busy) return;
          setBusy(true);
          void act().then(() => dialog.set(null));
        }}
      >
        {list}
        <div className="dialog-actions"><button type="button" onClick={() => dialog.set(null)}>Leave it</button><button type="submit" className="danger" data-first="" disabled={busy || working.length === 0}>Cancel it <kbd>↵</kbd></button></div>
      </form>
    </Modal>
  );
}

const WORKING_ONES = { state__in: WORKING };

function CancelAll() {
  const desk = useDesk();
  const working = useCount(desk, WORKING_ONES);
  return (
    <Modal title="Cancel all orders" hazard>
      <Typed word="CANCEL ALL" action="Cancel all" onDo={() => massCancel("TENANT").then((done) => say("ok", `Cancels of ${done.count} orders asked for`))}>
        <p>Every working order of the desk is canceled: <b>{working ?? "…"}</b> at this moment, of every user and account. New orders are taken as before.</p>
      </Typed>
    </Modal>
  );
}

function Kill() {
  const [reason, setReason] = useState("");
  return (
    <Modal title="Kill switch" hazard>
      <Typed
        word="KILL" action="Engage the kill switch" reason
        onDo={() => (reason.trim() === "" ? Promise.reject(new Error("A reason is needed: it is written to the log")) : kill("TENANT", reason.trim()).then(() => say("bad", "The kill switch is engaged")))}
      >
        <p>New orders of the whole desk are refused at once, and working ones are canceled. It is <b>ENGAGING</b> until the last order is confirmed gone, then <b>ENGAGED</b>, until somebody releases it.</p>
        <label className="field"><span>Reason</span><input name="reason" data-first="" autoComplete="off" value={reason} onChange={(event) => setReason(event.target.value)} /></label>
      </Typed>
    </Modal>
  );
}

function Release({ scope }: { scope: string }) {
  const [reason, setReason] = useState("");
  return (
    <Modal title={`Release the kill switch of ${scope}`} hazard>
      <Typed word="RELEASE" action="Release it" reason onDo={() => (reason.trim() === "" ? Promise.reject(new Error("A reason is needed: it is written to the log")) : release(scope, reason.trim()).then(() => say("ok", "The kill switch is released")))}>
        <p>New orders are taken again. What was canceled stays canceled.</p>
        <label className="field"><span>Reason</span><input name="reason" data-first="" autoComplete="off" value={reason} onChange={(event) => setReason(event.target.value)} /></label>
      </Typed>
    </Modal>
  );
}

function Help() {
  return (
    <Modal title="Keys" wide>
      <div className="dialog-body help">
        {keys().map(([title, all]) => (
          <section key={title} aria-label={title}><h3>{title}</h3><dl>{all.map(([key, what]) => <div key={key}><dt><kbd>{key}</kbd></dt><dd>{what}</dd></div>)}</dl></section>
        ))}
        <p className="muted">Other keys, or none that are letters: <button type="button" className="link" onClick={() => { dialog.set(null); navigate("/settings"); }}>Settings</button></p>
        <section aria-label="Filters"><h3>Filters</h3><p>Words are looked for in every column. <code>symbol=BAC,IBM</code> is exact, <code>text:limit</code> looks inside one column, <code>order_qty&gt;1000</code> compares, <code>-side=sell</code> leaves out. All of them must hold.</p></section>
      </div>
    </Modal>
  );
}

/** The list is fetched when the desk stands; what is typed before it is there is not lost. */
function Palette() {
  const [line, setLine] = useState("");
  return (
    <Modal title="Find or do">
      <Suspense fallback={<div className="palette"><input data-first="" aria-label="Find or do" value={line} onChange={(event) => setLine(event.target.value)} /></div>}>
        <Choices line={line} onLine={setLine} />
      </Suspense>
    </Modal>
  );
}

export function Dialogs() {
  const open = useCell(dialog);
  if (open === null) return null;
  switch (open.kind) {
    case "cancel": return <CancelOrders orders={open.orders} />;
    case "cancel-all": return <CancelAll />;
    case "kill": return <Kill key="kill" />;
    case "release": return <Release key="release" scope={open.scope} />;
    case "help": return <Help key="help" />;
    case "palette": return <Palette key="palette" />;
  }
}
