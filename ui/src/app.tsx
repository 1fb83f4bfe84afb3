import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { Component, lazy, type ReactNode, Suspense, useCallback, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { enterKey, restore } from "./api/account";
import { Refused } from "./api/client";
import type { Market } from "./api/types";
import { followOtherTabs, joinFromLink, keyFromLink, session } from "./api/session";
import { Blotter, Executions } from "./pages/blotter";
import { Candles } from "./pages/charts";
import { LoginPage } from "./pages/login";
import { MarketPage, Watch } from "./pages/market";
import { PositionGrid, PositionsPage } from "./pages/positions";
import { RiskPage } from "./pages/risk";
import { asOf, DeskContext, dialog, ticket, useDesk } from "./shell/context";
import { Dialogs } from "./shell/dialogs";
import { listen } from "./shell/keys";
import { Panel } from "./shell/parts";
import { navigate, useLocation } from "./shell/route";
import { laid } from "./shell/layouts";
import { Notes, TopBar, Veil } from "./shell/shell";
import { StepUp } from "./shell/step-up";
import { TimeBar } from "./shell/time-bar";
import { Desk, useCell } from "./stream/desk";
import { Cell } from "./stream/table";
import { Ticket } from "./ticket/ticket";

function client(): QueryClient {
  return new QueryClient({ defaultOptions: { queries: { retry: (count, error) => !(error instanceof Refused) && count < 2, refetchOnWindowFocus: false, gcTime: 30_000 } } });
}

// Pages that are not opened first are no part of a first visit; they are fetched once the desk stands.
const later = {
  account: () => import("./pages/account"),
  audit: () => import("./pages/audit"),
  order: () => import("./pages/order"),
  palette: () => import("./shell/palette"),
  settings: () => import("./pages/settings"),
  suspense: () => import("./pages/suspense"),
  work: () => import("./pages/work"),
};
const AccountPage = lazy(later.account);
const AuditPage = lazy(later.audit);
const SettingsPage = lazy(later.settings);
const OrderPage = lazy(() => later.order().then((page) => ({ default: page.OrderPage })));
const ApprovalsPage = lazy(() => later.work().then((page) => ({ default: page.ApprovalsPage })));
const QuotesPage = lazy(() => later.work().then((page) => ({ default: page.QuotesPage })));
const AllocationsPage = lazy(() => later.work().then((page) => ({ default: page.AllocationsPage })));
const InSuspense = lazy(() => later.suspense().then((page) => ({ default: page.InSuspense })));
const VenuesPage = lazy(() => later.work().then((page) => ({ default: page.VenuesPage })));
/** When the other pages are fetched, milliseconds after the desk was opened. */
const FETCH_LATER_MS = 2_000;

/** The token of a link that asks somebody to join. */
const joining = new Cell<string | null>(null);

/** A link that carries a key signs in with it, one that asks to join shows the form; both forget that they were there. */
function takeLink(): void {
  const [key, join] = [keyFromLink(location.hash), joinFromLink(location.hash)];
  if (key === null && join === null) return;
  history.replaceState(null, "", location.pathname === "/login" && key !== null ? "/desk" : location.pathname);
  joining.set(join);
  if (key !== null) void enterKey(key);
}
takeLink();

export function App() {
  const known = useSyncExternalStore(session.subscribe, session.get);
  const join = useCell(joining);
  useEffect(() => {
    if (session.get() === undefined) void restore();
    const end = followOtherTabs((mayHave) => mayHave && void restore());
    addEventListener("hashchange", takeLink);
    return () => {
      end();
      removeEventListener("hashchange", takeLink);
    };
  }, []);
  if (join !== null || known === null) return <LoginPage join={join} onJoined={() => joining.set(null)} />;
  if (known === undefined) return <main className="login" aria-busy="true"><p className="muted">Looking who is signed in…</p></main>;
  return <SignedIn key={JSON.stringify(known)} />;
}

function SignedIn() {
  const desk = useMemo(() => new Desk(session.get() ?? { kind: "key", key: "" }, () => session.set(null)), []);
  const queries = useMemo(() => client(), []);
  useEffect(() => {
    desk.start();
    const end = listen();
    const fetching = setTimeout(() => void Promise.allSettled(Object.values(later).map((page) => page())), FETCH_LATER_MS);
    return () => {
      end();
      clearTimeout(fetching);
      desk.end();
      asOf.set(null);
      ticket.set(null);
      dialog.set(null);
    };
  }, [desk]);
  return (
    <QueryClientProvider client={queries}>
      <DeskContext value={desk}><Frame desk={desk} /></DeskContext>
    </QueryClientProvider>
  );
}

function Frame({ desk }: { desk: Desk }) {
  const asked = useCell(ticket);
  const past = useCell(asOf);
  const { path } = useLocation();
  const laidOut = useCell(laid);
  const live = useCell(desk.health).live;
  const word = path.split("/")[1] || "desk";
  useEffect(() => {
    document.title = `${word} - oms`;
  }, [word]);
  return (
    <div className={`frame ${past !== null ? "in-past" : live ? "" : "is-stale"}`}>
      <TopBar />
      <Veil />
      <div className="middle">
        <main aria-label={word}><Broken key={`${path} ${laidOut}`}><Page path={path} /></Broken></main>
        {asked !== null && past === null && <Ticket key={asked.kind === "amend" ? asked.order.order_id : JSON.stringify(asked)} ask={asked} />}
      </div>
      <TimeBar />
      <Notes />
      <Dialogs />
      <StepUp />
    </div>
  );
}

function Page({ path }: { path: string }) {
  const [, first = "", id] = path.split("/");
  switch (first) {
    case "":
    case "desk":
    case "login":
      return <DeskPage />;
    case "orders":
      return id ? <Later><OrderPage key={id} id={id} /></Later> : <div className="page"><Live title="Orders"><Blotter name="orders" /></Live></div>;
    case "executions":
      return <div className="page"><Live title="Executions"><Executions name="executions" /></Live><Later quiet><InSuspense /></Later></div>;
    case "positions": return <PositionsPage />;
    case "risk": return <RiskPage />;
    case "market": return <MarketPage />;
    case "approvals": return <Later><ApprovalsPage /></Later>;
    case "quotes": return <Later><QuotesPage /></Later>;
    case "allocations": return <Later><AllocationsPage /></Later>;
    case "venues": return <Later><VenuesPage /></Later>;
    case "audit": return <Later><AuditPage /></Later>;
    case "account": return <Later><AccountPage /></Later>;
    case "settings": return <Later><SettingsPage /></Later>;
    default:
      return <Panel title="No such page"><button type="button" onClick={() => navigate("/desk")}>To the desk</button></Panel>;
  }
}

/** A page that comes in a part of its own. */
function Later({ children, quiet = false }: { children: ReactNode; quiet?: boolean }) {
  return <Suspense fallback={quiet ? null : <Panel title="Page"><p className="muted">Looking…</p></Panel>}>{children}</Suspense>;
}

/** A panel of the stream: hatched when the stream is behind. */
function Live({ title, children, className = "grow" }: { title: string; children: ReactNode; className?: string }) {
  const past = useCell(asOf);
  const health = useCell(useDesk().health);
  return <Panel title={title} className={className} stale={!health.live && past === null}>{children}</Panel>;
}

function DeskPage() {
  const [symbol, setSymbol] = useState("IBM");
  const follow = useCallback((row: Market | null) => row !== null && setSymbol(row.symbol), []);
  return (
    <div className="page desk-page">
      <div className="desk-left">
        <Live title="Market"><Watch small onActive={follow} /></Live>
        <Live title={`Candles of ${symbol}`} className="grow"><Candles symbol={symbol} /></Live>
        <Live title="Positions"><PositionGrid plain /></Live>
      </div>
      <div className="desk-main">
        <Live title="Orders" className="grow two"><Blotter name="desk-orders" /></Live>
        <Live title="Executions"><Executions name="desk-executions" /></Live>
      </div>
    </div>
  );
}

/** A page that fails says so; the rest of the desk goes on. */
class Broken extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state = { error: null as Error | null };
  static getDerivedStateFromError(error: Error) {
    return { error };
  }
  override render() {
    if (this.state.error === null) return this.props.children;
    return <Panel title="This page failed"><p className="refused" role="alert">{this.state.error.message}</p><button type="button" onClick={() => location.reload()}>Load it again</button></Panel>;
  }
}
