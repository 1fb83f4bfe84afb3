"""Turns what run.sh measured into one line of JSON, and refuses a run that lies."""

import json
import os
import sys
from datetime import datetime, timezone

QUIET = 0.15
"""Largest share of the box that other work may take in a figure worth keeping."""


def main() -> int:
    environment = os.environ
    load = json.loads(environment["RESULT"])
    result: dict[str, object] = {
        "service": environment["SERVICE"],
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        "cores": os.cpu_count(),
        "load": environment["LOAD_NAME"],
        "connections": int(environment["CONNECTIONS"]),
        **load,
    }
    boxes = [json.loads(environment[name]) for name in ("BOX_BEFORE", "BOX_AFTER")]
    result["busy_share_of_others"] = max(box["busy_share"] for box in boxes)
    result["raw_flushes_per_second"] = min(box["flushes_per_second"] for box in boxes)
    problems = []
    for name in ("refused", "socket_errors"):
        if load.get(name):
            problems.append(f"{name}: {load[name]}")
    if environment["BEFORE"]:
        if environment["SERVICE"] == "django_ninja":
            result["write"] = environment["VARIANT"]
        before, after = (
            [int(n) for n in environment[name].split("|")] for name in ("BEFORE", "AFTER")
        )
        orders, events, keys, flushes = (b - a for a, b in zip(before, after, strict=True))
        result["orders_durable"] = orders
        result["commits_per_flush"] = round(orders / max(flushes, 1), 2)
        if not orders == events == keys:
            problems.append(f"orders {orders}, events {events}, keys {keys} differ")
        answered = load.get("requests")
        # Every answer is a row; requests cut off at the end may be rows too.
        if answered is not None and not answered <= orders <= answered + result["connections"]:
            problems.append(f"{answered} answers, but {orders} orders in the database")
    print(json.dumps(result))
    if result["busy_share_of_others"] > QUIET:
        print("result: the box was not quiet: this figure is not a record", file=sys.stderr)
    for problem in problems:
        print(f"result: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
