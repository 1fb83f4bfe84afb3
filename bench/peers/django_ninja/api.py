"""Django + django-ninja + psycopg: places an order once per Idempotency-Key, durably."""

import os
from functools import cache

import orjson
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path
from ninja import NinjaAPI
from ninja.parser import Parser
from ninja.security import APIKeyHeader

from ledger import write
from peer_order import (
    API_KEYS,
    PlaceOrder,
    error_body,
    hash_api_key,
    key_problem,
    prepare,
)

JSON = "application/json"

insert = {"statement": write.by_statement, "orm": write.by_orm}[
    os.environ.get("PEER_WRITE", "statement")
]


class OrjsonParser(Parser):
    def parse_body(self, request: HttpRequest):
        return orjson.loads(request.body)


@cache
def tenants() -> dict[bytes, int]:
    with connection.cursor() as cursor:
        cursor.execute(API_KEYS)
        return {bytes(key_hash): tenant for key_hash, tenant in cursor.fetchall()}


class ApiKey(APIKeyHeader):
    param_name = "X-API-Key"

    def authenticate(self, request: HttpRequest, key: str | None) -> int | None:
        return tenants().get(hash_api_key(key or ""))


api = NinjaAPI(parser=OrjsonParser(), docs_url=None, openapi_url=None, urls_namespace="peer")


@api.get("/health/ready")
def ready(request: HttpRequest) -> HttpResponse:
    tenants()
    return HttpResponse(status=204)


@api.post("/orders", auth=ApiKey())
def place(request: HttpRequest, order: PlaceOrder) -> HttpResponse:
    tenant = request.auth
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if problem := key_problem(key):
        return _refused(400, "VALIDATION_ERROR", problem)

    placement = prepare(order)
    sequence = insert(tenant, key, placement)
    if sequence is not None:
        headers = {
            "Location": f"/api/v1/orders/{placement.order_id}",
            "ETag": '"1"',
            "X-Sequence": str(sequence),
        }
        return HttpResponse(placement.body, JSON, 201, headers=headers)
    fingerprint, status, body = write.kept(tenant, key)
    if fingerprint != placement.fingerprint:
        return _refused(422, "IDEMPOTENCY_CONFLICT", "this key was used with another payload")
    return HttpResponse(body, JSON, status, headers={"Idempotent-Replay": "true"})


def _refused(status: int, code: str, message: str) -> HttpResponse:
    return HttpResponse(error_body(code, message), JSON, status)


urlpatterns = [path("api/v1/", api.urls)]
