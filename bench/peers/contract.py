"""Checks that a service keeps the contract it is measured on, before it is measured.

    API_KEY=... python3 contract.py http://127.0.0.1:18080

Standard library only. Leaves with status 1 and the first broken promise.
"""

import http.client
import json
import os
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

ORDER = {
    "symbol": os.environ.get("SYMBOL", "IBM"),
    "side": os.environ.get("SIDE", "BUY"),
    "ord_type": "LIMIT",
    "order_qty": os.environ.get("QTY", "100"),
    "price": os.environ.get("PRICE", "177.25"),
    "time_in_force": "DAY",
}
TWINS = 16


class Broken(Exception):
    """The service does not do what it must."""


def expect(what: str, got: object, wanted: object) -> None:
    if got != wanted:
        raise Broken(f"{what}: expected {wanted!r}, got {got!r}")


class Service:
    def __init__(self, url: str, api_key: str) -> None:
        parts = urlsplit(url)
        self.host, self.port, self.api_key = parts.hostname, parts.port, api_key

    def post(self, key: str | None, body: object, api_key: str | None = None):
        headers = {"Content-Type": "application/json", "X-API-Key": api_key or self.api_key}
        if key is not None:
            headers["Idempotency-Key"] = key
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection = http.client.HTTPConnection(self.host, self.port, timeout=10)
        try:
            connection.request("POST", "/api/v1/orders", payload, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()


def order(**changes: object) -> dict[str, object]:
    return {**ORDER, "cl_ord_id": uuid.uuid4().hex, **changes}


def first_answer_is_kept(service: Service) -> None:
    key, asked = uuid.uuid4().hex, order()
    status, headers, body = service.post(key, asked)
    expect("first call", status, 201)
    expect("symbol of the answer", json.loads(body)["symbol"], asked["symbol"])
    expect("cl_ord_id of the answer", json.loads(body)["cl_ord_id"], asked["cl_ord_id"])
    expect("first call is a replay", headers.get("Idempotent-Replay"), None)

    again, headers, same = service.post(key, asked)
    expect("same key, same payload", again, 201)
    expect("replayed bytes", same, body)
    expect("replay header", headers.get("Idempotent-Replay"), "true")

    conflict, _, _ = service.post(key, {**asked, "order_qty": "200"})
    expect("same key, another payload", conflict, 422)


def twins_make_one_order(service: Service) -> None:
    """The same request at the same time, many times: one order, one answer."""
    key, asked = uuid.uuid4().hex, order()
    with ThreadPoolExecutor(TWINS) as pool:
        answers = list(pool.map(lambda _: service.post(key, asked), range(TWINS)))
    placed = [body for status, _, body in answers if status == 201]
    others = {status for status, _, _ in answers} - {201}
    # A service may say "still running" (409) to a twin, never anything else.
    expect("other statuses of twins", others - {409}, set())
    expect("different answers to twins", len(set(placed)), 1)
    fresh = [1 for status, headers, _ in answers if status == 201 and not headers.get("Idempotent-Replay")]
    expect("orders made by twins", len(fresh), 1)


def refusals(service: Service) -> None:
    key = lambda: uuid.uuid4().hex  # noqa: E731
    expect("unknown API key", service.post(key(), order(), "nobody")[0], 401)
    cases = {
        "malformed JSON": (key(), b'{"symbol":'),
        "unknown field": (key(), order(colour="red")),
        "unknown side": (key(), order(side="HOLD")),
        "zero quantity": (key(), order(order_qty="0")),
        "negative quantity": (key(), order(order_qty="-1")),
        "number instead of decimal text": (key(), order(order_qty=100.5)),
        "ten decimals": (key(), order(price="1.0123456789")),
    }
    for name, (idempotency_key, body) in cases.items():
        status = service.post(idempotency_key, body)[0]
        if not 400 <= status < 500:
            raise Broken(f"{name}: expected a 4xx, got {status}")


def main() -> int:
    if len(sys.argv) != 2 or "API_KEY" not in os.environ:
        print(__doc__, file=sys.stderr)
        return 2
    service = Service(sys.argv[1], os.environ["API_KEY"])
    for check in (first_answer_is_kept, twins_make_one_order, refusals):
        try:
            check(service)
        except (Broken, OSError) as error:
            print(f"contract: {check.__name__}: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
