"""The core is pure: no module of it does I/O or asks for the time, neither on import nor in use."""

from __future__ import annotations

import ast
import pkgutil
from pathlib import Path

import pytest

from mockpush import protocol

FOLDER = Path(protocol.__file__).parent
MODULES = sorted(
    module.name for module in pkgutil.walk_packages([str(FOLDER)], "mockpush.protocol.")
)
CLOCKS = {"time", "monotonic", "perf_counter", "now", "utcnow", "today", "sleep"}


def test_each_module_can_be_imported_first_and_loads_no_io(run_python):
    """In a fresh interpreter, and each time without what another module has loaded."""
    program = f"""
import sys
for name in {MODULES!r}:
    for loaded in [each for each in sys.modules if each.split(".")[0] == "mockpush"]:
        del sys.modules[loaded]
    __import__(name)
    print(name, *{{"asyncio", "socket", "ssl", "starlette", "uvicorn"}} & set(sys.modules))
"""
    assert run_python(program).splitlines() == MODULES


def test_a_push_is_inspected_judged_and_answered_without_leaving_the_interpreter(run_python):
    program = """
import sys, time
from mockpush.profiles import PROFILES
from mockpush.protocol import encryption, vapid
from mockpush.protocol.answering import render
from mockpush.protocol.inspection import Context, inspect, read_payload
from mockpush.protocol.judging import judge
from mockpush.protocol.keys import generate_key_pair
from mockpush.protocol.model import PushRequest, Subscription, SubscriptionKeys

private_key, p256dh = generate_key_pair()
signing_key, signing_point = generate_key_pair()
keys = SubscriptionKeys(p256dh, bytes(16), private_key)
claims = {"aud": "https://localhost", "exp": 3600, "sub": "mailto:a@example.com"}
field = vapid.authorization(claims, signing_key)
body = encryption.encrypt(b"hello", p256dh=p256dh, auth=bytes(16))
subscription = Subscription(
    "s", "t", "default", "rfc", "", ("https://localhost",), 0.0, keys, signing_point
)

def push(**changes):
    fields = {"ttl": "60", "content-encoding": "aes128gcm", "authorization": field, **changes}
    headers = [(name.encode(), value.encode()) for name, value in fields.items()]
    request = PushRequest("POST", "/push/t", headers, body, 0.0, 0.0)
    inspection = inspect(request, Context(subscription, ("https://localhost",), 0.0))
    answer = render(judge(inspection, PROFILES["rfc"]), inspection)
    return answer.status, read_payload(inspection, body, keys).data

first = push(), push(ttl="x")

def stopped(*_):
    raise AssertionError("asked for the time")

time.time = time.monotonic = time.time_ns = stopped
events = []
sys.addaudithook(lambda event, _: events.append(event))
again = push(authorization=vapid.authorization(claims, signing_key)), push(ttl="x")
seen = set(events)
print(first == again, first[0], first[1][0], *sorted(seen))
"""
    assert run_python(program).split() == ["True", "(201,", "b'hello')", "400"]


@pytest.mark.parametrize("name", MODULES)
def test_no_module_asks_for_the_time(name):
    path = FOLDER.joinpath(*name.split(".")[2:])
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    called = {
        node.func.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert "time" not in imported
    assert not {"open", "input", "print"} & {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name)
    }
    assert called & CLOCKS <= {"now"} if name.endswith(".clock") else not called & CLOCKS
