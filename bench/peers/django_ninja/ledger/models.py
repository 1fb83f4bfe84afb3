"""The tables of `schema.sql`, used when PEER_WRITE=orm."""

from django.db import models


class Idempotency(models.Model):
    pk = models.CompositePrimaryKey("tenant", "key")
    tenant = models.BigIntegerField()
    key = models.TextField()
    fingerprint = models.BinaryField()
    status = models.SmallIntegerField()
    body = models.BinaryField()

    class Meta:
        managed = False
        db_table = "idempotency"


class Order(models.Model):
    order_id = models.UUIDField(primary_key=True)
    tenant = models.BigIntegerField()
    cl_ord_id = models.TextField()
    symbol = models.TextField()
    side = models.TextField()
    ord_type = models.TextField()
    order_qty = models.DecimalField(max_digits=27, decimal_places=9)
    price = models.DecimalField(max_digits=27, decimal_places=9, null=True)
    time_in_force = models.TextField()
    ord_status = models.TextField()
    version = models.IntegerField()
    created_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "orders"


class OrderEvent(models.Model):
    sequence = models.BigAutoField(primary_key=True)
    tenant = models.BigIntegerField()
    order_id = models.UUIDField()
    type = models.TextField()
    at = models.DateTimeField()
    payload = models.JSONField()

    class Meta:
        managed = False
        db_table = "order_events"
