import { Command } from "cmdk";
import { decimal } from "../format/number";
import { useCell } from "../stream/desk";
import { sentence } from "../ticket/model";
import { useInstruments } from "../ticket/ticket";
import { asOf, dialog, ticket } from "./context";
import { PAGES } from "./keys";
import { Key } from "./parts";
import { navigate } from "./route";

/** Pages, deeds, instruments, and a sentence that fills a ticket. */
export default function Choices({ line, onLine }: { line: string; onLine: (line: string) => void }) {
  const instruments = useInstruments().data?.data ?? [];
  const past = useCell(asOf);
  const order = past === null ? sentence(line) : null;
  const act = (what: () => void) => {
    dialog.set(null);
    what();
  };
  return (
    <Command label="Find or do" className="palette" shouldFilter={order === null}>
      <Command.Input data-first="" value={line} autoFocus onValueChange={onLine} placeholder="a page, an instrument, or: buy 500 bac 13.90 ioc sweep" />
      <Command.List>
        <Command.Empty>Nothing is called so.</Command.Empty>
        {order !== null && (
          <Command.Item value="ticket" onSelect={() => act(() => ticket.set({ kind: "new", side: order.side ?? "BUY", symbol: order.symbol, qty: order.qty, price: order.price, draft: order }))}>
            Fill a ticket: {order.side} {decimal(order.qty)} {order.symbol} {order.price ?? "at market"} {order.tif ?? ""} {order.mode ?? ""}
          </Command.Item>
        )}
        <Command.Group heading="Pages">{PAGES.map(([path, word, key]) => <Command.Item key={path} value={`go ${word}`} onSelect={() => act(() => navigate(path))}>{word}<kbd>g {key}</kbd></Command.Item>)}
          <Command.Item value="go settings keys rows layouts" onSelect={() => act(() => navigate("/settings"))}>Settings</Command.Item>
          <Command.Item value="go account" onSelect={() => act(() => navigate("/account"))}>Account</Command.Item>
        </Command.Group>
        <Command.Group heading="Do">
          <Command.Item value="cancel all orders" onSelect={() => dialog.set({ kind: "cancel-all" })}>Cancel all orders<Key action="cancel-all" /></Command.Item>
          <Command.Item value="kill switch" onSelect={() => dialog.set({ kind: "kill" })}>Kill switch<Key action="kill" /></Command.Item>
          <Command.Item value="keys help" onSelect={() => dialog.set({ kind: "help" })}>Keys<Key action="help" /></Command.Item>
        </Command.Group>
        {past === null && <Command.Group heading="Instruments">{instruments.map((one) => <Command.Item key={one.symbol} value={`${one.symbol} ${one.asset_class}`} onSelect={() => act(() => ticket.set({ kind: "new", side: "BUY", symbol: one.symbol }))}>{one.symbol}<span className="muted">{one.asset_class.toLowerCase()}</span></Command.Item>)}</Command.Group>}
      </Command.List>
    </Command>
  );
}
