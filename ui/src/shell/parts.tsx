import type { ReactNode } from "react";
import type { Order, Side } from "../api/types";
import { decimal, sign, signed } from "../format/number";
import { time, utc } from "../format/time";
import { isInDoubt, useCell } from "../stream/desk";
import { type Action, chordOf, chosen } from "./bindings";

/** The key of an action, as it is now. */
export function Key({ action }: { action: Action }) {
  useCell(chosen);
  return <kbd>{keyText(action)}</kbd>;
}

/** The same in short, for menus. */
export function keyText(action: Action): string {
  return chordOf(action).replace("Delete", "Del").replace("Enter", "↵").replace("Shift+", "⇧").replaceAll("+", " ");
}

const SIDES: Record<Side, { glyph: string; word: string; kind: string }> = {
  BUY: { glyph: "▲", word: "BUY", kind: "buy" },
  SELL: { glyph: "▼", word: "SELL", kind: "sell" },
  SELL_SHORT: { glyph: "▽", word: "SHORT", kind: "short" },
  SELL_SHORT_EXEMPT: { glyph: "▽", word: "SHORT EX", kind: "short" },
  SUBSCRIBE: { glyph: "▲", word: "SUBSCR", kind: "buy" },
  REDEEM: { glyph: "▼", word: "REDEEM", kind: "sell" },
};

export function SideMark({ side }: { side: Side }) {
  const { glyph, word, kind } = SIDES[side];
  return <span className={`side ${kind}`}><span aria-hidden="true">{glyph}</span> {word}</span>;
}

const STATES: Record<string, [glyph: string, kind: string]> = {
  NEW: ["○", "wait"], UNACK: ["◌", "wait"], LIVE: ["●", "live"], PARTIALLY_FILLED: ["◑", "live"], FILLED: ["✓", "done"], CANCELED: ["✕", "over"],
  REJECTED: ["⊘", "bad"], EXPIRED: ["⊖", "over"], CLOSED: ["■", "over"], PENDING_CANCEL: ["◐", "wait"], PENDING_REPLACE: ["◐", "wait"],
};

export function stateText(order: Order): string {
  if (isInDoubt(order)) return "IN_DOUBT";
  if (order.held !== null) return `HELD ${order.held}`;
  return order.ord_status;
}

export function StateMark({ order }: { order: Order }) {
  const reason = order.uncertainty === null ? "the outcome of a leg is not known" : `${order.uncertainty.reason}: ${order.uncertainty.kind}`;
  if (isInDoubt(order)) return <span className="state doubt" title={reason}><span aria-hidden="true">?</span> IN DOUBT</span>;
  if (order.held !== null) return <span className="state wait"><span aria-hidden="true">‖</span> HELD</span>;
  const [glyph, kind] = STATES[order.ord_status] ?? ["·", "over"];
  const word = order.ord_status === "PARTIALLY_FILLED" ? "PARTIAL" : order.ord_status.replaceAll("_", " ");
  return <span className={`state ${kind}`} title={order.text ?? undefined}><span aria-hidden="true">{glyph}</span> {word}</span>;
}

export function Time({ at }: { at: string | null | undefined }) {
  return at ? <time dateTime={at} title={utc(at)}>{time(at)}</time> : null;
}

export function Money({ value, decimals = 2 }: { value: string | null | undefined; decimals?: number }) {
  if (value === null || value === undefined) return <span className="none" title="not known">-</span>;
  return <span className={["down", "", "up"][sign(value) + 1]}>{signed(value, decimals)}</span>;
}

export function Num({ value, decimals = 0 }: { value: string | null | undefined; decimals?: number }) {
  return value === null || value === undefined ? <span className="none">-</span> : <>{decimal(value, decimals)}</>;
}

export function Panel(props: { title: string; tools?: ReactNode; children: ReactNode; className?: string; stale?: boolean; note?: string }) {
  return (
    <section className={`panel ${props.className ?? ""} ${props.stale ? "stale" : ""}`} aria-label={props.title}>
      <header className="panel-head">
        <h2>{props.title}</h2>
        {props.note !== undefined && <span className="panel-note">{props.note}</span>}
        {props.stale && <span className="tag-stale">STALE</span>}
        <span className="spacer" />
        {props.tools}
      </header>
      <div className="panel-body">{props.children}</div>
    </section>
  );
}

/** A bar of ten thousandths. The width is a class of the sheet: the page allows no inline styles in its markup. */
export function Bar({ share, label, hot = 8_000 }: { share: number; label: string; hot?: number }) {
  return (
    <span className={`bar ${share >= 10_000 ? "full" : share >= hot ? "hot" : ""}`} role="meter" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.floor(share / 100)}>
      <span style={{ width: `${share / 100}%` }} />
    </span>
  );
}

/** The part of an id by which orders of one desk differ: its time to the millisecond, and its place in a tree. */
export function short(id: string): string {
  return id.slice(4, 18);
}

/** A scope: its kind, and as much of an id as tells it apart. */
export function scopeText(scope: string): string {
  const [kind = scope, id] = scope.split(":");
  return id !== undefined && id.length > 20 ? `${kind} ${short(id)}` : scope.replace(":", " ");
}

/** Words of the interface for people: `MAX_ORDER_QTY` as `max order qty`. */
export function words(code: string): string {
  return code.toLowerCase().replaceAll("_", " ");
}

/** A small line of recent values; the numbers stand beside it. */
export function Spark({ values, width = 96, height = 18 }: { values: readonly number[]; width?: number; height?: number }) {
  if (values.length < 2) return <svg className="spark" width={width} height={height} aria-hidden="true" />;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const span = high - low || 1;
  const points = values.map((value, at) => `${((at / (values.length - 1)) * (width - 2) + 1).toFixed(1)},${(height - 2 - ((value - low) / span) * (height - 4)).toFixed(1)}`);
  return <svg className="spark" width={width} height={height} aria-hidden="true"><polyline points={points.join(" ")} fill="none" /></svg>;
}
