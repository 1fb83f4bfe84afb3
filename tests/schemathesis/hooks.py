"""Every other valid request that begins something is one that the desk takes, so that what follows it has something to act on.

Invalid requests, and the rest of the valid ones, stay as they were generated.
"""

import json
import zlib

import schemathesis

ORDER = {"symbol": "BAC", "side": "BUY", "ord_type": "LIMIT", "order_qty": "100", "price": "9.50", "time_in_force": "DAY"}
TAKEN = {
    "placeOrder": ORDER,
    "placeOrderAlias": ORDER,
    "placeOrders": {"orders": [ORDER, {**ORDER, "side": "SELL", "price": "19.50"}]},
    "previewOrder": ORDER,
    "previewRoute": ORDER,
    "modifyOrder": {"order_qty": "200"},
    "cancelOrder": {},
    "requestQuote": {"symbol": "BAC", "order_qty": "1000"},
    "createApiKey": {"name": "fuzz", "scopes": ["orders:view"]},
    "invite": {"email": "somebody@example.com", "role": "VIEWER"},
    "setLimit": {"limit_type": "MAX_ORDER_QTY", "value": "5000"},
    "armDeadMan": {"scope": "STRATEGY:fuzz", "timeout_s": 3600},
    "setShadowRules": {"rules": [{"type": "SetLimitCmd", "limit_type": "MAX_ORDER_QTY", "value": "5000"}]},
}


@schemathesis.hook
def before_call(context, case, kwargs):
    taken = TAKEN.get(case.operation.definition.raw.get("operationId"))
    if taken is None or case.meta is None or not case.meta.generation.mode.is_positive or not isinstance(case.body, dict):
        return
    if zlib.crc32(json.dumps(case.body, sort_keys=True, default=str).encode()) & 1:
        case.body = json.loads(json.dumps(taken))
