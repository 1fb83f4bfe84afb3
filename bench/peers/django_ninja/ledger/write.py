"""Two ways to write a placement; both are one durable transaction."""

from decimal import Decimal

import orjson
from django.db import IntegrityError, connection, transaction

from ledger.models import Idempotency, Order, OrderEvent
from peer_order import KEPT_NAMED, PLACE_NAMED, Placement, place_parameters


def by_statement(tenant: int, key: str, placement: Placement) -> int | None:
    """One statement, one round trip. The event's sequence, or None if the key is taken."""
    with connection.cursor() as cursor:
        cursor.execute(PLACE_NAMED, place_parameters(tenant, key, placement))
        row = cursor.fetchone()
    return row[0] if row else None


def by_orm(tenant: int, key: str, placement: Placement) -> int | None:
    """What most Django services would write: three inserts in one atomic block."""
    try:
        with transaction.atomic():
            Idempotency.objects.create(
                tenant=tenant,
                key=key,
                fingerprint=placement.fingerprint,
                status=201,
                body=placement.body,
            )
            order = placement.order
            Order.objects.create(
                order_id=placement.order_id,
                tenant=tenant,
                cl_ord_id=order.cl_ord_id,
                symbol=order.symbol,
                side=order.side,
                ord_type=order.ord_type,
                order_qty=Decimal(order.order_qty),
                price=None if order.price is None else Decimal(order.price),
                time_in_force=order.time_in_force,
                ord_status="NEW",
                version=1,
                created_at=placement.created_at,
            )
            event = OrderEvent.objects.create(
                tenant=tenant,
                order_id=placement.order_id,
                type="OrderCreated",
                at=placement.created_at,
                payload=orjson.loads(placement.body),
            )
            return event.sequence
    except IntegrityError:
        # Only the key's own index can collide; anything else is not ours to hide.
        if kept(tenant, key) is None:
            raise
        return None


def kept(tenant: int, key: str) -> tuple[bytes, int, bytes] | None:
    """Fingerprint, status and body that were stored for this key."""
    with connection.cursor() as cursor:
        cursor.execute(KEPT_NAMED, {"tenant": tenant, "key": key})
        row = cursor.fetchone()
    return (bytes(row[0]), row[1], bytes(row[2])) if row else None
