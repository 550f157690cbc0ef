"""A long session does not grow: what a test used is gone when it has ended."""

from __future__ import annotations

import re
import sys

TESTS = 2000
WARM = 500
"""After so many tests memory is measured first: by then all caches are filled."""
STAYS = 500
"""Octets that may stay of each test: the name of its endpoint, so that of a push that comes later
can be told whose it was."""

CONFTEST = f"""
import gc
import tracemalloc

tracemalloc.start()

def pytest_runtest_logfinish(nodeid):
    number = int(nodeid.rpartition("[")[2].rstrip("]"))
    if number in ({WARM}, {TESTS - 1}):
        gc.collect()
        print(f"\\nmemory: {{tracemalloc.get_traced_memory()[0]}}")
"""

NOTHING = f"""
import pytest

@pytest.fixture
def one():
    yield

@pytest.fixture
def two(one):
    return []

@pytest.mark.parametrize("number", range({TESTS}))
def test_it(one, two, number):
    pass
"""

SENDER = """
import time

from mockpush.protocol.vapid import authorization

def push(transport, subscription, vapid):
    origin, _, token = subscription.endpoint.partition("/push/")
    claims = vapid.claims(aud=origin, exp=int(time.time()) + 600)
    headers = [("TTL", "60"), ("Authorization", authorization(claims, vapid.scalar))]
    answer = transport.request("POST", f"/push/{token}", headers=headers)
    assert answer.status == 201, answer.body
"""

PUSHES = f"""
import pytest
from sender import push

@pytest.mark.parametrize("number", range({TESTS}))
def test_it(push_service, push_subscription, push_vapid, number):
    push(push_service.transport, push_subscription, push_vapid)
    push_service.wait()
"""

# Without pytest, whose own memory grows by kilobytes for each test and in steps.
PROCESS = f"""
import gc
import sys

from mockpush.pytest_session import running, settings, vapid_keys
from sender import push

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

chosen = settings()
vapid = vapid_keys(chosen)
with running(chosen, url=None) as server:
    for number in range(2 * {TESTS} + 1):
        traffic = server.begin(f"test_it.py::test_it[{{number}}]", vapid)
        push(traffic.control.transport, traffic.control.subscribe(), vapid)
        traffic.control.wait()
        server.end(traffic)
        if number in ({TESTS}, 2 * {TESTS}):
            gc.collect()
            print(f"memory: {{resident()}}", flush=True)
"""


def growth(output: str) -> int:
    """What has come between the two measurements, in octets."""
    first, last = map(int, re.findall(r"^memory: (\d+)$", output, re.MULTILINE))
    return last - first


def test_two_thousand_tests_leave_memory_flat(project):
    project.write("conftest.py", CONFTEST)
    project.write("sender.py", SENDER)
    doing_nothing = project.run(NOTHING, "-s")
    pushing = project.run(PUSHES, "-s")
    assert pushing.counts == {"passed": TESTS}
    grown = growth(pushing.output) - growth(doing_nothing.output)
    assert grown < STAYS * (TESTS - WARM)


def test_nor_does_the_process_keep_what_python_does_not_see(project):
    project.write("sender.py", SENDER)
    project.write("process.py", PROCESS)
    grown = growth(project.command(sys.executable, "process.py").output)
    assert grown < 2 * STAYS * TESTS
