#!/usr/bin/env python3
"""CPU time of each order, by thread, of one or more builds of `oms` under the same load, in turn. See README.md."""

import argparse
import collections
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
VENUE = re.compile(r"oms-[A-Z]{4}$|paper-market$")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("programs", nargs="+", help="builds of oms")
    parser.add_argument("--load", default="wrk", help="wrk, as fast as the desk takes them, or orders per second")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", default="target/cost", help="folder of the desks; on a disk")
    parser.add_argument("--port", type=int, default=18081)
    parser.add_argument("--perf", help="records the last round of the last program into this file")
    return parser.parse_args()


def ready(url):
    for _ in range(300):
        try:
            with urllib.request.urlopen(url + "/api/v1/health/ready", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    sys.exit("the desk did not become ready")


def load(args, program, url, key, seconds):
    """Orders answered, and what the generator says."""
    if args.load == "wrk":
        script = str(HERE / "peers" / "post.lua")
        command = ["wrk", "-t1", f"-c{args.connections}", f"-d{seconds}s", "-s", script, url]
        done = subprocess.run(command, env=dict(os.environ, API_KEY=key), capture_output=True, text=True, check=True)
        said = json.loads(done.stdout.strip().splitlines()[-1])
        return said["requests"], said
    command = [program, "load", "--url", url, "--key", key, "--rate", args.load, "--connections", str(args.connections)]
    done = subprocess.run(command + ["--duration", f"{seconds}s", "--report-json"], capture_output=True, text=True, check=True)
    said = json.loads(done.stdout)
    return said["acknowledged"], said


def used(pid):
    """Nanoseconds on a processor by thread, so far."""
    times = collections.Counter()
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            name = (task / "comm").read_text().strip()
            times["venues" if VENUE.match(name) else name] += int((task / "schedstat").read_text().split()[0])
        except OSError:
            continue  # The thread has ended.
    return times


def measure(args, program, record):
    data = pathlib.Path(args.data).resolve()
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    said_by_desk = data / "said"
    url = f"http://127.0.0.1:{args.port}"
    with open(said_by_desk, "w", encoding="utf-8") as out:
        command = [program, "serve", "--demo", "--data", str(data / "desk"), "--listen", f"127.0.0.1:{args.port}"]
        desk = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        ready(url)
        key = re.search(r"oms_test_\w+", said_by_desk.read_text(encoding="utf-8")).group()
        load(args, program, url, key, 2)
        # The load begins with prices that this one has come to: within a second they would be refused as duplicates.
        time.sleep(2)
        before = used(desk.pid)
        if record:
            command = ["perf", "record", "-F", "999", "-g", "-p", str(desk.pid), "-o", args.perf, "--", "sleep", str(args.seconds)]
            recording = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        orders, said = load(args, program, url, key, args.seconds)
        # What follows the log is behind it by a moment.
        time.sleep(1)
        after = used(desk.pid)
        if record:
            recording.wait()
        return {name: (after[name] - before[name]) / orders / 1e3 for name in after}, said
    finally:
        desk.send_signal(signal.SIGTERM)
        try:
            desk.wait(20)
        except subprocess.TimeoutExpired:
            desk.kill()
            desk.wait()
        shutil.rmtree(data, ignore_errors=True)


def main():
    args = arguments()
    costs = {program: [] for program in args.programs}
    for number in range(args.rounds):
        for program in args.programs:
            record = bool(args.perf) and number == args.rounds - 1 and program == args.programs[-1]
            cost, said = measure(args, program, record)
            costs[program].append(cost)
            print(f"{program}: {sum(cost.values()):.1f} us; {json.dumps(said)}", file=sys.stderr)
    for program, rounds in costs.items():
        names = sorted({name for cost in rounds for name in cost}, key=lambda name: -min(cost.get(name, 0) for cost in rounds))
        least = {name: min(cost.get(name, 0) for cost in rounds) for name in names}
        shown = ", ".join(f"{name} {us:.1f}" for name, us in least.items() if us >= 0.5)
        print(f"{program}: {min(sum(cost.values()) for cost in rounds):.1f} us of CPU for each order: {shown}")


if __name__ == "__main__":
    main()
