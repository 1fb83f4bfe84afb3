"""What both services share: the order, its fingerprint, its answer, its SQL.

Keeping it in one place makes the comparison about the two stacks, not about
two ways of writing the same validation.
"""

import hashlib
import os
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Annotated, Literal
from uuid import UUID

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, model_validator

KEY_MAX = 128
"""Longest accepted Idempotency-Key, in characters."""

_ZERO_OR_POINT = "0."


def _positive(text: str) -> str:
    if not text.strip(_ZERO_OR_POINT):
        raise ValueError("must be greater than zero")
    return text


# Amounts travel as decimal text and are stored as numeric: never as a float.
Amount = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{1,18}(\.[0-9]{1,9})?$"),
    AfterValidator(_positive),
]


class PlaceOrder(BaseModel):
    """The body of POST /api/v1/orders. Unknown fields are refused by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    symbol: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9.]{0,15}$")]
    side: Literal["BUY", "SELL", "SELL_SHORT"]
    ord_type: Literal["MARKET", "LIMIT"]
    order_qty: Amount
    price: Amount | None = None
    time_in_force: Literal["DAY", "GTC", "IOC", "FOK"] = "DAY"
    cl_ord_id: Annotated[str, StringConstraints(min_length=1, max_length=64)]

    @model_validator(mode="after")
    def _price_fits_type(self) -> "PlaceOrder":
        if (self.ord_type == "LIMIT") != (self.price is not None):
            raise ValueError("a LIMIT order has a price, a MARKET order has none")
        return self


@dataclass(slots=True, frozen=True)
class Placement:
    """An order about to be written, with the answer that will be kept for its key."""

    order: PlaceOrder
    order_id: UUID
    created_at: datetime
    fingerprint: bytes
    body: bytes


def uuid7(now_ns: int) -> UUID:
    """A time-ordered id (RFC 9562 version 7)."""
    random = int.from_bytes(os.urandom(10), "big")
    value = (now_ns // 1_000_000 & 0xFFFF_FFFF_FFFF) << 80
    value |= 0x7 << 76 | (random >> 68) << 64
    value |= 0b10 << 62 | random & 0x3FFF_FFFF_FFFF_FFFF
    return UUID(int=value)


def prepare(order: PlaceOrder) -> Placement:
    """Fixes the id, the time, the fingerprint and the bytes of the answer."""
    now_ns = time.time_ns()
    order_id = uuid7(now_ns)
    created_at = datetime.fromtimestamp(now_ns / 1_000_000_000, timezone.utc)
    # Fields are dumped in declaration order after validation: canonical bytes.
    asked = order.model_dump()
    body = orjson.dumps(
        {
            "order_id": order_id,
            **asked,
            "ord_status": "NEW",
            "cum_qty": "0",
            "leaves_qty": order.order_qty,
            "version": 1,
            "created_at": created_at,
        }
    )
    fingerprint = hashlib.sha256(orjson.dumps(asked)).digest()
    return Placement(order, order_id, created_at, fingerprint, body)


def error_body(code: str, message: str) -> bytes:
    return orjson.dumps({"code": code, "message": message})


def key_problem(key: str | None) -> str | None:
    """Why this Idempotency-Key cannot be used, or None."""
    if key is None:
        return "header Idempotency-Key is required"
    if not 0 < len(key) <= KEY_MAX:
        return f"Idempotency-Key must have 1 to {KEY_MAX} characters"
    return None


def hash_api_key(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


# One statement, hence one transaction, one round trip and one WAL flush: the
# order and the event exist only if this call won the key. A call that meets
# another one still running waits for its commit, then inserts nothing.
_PLACE = """
WITH won AS (
    INSERT INTO idempotency (tenant, key, fingerprint, status, body)
    VALUES ({tenant}::bigint, {key}::text, {fingerprint}::bytea, 201, {body}::bytea)
    ON CONFLICT (tenant, key) DO NOTHING
    RETURNING tenant
), placed AS (
    INSERT INTO orders (order_id, tenant, cl_ord_id, symbol, side, ord_type, order_qty,
                        price, time_in_force, ord_status, version, created_at)
    SELECT {order_id}::uuid, tenant, {cl_ord_id}::text, {symbol}::text, {side}::text,
           {ord_type}::text, {order_qty}::text::numeric, {price}::text::numeric,
           {time_in_force}::text, 'NEW', 1, {created_at}::timestamptz
    FROM won
)
INSERT INTO order_events (tenant, order_id, type, at, payload)
SELECT tenant, {order_id}::uuid, 'OrderCreated', {created_at}::timestamptz,
       convert_from({body}::bytea, 'UTF8')::json
FROM won
RETURNING sequence
"""

_KEPT = """
SELECT fingerprint, status, body FROM idempotency
WHERE tenant = {tenant}::bigint AND key = {key}::text
"""

API_KEYS = "SELECT key_hash, tenant FROM api_keys"

_PLACE_FIELDS = (
    "tenant", "key", "fingerprint", "body", "order_id", "cl_ord_id", "symbol", "side",
    "ord_type", "order_qty", "price", "time_in_force", "created_at",
)


def numbered(statement: str, fields: tuple[str, ...]) -> str:
    """The statement with $1-style parameters (asyncpg)."""
    return statement.format(**{field: f"${n}" for n, field in enumerate(fields, 1)})


def named(statement: str, fields: tuple[str, ...]) -> str:
    """The statement with %(name)s parameters (psycopg)."""
    return statement.format(**{field: f"%({field})s" for field in fields})


PLACE_NUMBERED = numbered(_PLACE, _PLACE_FIELDS)
PLACE_NAMED = named(_PLACE, _PLACE_FIELDS)
KEPT_NUMBERED = numbered(_KEPT, ("tenant", "key"))
KEPT_NAMED = named(_KEPT, ("tenant", "key"))


def place_values(tenant: int, key: str, placement: Placement) -> tuple[object, ...]:
    """The parameters of the PLACE statement, in the order of its numbers."""
    order = placement.order
    return (
        tenant, key, placement.fingerprint, placement.body, placement.order_id,
        order.cl_ord_id, order.symbol, order.side, order.ord_type, order.order_qty,
        order.price, order.time_in_force, placement.created_at,
    )


def place_parameters(tenant: int, key: str, placement: Placement) -> dict[str, object]:
    """The parameters of the PLACE statement, by name."""
    return dict(zip(_PLACE_FIELDS, place_values(tenant, key, placement), strict=True))
