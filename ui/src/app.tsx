import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { Component, type ReactNode, useCallback, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { Refused } from "./api/client";
import type { Market } from "./api/types";
import { keyFromLink, session } from "./api/session";
import { Blotter, Executions } from "./pages/blotter";
import { Candles } from "./pages/charts";
import { LoginPage } from "./pages/login";
import { MarketPage, Watch } from "./pages/market";
import { OrderPage } from "./pages/order";
import { PositionGrid, PositionsPage } from "./pages/positions";
import { RiskPage } from "./pages/risk";
import { AllocationsPage, ApprovalsPage, QuotesPage, VenuesPage } from "./pages/work";
import { asOf, DeskContext, dialog, ticket, useDesk } from "./shell/context";
import { Dialogs } from "./shell/dialogs";
import { listen } from "./shell/keys";
import { Panel } from "./shell/parts";
import { navigate, useLocation } from "./shell/route";
import { Notes, TopBar, Veil } from "./shell/shell";
import { TimeBar } from "./shell/time-bar";
import { Desk, useCell } from "./stream/desk";
import { Ticket } from "./ticket/ticket";

function client(): QueryClient {
  return new QueryClient({ defaultOptions: { queries: { retry: (count, error) => !(error instanceof Refused) && count < 2, refetchOnWindowFocus: false, gcTime: 30_000 } } });
}

/** A link that carries a key signs in with it, and forgets that it was there. */
function takeLink(): void {
  const key = keyFromLink(location.hash);
  if (key === null) return;
  history.replaceState(null, "", location.pathname === "/login" ? "/desk" : location.pathname);
  session.set({ kind: "key", key });
}
takeLink();

export function App() {
  const known = useSyncExternalStore(session.subscribe, session.get);
  useEffect(() => {
    addEventListener("hashchange", takeLink);
    return () => removeEventListener("hashchange", takeLink);
  }, []);
  return known === null ? <LoginPage /> : <SignedIn key={JSON.stringify(known)} />;
}

function SignedIn() {
  const desk = useMemo(() => new Desk(session.get() ?? { kind: "key", key: "" }, () => session.set(null)), []);
  const queries = useMemo(() => client(), []);
  useEffect(() => {
    desk.start();
    const end = listen();
    return () => {
      end();
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
        <main aria-label={word}><Broken key={path}><Page path={path} /></Broken></main>
        {asked !== null && past === null && <Ticket key={asked.kind === "amend" ? asked.order.order_id : JSON.stringify(asked)} ask={asked} />}
      </div>
      <TimeBar />
      <Notes />
      <Dialogs />
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
      return id ? <OrderPage key={id} id={id} /> : <div className="page"><Live title="Orders"><Blotter name="orders" /></Live></div>;
    case "executions":
      return <div className="page"><Live title="Executions"><Executions name="executions" /></Live></div>;
    case "positions": return <PositionsPage />;
    case "risk": return <RiskPage />;
    case "market": return <MarketPage />;
    case "approvals": return <ApprovalsPage />;
    case "quotes": return <QuotesPage />;
    case "allocations": return <AllocationsPage />;
    case "venues": return <VenuesPage />;
    default:
      return <Panel title="No such page"><button type="button" onClick={() => navigate("/desk")}>To the desk</button></Panel>;
  }
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
        <Live title={`${symbol}, 10 s`} className="grow"><Candles symbol={symbol} /></Live>
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
