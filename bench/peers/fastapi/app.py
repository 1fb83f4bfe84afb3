"""FastAPI + asyncpg: places an order once per Idempotency-Key, durably."""

import os
from contextlib import asynccontextmanager

import asyncpg
from pydantic import ValidationError

from fastapi import FastAPI, Request, Response
from peer_order import (
    API_KEYS,
    KEPT_NUMBERED,
    PLACE_NUMBERED,
    PlaceOrder,
    error_body,
    hash_api_key,
    key_problem,
    place_values,
    prepare,
)

POOL_SIZE = int(os.environ.get("PEER_POOL", "32"))
JSON = "application/json"


async def _keep_as_is(_connection: asyncpg.Connection) -> None:
    # asyncpg resets a session on every release: a second round trip per order.
    # This service sets nothing in a session, so there is nothing to reset.
    return None


@asynccontextmanager
async def lifespan(app: FastAPI):
    # PGHOST, PGPORT, PGUSER and PGDATABASE say where. Statements are prepared
    # once per connection by asyncpg's own cache.
    pool = await asyncpg.create_pool(min_size=POOL_SIZE, max_size=POOL_SIZE, reset=_keep_as_is)
    app.state.pool = pool
    app.state.tenants = {bytes(row["key_hash"]): row["tenant"] for row in await pool.fetch(API_KEYS)}
    yield
    await pool.close()


app = FastAPI(lifespan=lifespan, openapi_url=None)


@app.get("/api/v1/health/ready")
async def ready() -> Response:
    await app.state.pool.fetchval("SELECT 1")
    return Response(status_code=204)


# The request is taken as it is: the body goes to pydantic's own JSON parser in
# one step, which is faster than letting FastAPI decode and validate in two.
@app.post("/api/v1/orders")
async def place(request: Request) -> Response:
    headers = request.headers
    tenant = app.state.tenants.get(hash_api_key(headers.get("x-api-key", "")))
    if tenant is None:
        return _refused(401, "UNAUTHENTICATED", "unknown or missing X-API-Key")
    key = headers.get("idempotency-key")
    if problem := key_problem(key):
        return _refused(400, "VALIDATION_ERROR", problem)
    try:
        order = PlaceOrder.model_validate_json(await request.body())
    except ValidationError as error:
        return _refused(422, "VALIDATION_ERROR", str(error))

    placement = prepare(order)
    pool: asyncpg.Pool = app.state.pool
    sequence = await pool.fetchval(PLACE_NUMBERED, *place_values(tenant, key, placement))
    if sequence is not None:
        return Response(
            placement.body,
            201,
            {
                "Location": f"/api/v1/orders/{placement.order_id}",
                "ETag": '"1"',
                "X-Sequence": str(sequence),
            },
            JSON,
        )
    kept = await pool.fetchrow(KEPT_NUMBERED, tenant, key)
    if kept["fingerprint"] != placement.fingerprint:
        return _refused(422, "IDEMPOTENCY_CONFLICT", "this key was used with another payload")
    return Response(kept["body"], kept["status"], {"Idempotent-Replay": "true"}, JSON)


def _refused(status: int, code: str, message: str) -> Response:
    return Response(error_body(code, message), status, None, JSON)
