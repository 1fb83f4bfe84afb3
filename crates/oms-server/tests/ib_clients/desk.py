"""A day at a desk with an unmodified client: python desk.py MODULE PORT

MODULE is ib_async or ib_insync. Says KILL when the simulator may be killed, and goes on once a line says that it is
back. Ends with PASSED, or with an error; whatever the client's decoder complains of is one.
"""

import importlib
import logging
import sys

MODULE, PORT = sys.argv[1], int(sys.argv[2])
api = importlib.import_module(MODULE)
PATIENCE = 30

complaints = []


class Complaints(logging.Handler):
    """What the client says of messages that it cannot read, and of exceptions that it swallows."""

    def emit(self, record):
        text = record.getMessage()
        of_decoder = "decoder" in record.name.lower()
        if of_decoder or record.exc_info or "Error handling fields" in text or "caused exception" in text:
            complaints.append(f"{record.name}: {text} {record.exc_info[1] if record.exc_info else ''}")


logging.getLogger().addHandler(Complaints())
logging.getLogger().setLevel(logging.INFO)

ib = api.IB()
errors, gone = [], []
ib.disconnectedEvent += lambda: gone.append(True)
ib.errorEvent += lambda req_id, code, text, contract: errors.append((req_id, code, text))


def until(what, condition):
    """Waits until the condition holds; the client's own loop runs meanwhile."""
    deadline = PATIENCE
    while not condition():
        if deadline <= 0:
            raise AssertionError(f"{what}: not within {PATIENCE} s; errors {errors[-5:]}; complaints {complaints}")
        try:
            ib.waitOnUpdate(timeout=0.1)
        except ConnectionError:
            # That the connection ended is an event too; the condition says whether it was waited for.
            if ib.isConnected() or not gone:
                raise
        deadline -= 0.1


def connect():
    ib.connect("127.0.0.1", PORT, clientId=7, timeout=10, **({"raiseSyncErrors": True} if MODULE == "ib_async" else {}))


def status_of(trade, *wanted):
    until(f"{trade.order.orderType} {trade.order.orderId} {wanted}", lambda: trade.orderStatus.status in wanted)


def place(order):
    order.account = "DU1000001"
    return ib.placeOrder(ibm, order)


def order(kind, action, quantity, **terms):
    return api.Order(orderType=kind, action=action, totalQuantity=quantity, **terms)


connect()
assert ib.managedAccounts() == ["DU1000001"], ib.managedAccounts()
assert ib.client.serverVersion() == (178 if MODULE == "ib_async" else 176)
assert ib.reqCurrentTime().year >= 2024

# Contracts.
ibm = api.Stock("IBM", "SMART", "USD")
assert ib.qualifyContracts(ibm) and ibm.conId == 8314, ibm
details = ib.reqContractDetails(ibm)
assert len(details) == 1 and details[0].minTick == 0.01 and details[0].longName.startswith("INTL"), details
unknown = api.Stock("NOSUCH", "SMART", "USD")
ib.qualifyContracts(unknown)
assert unknown.conId == 0 and any(code == 200 for _, code, _ in errors), errors

# Ticks.
ticker = ib.reqMktData(ibm)
until("ticks", lambda: ticker.bid > 0 and ticker.ask > ticker.bid and ticker.last > 0 and ticker.bidSize > 0 and ticker.volume > 0)
near = lambda offset: round(ticker.last + offset, 2)

# A marketable order is filled in parts, each with its commission.
taken = place(api.LimitOrder("BUY", 120, near(0.5), orderRef="taken"))
status_of(taken, "Filled")
until("commissions", lambda: all(fill.commissionReport.execId for fill in taken.fills))
assert len(taken.fills) >= 2, taken.fills
assert sum(fill.execution.shares for fill in taken.fills) == 120
assert taken.orderStatus.filled == 120 and taken.orderStatus.remaining == 0
assert all(fill.execution.orderRef == "taken" and fill.execution.side == "BOT" for fill in taken.fills)
assert sum(fill.commissionReport.commission for fill in taken.fills) == 1.0, taken.fills
assert len({fill.execution.execId for fill in taken.fills}) == len(taken.fills)

# Every type of order.
working = [
    (place(order("LMT", "BUY", 10, lmtPrice=near(-9), tif="GTC", orderRef="stays")), "Submitted"),
    (place(order("STP", "SELL", 10, auxPrice=near(-9))), "PreSubmitted"),
    (place(order("STP LMT", "SELL", 10, lmtPrice=near(-9.5), auxPrice=near(-9))), "PreSubmitted"),
    (place(order("TRAIL", "SELL", 10, auxPrice=9)), "PreSubmitted"),
    (place(order("TRAIL", "SELL", 10, trailingPercent=5)), "PreSubmitted"),
    (place(order("TRAIL LIMIT", "SELL", 10, auxPrice=9, trailStopPrice=near(-9), lmtPriceOffset=0.1)), "PreSubmitted"),
    (place(order("MIT", "BUY", 10, auxPrice=near(-9))), "PreSubmitted"),
    (place(order("LIT", "BUY", 10, auxPrice=near(-9), lmtPrice=near(-9))), "PreSubmitted"),
    (place(order("MOC", "SELL", 10)), "PreSubmitted"),
    (place(order("LOC", "SELL", 10, lmtPrice=near(9))), "PreSubmitted"),
]
for trade, wanted in working:
    status_of(trade, wanted)
    assert trade.orderStatus.permId > 0
for kind in ("MKT", "MTL"):
    status_of(place(order(kind, "SELL", 10)), "Filled")
ioc = place(order("LMT", "BUY", 10, lmtPrice=near(-5), tif="IOC"))
status_of(ioc, "Cancelled")
# An order that the market elects: a stop to buy below the market, which is there already.
elected = place(order("STP", "BUY", 10, auxPrice=near(-1)))
status_of(elected, "Filled")

# A bracket: the children wait for the parent, and one cancels the other.
bracket = ib.bracketOrder("BUY", 20, near(0.5), near(9), near(-9))
trades = [place(leg) for leg in bracket]
status_of(trades[0], "Filled")
status_of(trades[1], "Submitted")
status_of(trades[2], "PreSubmitted")
ib.cancelOrder(trades[1].order)
status_of(trades[1], "Cancelled")
ib.cancelOrder(trades[2].order)
status_of(trades[2], "Cancelled")
first = place(order("LMT", "SELL", 10, lmtPrice=near(-1), ocaGroup="pair", ocaType=1))
second = place(order("LMT", "SELL", 10, lmtPrice=near(9), ocaGroup="pair", ocaType=1))
status_of(first, "Filled")
other = place(order("LMT", "SELL", 10, lmtPrice=near(9), ocaGroup="pair 2", ocaType=1))
status_of(other, "Submitted")
trigger = place(order("LMT", "SELL", 10, lmtPrice=near(-1), ocaGroup="pair 2", ocaType=1))
status_of(trigger, "Filled")
status_of(other, "Cancelled")
if not second.isDone():
    ib.cancelOrder(second.order)
status_of(second, "Cancelled", "Filled")

# Modify, cancel.
stays = working[0][0]
changed = near(-8)
stays.order.lmtPrice = changed
stays.order.totalQuantity = 12
ib.placeOrder(ibm, stays.order)
until("modified", lambda: any("Modif" in entry.message for entry in stays.log) and stays.orderStatus.remaining == 12)
assert stays.orderStatus.status == "Submitted"
for trade, _ in working[1:]:
    ib.cancelOrder(trade.order)
for trade, _ in working[1:]:
    status_of(trade, "Cancelled")
assert sum(1 for _, code, _ in errors if code == 202) >= 9, errors

# What is refused: off the tick; a type that is not there; an id that is not known.
off_tick = place(api.LimitOrder("BUY", 10, 180.001))
until("off tick", lambda: any(req == off_tick.order.orderId and code == 110 for req, code, _ in errors))
strange = place(order("PEG BEST", "BUY", 10, lmtPrice=near(-1)))
until("strange", lambda: any(req == strange.order.orderId and code == 387 for req, code, _ in errors))
ib.client.cancelOrder(99999, "")
until("not found", lambda: any(req == 99999 and code == 10147 for req, code, _ in errors))

# What it would cost.
preview = ib.whatIfOrder(ibm, api.LimitOrder("BUY", 1000, near(0), account="DU1000001"))
assert float(preview.commission) == 5.0 and float(preview.initMarginChange) > 0, preview

# Positions and money.
held = 120 - 10 - 10 + 10 + 20 - 10 - 10 - (10 if second.orderStatus.status == "Filled" else 0)
until("position", lambda: [p.position for p in ib.positions() if p.contract.symbol == "IBM"] == [held])
until("portfolio", lambda: [p.position for p in ib.portfolio()] == [held] and ib.portfolio()[0].marketPrice > 0)
values = {value.tag: value.value for value in ib.accountValues("DU1000001")}
assert float(values["NetLiquidation"]) > 900000 and float(values["GrossPositionValue"]) > 0, values
summary = {row.tag: row.value for row in ib.accountSummary("DU1000001")}
assert float(summary["NetLiquidation"]) > 900000 and "BuyingPower" in summary, summary
pnl = ib.reqPnL("DU1000001")
until("profit and loss", lambda: pnl.realizedPnL == pnl.realizedPnL and pnl.dailyPnL == pnl.dailyPnL)
ib.cancelPnL("DU1000001")

# Executions.
before = {fill.execution.execId: fill.execution.shares for fill in ib.reqExecutions()}
assert before == {fill.execution.execId: fill.execution.shares for fill in ib.fills()}, before
assert len(before) >= 8
assert all(fill.commissionReport.execId for fill in ib.fills())
perm = stays.orderStatus.permId
assert [trade.order.permId for trade in ib.reqAllOpenOrders()] == [perm]
done = ib.reqCompletedOrders(False)
assert any(trade.orderStatus.status == "Filled" and trade.order.orderRef == "taken" for trade in done), done

# The simulator is killed and comes back with everything that it had.
print("KILL", flush=True)
until("disconnected", lambda: gone)
assert sys.stdin.readline().strip() == "BACK"
connect()
assert [trade.order.permId for trade in ib.openTrades()] == [perm], ib.openTrades()
again = ib.openTrades()[0]
assert (again.order.lmtPrice, again.order.totalQuantity, again.order.orderRef) == (changed, 12, "stays"), again.order
after = {fill.execution.execId: fill.execution.shares for fill in ib.fills()}
assert after == before, (after, before)
until("position after", lambda: [p.position for p in ib.positions()] == [held])
ticker = ib.reqMktData(ibm)
until("ticks after", lambda: ticker.bid > 0 and ticker.last > 0)
fresh = place(api.LimitOrder("SELL", 10, near(-0.5)))
status_of(fresh, "Filled")
assert fresh.order.orderId > again.order.orderId
ib.cancelOrder(again.order)
status_of(again, "Cancelled")
ib.reqGlobalCancel()
until("nothing works", lambda: not ib.openTrades())
ib.disconnect()

assert not complaints, "\n".join(complaints)
print("PASSED", flush=True)
