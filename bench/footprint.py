"""What it costs to have mockpush: the time to start, the unused plugin, the memory of messages.

    python bench/footprint.py [--starts N] [--messages N] [--connections N] [--json FILE]

ready    from the start of `mockpush serve` to its line that says it is ready, median of N
plugin   what `import mockpush.pytest_plugin` adds to a run that has pytest already, median of N
memory   what `mockpush serve` occupies, with default settings, when N messages of 230 octets are
         pending for a user agent that is away (they come from one sender with one token)
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import urlopen

from accept import AUTH, SERVE, Target, prepared, throughput
from results import Result, tell

from mockpush.event_loop import run
from mockpush.protocol.keys import generate_key_pair
from mockpush.protocol.model import base64url_encode

PLUGIN = """
import time
import pytest
started = time.perf_counter()
import mockpush.pytest_plugin
print(time.perf_counter() - started)
"""
BATCH = 10_000
"""Messages that are pushed at a time, since a batch has a time-out."""
MEGABYTE = 1_000_000


@contextmanager
def serving(*options: str) -> Iterator[tuple[int, dict[str, str]]]:
    """The process id of a service on free ports, and the line with which it says it is ready."""
    command = [*SERVE, "--port", "0", "--https-port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            yield child.pid, json.loads(child.stdout.readline())
        finally:
            child.terminate()


def start() -> float:
    """Milliseconds until a service is ready."""
    started = time.perf_counter()
    with serving():
        return (time.perf_counter() - started) * 1000


def plugin() -> float:
    """Milliseconds that the import of the plugin takes."""
    printed = subprocess.check_output([sys.executable, "-c", PLUGIN], text=True)
    return float(printed) * 1000


def resident(pid: int) -> float:
    """Megabytes of memory that a process occupies."""
    kilobytes = subprocess.check_output(["ps", "-o", "rss=", "-p", str(pid)], text=True)
    return int(kilobytes) * 1024 / MEGABYTE


def away(ready: dict[str, str]) -> Target:
    """A restricted subscription that the service can read, whose user agent is away."""
    private_key, p256dh = generate_key_pair()
    vapid_key, application_server_key = generate_key_pair()
    keys = {"p256dh": p256dh, "auth": AUTH, "private_key": private_key}
    members = {
        "online": False,
        "applicationServerKey": base64url_encode(application_server_key),
        "keys": {name: base64url_encode(key) for name, key in keys.items()},
    }
    with urlopen(f"{ready['control']}/subscriptions", json.dumps(members).encode()) as answer:
        endpoint = json.load(answer)["endpoint"]
    port = int(ready["http"].rpartition(":")[2])
    return Target(port, endpoint, p256dh, private_key, vapid_key)


def memory(messages: int, connections: int) -> tuple[float, float]:
    """Megabytes before the messages come, and when all are pending."""
    with serving() as (pid, ready):
        target = away(ready)
        before = resident(pid)
        for first in range(0, messages, BATCH):
            count = min(BATCH, messages - first)
            run(throughput(target.port, prepared(target, count, fresh=False), connections))
        with urlopen(f"{ready['control']}/tenants") as answer:
            kept = json.load(answer)["items"][0]["messages"]
        if kept != messages:
            raise RuntimeError(f"{kept} messages are there, not {messages}")
        return before, resident(pid)


def measure(starts: int, messages: int, connections: int) -> list[Result]:
    """All of it."""
    before, after = memory(messages, connections)
    return [
        Result("ready", statistics.median(start() for _ in range(starts)), "ms", 400),
        Result("plugin", statistics.median(plugin() for _ in range(starts)), "ms", 5),
        Result("memory before", before, "MB"),
        Result(f"memory, {messages} messages", after, "MB", 150),
    ]


if __name__ == "__main__":
    tell(__doc__, measure, starts=11, messages=100_000, connections=8)
