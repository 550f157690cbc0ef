"""Whatever Hypothesis thinks of is answered: below 500, and errors by problem documents."""

from __future__ import annotations

import asyncio
import json

from hypothesis import given
from hypothesis import strategies as st

from mockpush.http.app import App
from mockpush.service import PushService

ROOT = "/_mockpush/v1"
POSTS = [
    "/subscriptions",
    "/clock",
    "/reset",
    "/inspect",
    "/subscriptions/x/expire",
    "/messages/x/acknowledge",
]
GETS = [
    "/messages",
    "/faults",
    "/messages/latest",
    "/requests",
    "/subscriptions",
    "/events",
    "/tenants",
]


def answered(method, target, *, headers=(), body=b""):
    """Status and problem of an answer, by ASGI itself, since clients would refuse to send some."""

    async def exchange():
        messages = []

        async def receive():
            if receive.body is not None:
                content, receive.body = receive.body, None
                return {"type": "http.request", "body": content, "more_body": False}
            return {"type": "http.disconnect"}

        async def send(message):
            messages.append(message)

        receive.body = body
        path, _, query = target.partition(b"?")
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path.decode("utf-8", "replace"),
            "raw_path": path,
            "root_path": "",
            "query_string": query,
            "headers": [(b"host", b"localhost"), *headers],
        }
        app = App(PushService())
        await asyncio.wait_for(app(scope, receive, send), 10)
        return messages

    start, *parts = asyncio.run(exchange())
    content = b"".join(part.get("body", b"") for part in parts)
    assert 200 <= start["status"] < 500, content
    if start["status"] >= 400 and content:
        fields = dict(start["headers"])
        assert fields[b"content-type"] == b"application/problem+json"
        assert json.loads(content)["status"] == start["status"]
    return start["status"]


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**300, max_value=10**301)
    | st.floats()
    | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
MEMBERS = [
    "profile",
    "applicationServerKey",
    "keys",
    "id",
    "origin",
    "expirationTime",
    "online",
    "status",
    "keep",
    "advance",
    "freeze",
    "resume",
    "request",
    "at",
    "endpoint",
    "subscription",
]


@given(
    path=st.sampled_from(POSTS), body=st.dictionaries(st.sampled_from(MEMBERS), values, max_size=3)
)
def test_any_members(path, body):
    answered("POST", f"{ROOT}{path}".encode(), body=json.dumps(body).encode())


@given(path=st.sampled_from(POSTS), body=st.binary(max_size=50))
def test_any_octets_as_a_body(path, body):
    answered("POST", f"{ROOT}{path}".encode(), body=body)


@given(
    name=st.sampled_from(["p256dh", "auth", "private_key"]),
    value=values,
    others=st.fixed_dictionaries({}, optional={"p256dh": st.text(), "auth": st.text()}),
)
def test_any_keys(name, value, others):
    body = json.dumps({"keys": {**others, name: value}}).encode()
    assert answered("POST", f"{ROOT}/subscriptions".encode(), body=body) == 400


PARAMETERS = [
    "subscription",
    "state",
    "topic",
    "since",
    "limit",
    "wait",
    "status",
    "tenant",
    "kind",
]


@given(
    path=st.sampled_from(GETS),
    name=st.sampled_from(PARAMETERS),
    value=st.binary(max_size=30) | st.integers().map(lambda number: str(number).encode()),
)
def test_any_parameters(path, name, value):
    answered("GET", f"{ROOT}{path}?timeout=0&{name}=".encode() + value)


@given(
    st.sampled_from(["GET", "POST", "DELETE", "HEAD", "PUT"]),
    st.sampled_from(["/messages/", "/subscriptions/", "/requests/", "/tenants/", "/"]),
    st.binary(max_size=30),
)
def test_any_path(method, path, name):
    answered(method, f"{ROOT}{path}".encode() + name.replace(b"?", b""))


FIELDS = [
    b"host",
    b"origin",
    b"mockpush-tenant",
    b"last-event-id",
    b"content-type",
    b"content-length",
]


@given(st.sampled_from(FIELDS), st.binary(max_size=30))
def test_any_header_field(name, value):
    answered("POST", f"{ROOT}/subscriptions".encode(), headers=[(name, value)])
    answered("GET", f"{ROOT}/events".encode(), headers=[(name, value)])


@given(st.floats(allow_nan=False))
def test_any_number_of_seconds(seconds):
    status = answered(
        "POST", f"{ROOT}/clock".encode(), body=json.dumps({"advance": seconds}).encode()
    )
    assert status == (200 if 0 <= seconds <= 3.2e9 else 400)


@given(
    request=st.fixed_dictionaries(
        {"url": st.just("https://push.example/p") | st.text()},
        optional={"method": st.text(), "headers": values, "body": st.text()},
    )
    | st.text(st.characters(exclude_categories=())),
    others=st.fixed_dictionaries(
        {}, optional={"at": values, "endpoint": values, "subscription": values}
    ),
)
def test_any_capture(request, others):
    body = json.dumps({"request": request, **others}).encode()
    answered("POST", f"{ROOT}/inspect".encode(), body=body)
