"""Trades with nothing but grpcio and the server's reflection: no schema file, no generated code."""

import sys

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

address, key = sys.argv[1:]
channel = grpc.insecure_channel(address)
database = ProtoReflectionDescriptorDatabase(channel)
pool = DescriptorPool(database)
services = set(database.get_services())
assert {"oms.v1.Ingest", "oms.v1.Query", "oms.v1.Stream", "oms.v1.Risk", "oms.v1.Sor", "grpc.health.v1.Health"} <= services, services
METADATA = [("x-api-key", key)]


def method(service, name):
    found = pool.FindServiceByName(f"oms.v1.{service}").methods_by_name[name]
    asked, answered = GetMessageClass(found.input_type), GetMessageClass(found.output_type)
    path = f"/oms.v1.{service}/{name}"
    kinds = {(False, False): channel.unary_unary, (False, True): channel.unary_stream, (True, True): channel.stream_stream}
    kind = kinds[found.client_streaming, found.server_streaming]
    call = kind(path, request_serializer=asked.SerializeToString, response_deserializer=answered.FromString)
    return asked, lambda request: call(request, metadata=METADATA, timeout=30)


NewOrder, new_order = method("Ingest", "NewOrder")
terms = {name: value.number for name, value in pool.FindEnumTypeByName("oms.v1.Side").values_by_name.items()}
kinds = {name: value.number for name, value in pool.FindEnumTypeByName("oms.v1.OrdType").values_by_name.items()}
order = NewOrder(order_id="P-1", symbol="BAC", qty="200", side=terms["SIDE_BUY"], type=kinds["ORD_TYPE_MARKET"], idempotency_key="p1")
placed = new_order(order)
assert placed.order.order_id and not placed.replayed, placed
assert new_order(order).replayed

StreamEvents, stream_events = method("Stream", "StreamEvents")
filled = 0
events = stream_events(StreamEvents(**{"from": 1}))
for last, event in enumerate(events, start=1):
    assert event.sequence == last, event
    if event.type == "OrderFilled" and event.order_id == placed.order.order_id:
        filled = event.sequence
        break
assert filled
events.cancel()

Search, search = method("Query", "SearchOrders")
page = search(Search(filter={"symbol": "BAC", "cl_ord_id": "P-1"}))
assert [found.order_id for found in page.data] == [placed.order.order_id], page
assert page.data[0].cum_qty == "200", page

# An order to buy at what is bid, without its cents, rests, and is within the collar of a demo desk.
GetLast, get_last = method("Query", "GetLast")
price = get_last(GetLast(symbol="BAC")).bid.split(".")[0]
Entry, entry = method("Ingest", "OrderEntry")
messages = [
    Entry(request_id="a", new_order=NewOrder(order_id="P-2", symbol="BAC", qty="10", price=price, side=terms["SIDE_BUY"], type=kinds["ORD_TYPE_LIMIT"])),
    Entry(request_id="b", cancel={"order_id": "cl_ord_id:P-2", "wait_s": 10}),
    Entry(request_id="c", cancel={"order_id": "cl_ord_id:nobody"}),
]
answers = {answer.request_id: answer for answer in entry(iter(messages))}
assert answers["a"].HasField("new_order") and answers["b"].cancel.status == "APPLIED", answers
assert answers["c"].error.message, answers

GetOrder, get_order = method("Query", "GetOrder")
try:
    get_order(GetOrder(order_id="11111111-1111-1111-1111-111111111111"))
    raise AssertionError("there is no such order")
except grpc.RpcError as refused:
    assert refused.code() == grpc.StatusCode.NOT_FOUND, refused
METADATA.clear()
try:
    new_order(order)
    raise AssertionError("nobody may place an order")
except grpc.RpcError as refused:
    assert refused.code() == grpc.StatusCode.UNAUTHENTICATED, refused
print("PASSED")
