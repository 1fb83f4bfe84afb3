"""Says how quiet the box is: what else runs, and how fast the disk flushes now.

    python3 box.py DIRECTORY        prints one line of JSON

A figure taken beside other work is a figure of that other work. Linux only.
"""

import json
import os
import sys
import tempfile
import time

WINDOW_SECONDS = 1.0
BLOCK = bytes(8192)  # what PostgreSQL writes to its log at a time
FILE_BLOCKS = 1024


def processor_ticks() -> tuple[int, int]:
    """Busy and all ticks of all cores since boot."""
    with open("/proc/stat", encoding="ascii") as stat:
        ticks = [int(field) for field in stat.readline().split()[1:9]]
    idle = ticks[3] + ticks[4]
    return sum(ticks) - idle, sum(ticks)


def busy_share() -> float:
    """Share of all cores in use over one window in which this program does nothing."""
    busy, total = processor_ticks()
    time.sleep(WINDOW_SECONDS)
    busy_after, total_after = processor_ticks()
    return (busy_after - busy) / max(total_after - total, 1)


def flushes_per_second(directory: str) -> float:
    """Overwrites of one preallocated block, each followed by fdatasync, in one window."""
    with tempfile.TemporaryFile(dir=directory) as file:
        descriptor = file.fileno()
        for block in range(FILE_BLOCKS):
            os.pwrite(descriptor, BLOCK, block * len(BLOCK))
        os.fsync(descriptor)
        flushes, start = 0, time.monotonic()
        while (spent := time.monotonic() - start) < WINDOW_SECONDS:
            os.pwrite(descriptor, BLOCK, flushes % FILE_BLOCKS * len(BLOCK))
            os.fdatasync(descriptor)
            flushes += 1
        return flushes / spent


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    box = {
        "busy_share": round(busy_share(), 2),
        "flushes_per_second": round(flushes_per_second(sys.argv[1])),
    }
    print(json.dumps(box))
    return 0


if __name__ == "__main__":
    sys.exit(main())
