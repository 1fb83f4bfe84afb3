import { useEffect, useState } from "react";
import { signOut } from "../api/account";
import { explain } from "../api/client";
import { zone } from "../format/time";
import { themed } from "../pages/theme";
import { useCell } from "../stream/desk";
import { notes, say } from "./actions";
import { asOf, dialog, ticket, useDesk } from "./context";
import { PAGES } from "./keys";
import { Menu } from "./menu";
import { Key } from "./parts";
import { navigate, useLocation } from "./route";

export const THEMES = ["dark", "light", "contrast"] as const;
export const DENSITIES = ["compact", "normal", "comfortable"] as const;
export const SIDES = [["blue", "blue and orange"], ["green", "green and red"], ["red", "red and green"]] as const;

/** What a person chose for the screen, kept in the browser. */
export function dress(): void {
  for (const [name, known] of [["theme", THEMES], ["density", DENSITIES], ["sides", ["blue", "green", "red"]]] as const) {
    const kept = localStorage.getItem(`oms.${name}`);
    document.documentElement.dataset[name] = (known as readonly string[]).includes(kept ?? "") ? (kept ?? known[0]) : known[0];
  }
}

export function choose(name: string, value: string): void {
  localStorage.setItem(`oms.${name}`, value);
  document.documentElement.dataset[name] = value;
  themed.set(themed.get() + 1);
  dispatchEvent(new Event("resize"));
}

function Freshness() {
  const { live, connected, roundTrip } = useCell(useDesk().health);
  const past = useCell(asOf);
  if (past !== null) return <span className="fresh past" role="status">◷ READ ONLY <small>as of {past}</small></span>;
  if (live) return <span className="fresh live" role="status" data-live="">● LIVE <small>{roundTrip === null ? "" : `${roundTrip} ms`}</small></span>;
  return <span className="fresh stale" role="status">▲ STALE <small>{connected ? "behind" : "reconnecting"}</small></span>;
}

function Switches() {
  const status = useCell(useDesk().risk);
  const first = status?.kills.switches[0];
  const doubts = status?.in_doubt ?? 0;
  const halted = status?.trading_states.find((one) => one.state !== "ACTIVE");
  return (
    <>
      {doubts > 0 && <button type="button" className="state doubt" onClick={() => navigate("/risk")}>? {doubts} IN DOUBT</button>}
      {halted !== undefined && <button type="button" className="fresh stale" onClick={() => navigate("/risk")}>{halted.state}</button>}
      {first !== undefined && <button type="button" className="kill-on" onClick={() => navigate("/risk")}>■ KILL SWITCH {first.state}</button>}
    </>
  );
}

export function TopBar() {
  const { path } = useLocation();
  const past = useCell(asOf);
  const status = useCell(useDesk().risk);
  const [menu, setMenu] = useState<{ x: number; y: number } | null>(null);
  const [, renew] = useState(0);
  const set = (name: string, value: string) => () => {
    choose(name, value);
    renew((n) => n + 1);
  };
  const waiting = (to: string) => (to === "/approvals" ? status?.held : to === "/executions" ? status?.suspense : 0) ?? 0;
  const is = (name: string, value: string) => document.documentElement.dataset[name] === value;
  return (
    <header className="top">
      <span className="brand" aria-hidden="true">oms</span>
      <nav aria-label="Pages">
        {PAGES.map(([to, word]) => (
          <a
            key={to} href={to} aria-current={path === to || path.startsWith(`${to}/`) ? "page" : undefined}
            onClick={(event) => {
              if (event.ctrlKey || event.metaKey || event.shiftKey) return;
              event.preventDefault();
              navigate(to);
            }}
          >
            {word}{waiting(to) > 0 && <b className="badge" title={to === "/executions" ? "in suspense" : "held for approval"}>{waiting(to)}</b>}
          </a>
        ))}
      </nav>
      <span className="spacer" />
      <Switches />
      <Freshness />
      <button type="button" className="buy" disabled={past !== null} onClick={() => ticket.set({ kind: "new", side: "BUY" })}>▲ Buy <Key action="buy" /></button>
      <button type="button" className="sell" disabled={past !== null} onClick={() => ticket.set({ kind: "new", side: "SELL" })}>▼ Sell <Key action="sell" /></button>
      <button type="button" className="danger" disabled={past !== null} onClick={() => dialog.set({ kind: "cancel-all" })}>Cancel all <Key action="cancel-all" /></button>
      <button type="button" className="danger solid" disabled={past !== null} onClick={() => dialog.set({ kind: "kill" })}>Kill</button>
      <button type="button" className="quiet" aria-haspopup="menu" aria-label="Settings" onClick={(event) => setMenu({ x: event.clientX, y: event.clientY + 12 })}>⚙</button>
      <button type="button" className="quiet" aria-label="Keys" onClick={() => dialog.set({ kind: "help" })}>?</button>
      {menu !== null && (
        <Menu
          {...menu} onClose={() => setMenu(null)}
          items={[
            ...THEMES.map((one) => ({ label: `${one} theme`, checked: is("theme", one), run: set("theme", one) })),
            ...DENSITIES.map((one) => ({ label: `${one} rows`, checked: is("density", one), run: set("density", one) })),
            ...SIDES.map(([value, words]) => ({ label: `sides ${words}`, checked: is("sides", value), run: set("sides", value) })),
            { label: `Times in ${zone()}`, run: () => undefined, disabled: "The exact UTC is shown on hover" },
            { label: "Keys, rows and layouts", run: () => navigate("/settings") },
            { label: "Account", run: () => navigate("/account") },
            { label: "Sign out", run: () => void signOut().catch((error: unknown) => say("bad", explain(error))) },
          ]}
        />
      )}
    </header>
  );
}

export function Notes() {
  const shown = useCell(notes);
  return <div className="notes" aria-live="polite">{shown.map((note) => <p key={note.id} className={note.kind}>{note.kind === "ok" ? "✓" : "⊘"} {note.text}</p>)}</div>;
}

/** What lies over the desk when it may not be so any more, or is the past. */
export function Veil() {
  const { live, heardAt } = useCell(useDesk().health);
  const past = useCell(asOf);
  const [late, setLate] = useState(false);
  // The first moment of a page is no failure.
  useEffect(() => {
    if (live) return setLate(false);
    const timer = setTimeout(() => setLate(true), heardAt === 0 ? 1_500 : 0);
    return () => clearTimeout(timer);
  }, [live, heardAt]);
  if (past !== null) return <div className="banner past" role="status">You see the desk as of sequence {past}. Nothing can be entered, amended or canceled here.</div>;
  if (late) return <div className="banner stale" role="alert">STALE: the stream is behind or down. What you see may not be so any more; order entry is closed until it is whole again.</div>;
  return null;
}
