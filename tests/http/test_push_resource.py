"""The push resource over ASGI: whatever comes is answered, recorded and explained."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, replace
from functools import cache

import http_ece
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from mockpush import profiles
from mockpush.faults import Action, Match
from mockpush.http.app import App
from mockpush.http.push import KEPT_BODY, PushResource
from mockpush.options import ServiceOptions
from mockpush.profiles.rfc import RFC
from mockpush.protocol.findings import REGISTRY
from mockpush.protocol.inspection import Decryption
from mockpush.protocol.keys import generate_key_pair
from mockpush.protocol.model import Subscription, SubscriptionKeys, base64url_encode
from mockpush.service import PushService
from mockpush.storage.memory import MemoryStorage

SIGNING_KEY = ec.generate_private_key(ec.SECP256R1())
POINT = SIGNING_KEY.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
PRIVATE_KEY, P256DH = generate_key_pair()
KEYS = SubscriptionKeys(P256DH, bytes(16), PRIVATE_KEY)


@cache
def authorization() -> str:
    claims = {
        "aud": "https://localhost",
        "exp": int(time.time()) + 43_200,
        "sub": "mailto:push@example.com",
    }
    token = jwt.encode(claims, SIGNING_KEY, algorithm="ES256")
    return f"vapid t={token}, k={base64url_encode(POINT)}"


def encrypt(data: bytes = b"When I grow up, I want to be a watermelon") -> bytes:
    return http_ece.encrypt(
        data,
        salt=bytes(16),
        private_key=ec.derive_private_key(7, ec.SECP256R1()),
        dh=KEYS.p256dh,
        auth_secret=KEYS.auth,
        version="aes128gcm",
    )


BODY = encrypt()
RIGHT = {"ttl": "60", "content-encoding": "aes128gcm", "authorization": authorization()}


def lines(**changes) -> list[tuple[bytes, bytes]]:
    """The right header fields with some changed: None leaves one out, a list doubles it."""
    fields = RIGHT | {name.replace("_", "-"): value for name, value in changes.items()}
    return [
        (name.encode(), each if isinstance(each, bytes) else each.encode())
        for name, value in fields.items()
        if value is not None
        for each in (value if isinstance(value, list) else [value])
    ]


@dataclass
class Answer:
    status: int
    headers: dict[bytes, bytes]
    body: bytes

    @property
    def problem(self) -> dict:
        assert self.headers[b"content-type"] == b"application/problem+json"
        document = json.loads(self.body)
        assert document["status"] == self.status
        return document


async def call(
    app, target: str, *, method="POST", headers=None, chunks=(BODY,), leaves=False, **scope
) -> Answer | None:
    """One request; its body comes in these chunks, and then perhaps the client leaves."""
    path, _, query = target.partition("?")
    incoming = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks] + [
        {"type": "http.disconnect"}
    ]
    if chunks and not leaves:
        del incoming[-2]["more_body"]
    sent = []

    async def receive():
        return incoming.pop(0)

    async def send(message):
        sent.append(message)

    scope = {
        "raw_path": path.encode(),
        **scope,
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "https",
        "path": path,
        "query_string": query.encode(),
        "headers": lines() if headers is None else headers,
    }
    await app(scope, receive, send)
    if not sent:
        return None
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    start, body = sent
    answer = Answer(start["status"], dict(start["headers"]), body["body"])
    if answer.status != 204:
        assert int(answer.headers[b"content-length"]) == len(answer.body)
    return answer


@dataclass
class Bench:
    service: PushService
    app: App
    subscription: Subscription

    async def push(self, **request) -> Answer | None:
        return await call(self.app, self.target, **request)

    @property
    def target(self) -> str:
        return self.subscription.endpoint.removeprefix("https://localhost")

    async def record(self):
        return (await self.service.storage.requests("default"))[-1]

    async def message(self):
        return (await self.service.storage.messages("default"))[-1]


async def make(**options) -> Bench:
    service = PushService(ServiceOptions(**options))
    subscription = await service.subscribe(keys=KEYS, application_server_key=POINT)
    return Bench(service, App(service), subscription)


@pytest.fixture
async def bench() -> Bench:
    return await make()


async def test_a_right_push_is_created(bench):
    answer = await bench.push()
    message = await bench.message()
    assert (answer.status, answer.body) == (201, b"")
    assert answer.headers == {
        b"location": f"https://localhost/m/{message.id}".encode(),
        b"ttl": b"60",
        b"content-length": b"0",
    }
    assert (await bench.service.read(message)).data.startswith(b"When I grow up")


async def test_the_request_is_recorded_as_it_came(bench):
    headers = [*lines(), (b"x-own", b"\xff"), (b"x-own", b"")]
    await call(bench.app, bench.target + "?a=b&c", headers=headers)
    request = (await bench.record()).request
    assert (request.method, request.target) == ("POST", bench.target + "?a=b&c")
    assert (list(request.headers), request.body) == (headers, BODY)
    assert request.http_version == "1.1"
    await call(bench.app, bench.target)
    assert (await bench.record()).request.target == bench.target


async def test_the_target_is_recorded_as_it_was_written(bench):
    written = bench.target.replace("/push/", "/push/%61").encode()
    answer = await call(bench.app, "/push/a", raw_path=written)
    assert answer.status == 404
    [entry] = bench.service.journal.entries()
    assert entry.record.request.target == written.decode()
    await call(bench.app, "/push/a", raw_path=None)
    assert bench.service.journal.entries()[-1].record.request.target == "/push/a"


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"ttl": None}, 400, "ttl.missing"),
        ({"ttl": ""}, 400, "ttl.not_a_number"),
        ({"ttl": "60s"}, 400, "ttl.not_a_number"),
        ({"ttl": b"\xb2"}, 400, "ttl.not_a_number"),
        ({"ttl": "-1"}, 400, "ttl.negative"),
        ({"ttl": ["60", "60"]}, 400, "ttl.doubled"),
        ({"ttl": "60, 60"}, 400, "ttl.doubled"),
        ({"ttl": "9" * 60_000}, 201, "ttl.overflow"),
        ({"topic": ""}, 400, "topic.empty"),
        ({"topic": "x" * 60_000}, 400, "topic.too_long"),
        ({"topic": "a b"}, 400, "topic.alphabet"),
        ({"topic": b"\xff"}, 400, "topic.alphabet"),
        ({"topic": "dXA="}, 400, "topic.padded"),
        ({"topic": ["a", "b"]}, 400, "topic.doubled"),
        ({"urgency": ""}, 400, "urgency.unknown"),
        ({"urgency": b"\xff"}, 400, "urgency.unknown"),
        ({"urgency": "x" * 60_000}, 400, "urgency.unknown"),
        ({"urgency": ["high", "low"]}, 400, "urgency.several"),
        ({"urgency": "HIGH"}, 201, "urgency.case"),
        ({"authorization": None}, 401, "vapid.absent"),
        ({"authorization": ""}, 403, "vapid.scheme.unknown"),
        ({"authorization": "x" * 60_000}, 403, "vapid.scheme.unknown"),
        ({"authorization": b"vapid \xff"}, 403, "vapid.authorization.malformed"),
        ({"authorization": "vapid t=a.b.c, k=d"}, 403, "vapid.token.malformed"),
        ({"authorization": [authorization()] * 2}, 201, "vapid.authorization.doubled"),
        ({"content_encoding": None}, 400, "content_encoding.missing"),
        ({"content_encoding": ""}, 400, "content_encoding.unknown"),
        ({"content_encoding": b"\xff"}, 400, "content_encoding.unknown"),
        ({"content_encoding": "x" * 60_000}, 400, "content_encoding.unknown"),
        ({"content_encoding": ["aes128gcm"] * 2}, 400, "content_encoding.several"),
        ({"crypto_key": b"\xff"}, 201, "crypto_key.malformed"),
        ({"crypto_key": "dh=" + "x" * 60_000}, 201, "crypto_key.dh_with_aes128gcm"),
        ({"encryption": ["salt=a", "salt=b"]}, 201, "encryption_header.with_aes128gcm"),
    ],
)
async def test_every_field_may_be_malformed_missing_doubled_or_oversized(
    bench, changes, status, code
):
    answer = await bench.push(headers=lines(**changes))
    assert answer.status == status
    assert code in (await bench.record()).inspection.codes
    if status != 201:
        assert answer.problem["code"] == code
        assert len(answer.body) < 5000


@pytest.mark.parametrize("body", [BODY, encrypt(b"")])
async def test_a_body_may_be_cut_off_anywhere(bench, body):
    """The header of 86 octets shows that something is missing, the rest only decryption."""
    for end in range(len(body)):
        answer = await bench.push(chunks=(body[:end],))
        if end < 86 + 17:
            assert answer.status == 400
            assert answer.problem["code"].startswith("encryption.")
            continue
        assert answer.status == 201
        payload = await bench.service.read(await bench.message())
        assert payload.decryption is Decryption.FAILED
        assert [finding.code.partition(".")[0] for finding in payload.findings] == ["encryption"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"])
@pytest.mark.parametrize("known", [True, False])
async def test_a_push_is_a_post(bench, method, known):
    target = bench.target if known else "/push/nowhere"
    answer = await call(bench.app, target, method=method, headers=[], chunks=(b"",))
    assert answer.status == 405
    assert answer.headers[b"allow"] == b"POST"
    assert answer.problem["code"] == "request.method"


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
async def test_what_a_redirected_client_announces_and_never_sends_is_not_awaited(bench, method):
    """As PHP's Guzzle does after a 302: a GET with the Content-Length of the POST."""
    headers = [*lines(), (b"content-length", b"144")]
    answer = await bench.push(method=method, headers=headers, chunks=(), leaves=True)
    assert answer.status == 405
    record = await bench.record()
    assert record.judgement.codes[0] == "request.method"
    assert (record.request.body, record.inspection.body_size) == (b"", 0)


@pytest.mark.parametrize(
    "target",
    ["/push/", "/push/nowhere", "/push/a/b", "/push/%00", "/push/é", "/push/nowhere?token=x"],
)
async def test_an_unknown_resource_is_not_found(bench, target):
    answer = await call(bench.app, target)
    assert (answer.status, answer.problem["code"]) == (404, "subscription.unknown")
    assert len(bench.service.journal.entries()) == 1
    assert (await bench.push()).status == 201


async def test_a_token_with_more_behind_it_is_another(bench):
    for more in ("/", "x", "/push"):
        assert (await call(bench.app, bench.target + more)).status == 404


@pytest.mark.parametrize("size", [1, 7, 100])
async def test_a_body_may_come_in_chunks(bench, size):
    chunks = [BODY[at : at + size] for at in range(0, len(BODY), size)]
    for each in (chunks, [b"", *chunks], [*chunks, b""]):
        assert (await bench.push(chunks=tuple(each))).status == 201
        assert (await bench.record()).request.body == BODY


@pytest.mark.parametrize("chunks", [(b"",), (BODY[:50],), (BODY,), (BODY[:50], BODY[50:])])
async def test_a_client_that_leaves_in_mid_body_has_sent_nothing(bench, chunks):
    assert await bench.push(chunks=chunks, leaves=True) is None
    assert await bench.push(chunks=(), leaves=True) is None
    assert list(await bench.service.storage.requests("default")) == []
    assert list(await bench.service.storage.messages("default")) == []


@pytest.mark.parametrize("chunk", [100, 4097, 10_000_000])
async def test_what_is_too_large_is_counted_and_not_kept(bench, chunk):
    size = 10_000_000
    answer = await bench.push(chunks=(b"x" * chunk,) * (size // chunk))
    assert (answer.status, answer.problem["code"]) == (413, "body.too_large")
    record = await bench.record()
    assert record.inspection.body_size == size // chunk * chunk
    assert record.request.body == b"x" * KEPT_BODY


@pytest.mark.parametrize(("size", "status"), [(4096, 201), (4097, 413)])
@pytest.mark.parametrize("chunks", [1, 2])
async def test_4096_octets_are_not_too_many(bench, size, status, chunks):
    body = encrypt(b"x" * (size - 103))
    assert len(body) == size
    half = size // chunks
    answer = await bench.push(chunks=(body[:half], body[half:])[:chunks] if chunks > 1 else (body,))
    assert answer.status == status


async def test_a_larger_limit_keeps_larger_bodies():
    bench = await make(max_body=100_000)
    opaque = await bench.service.subscribe()
    bench.subscription = opaque
    assert (await bench.push(chunks=(b"x" * 60_000, b"x" * 40_000))).status == 201
    assert len((await bench.message()).body) == 100_000


async def test_content_type_and_other_fields_do_not_matter(bench):
    extra = [(b"content-type", b"text/plain"), (b"expect", b"x"), (b"x", b"\xff" * 1000)]
    assert (await bench.push(headers=lines() + extra)).status == 201
    assert (await bench.record()).inspection.codes == []


# Pages that push


async def test_a_page_may_ask_before_it_pushes(bench):
    asked = [(b"origin", b"https://app.test"), (b"access-control-request-method", b"POST")]
    answer = await bench.push(method="OPTIONS", headers=asked, chunks=(b"",))
    assert (answer.status, answer.body) == (204, b"")
    allowed = {
        each.strip() for each in answer.headers[b"access-control-allow-headers"].lower().split(b",")
    }
    # a wildcard covers all but Authorization (Fetch standard)
    assert allowed == {b"*", b"authorization"}
    assert answer.headers[b"access-control-allow-origin"] == b"*"
    assert answer.headers[b"access-control-allow-methods"] == b"POST"
    assert b"content-length" not in answer.headers  # RFC 9110, Section 8.6
    assert list(await bench.service.storage.requests("default")) == []


@pytest.mark.parametrize(("changes", "status"), [({}, 201), ({"ttl": None}, 400)])
async def test_a_page_may_read_every_answer(bench, changes, status):
    answer = await bench.push(headers=[*lines(**changes), (b"origin", b"null")])
    assert answer.status == status
    assert answer.headers[b"access-control-allow-origin"] == b"*"


# Other shapes of endpoints


async def test_the_token_may_be_in_the_query_and_prefixes_are_a_table(monkeypatch):
    profile = replace(RFC, name="vendor", prefix="/w/", query="token")
    monkeypatch.setattr(profiles, "PROFILES", {**profiles.PROFILES, "vendor": profile})
    service = PushService()
    app = App(service)
    subscription = await service.subscribe(profile="vendor")
    target = subscription.endpoint.removeprefix("https://localhost")
    assert target == f"/w/?token={subscription.token}"
    statuses = [
        (await call(app, each)).status
        for each in (target, target + "&x=1", "/w/", "/w/?token=", "/w/?token=%ff", "/w/?x")
    ]
    assert statuses == [201, 201, 404, 404, 404, 404]
    assert (await call(PushResource(service, profile, "/w/"), target)).status == 201
    in_path = f"/w/{subscription.token}"
    assert (await call(app, in_path)).status == 404
    assert app.at_once(in_path.encode(), lines(), BODY) is None  # ASGI reads the query


# Answers at once


async def test_a_plain_push_is_answered_at_once(bench):
    answer = bench.app.at_once(bench.target.encode(), lines(), BODY)
    assert answer.status == 201
    assert (await bench.record()).answer is answer
    assert (await bench.message()).body == BODY


@pytest.mark.parametrize("more", [b"?", b"?a=b", b"#a", b"%20", b"\xe9"])
async def test_what_is_to_be_decoded_is_not_answered_at_once(bench, more):
    assert bench.app.at_once(bench.target.encode() + more, lines(), BODY) is None
    assert bench.app.at_once(b"/elsewhere", lines(), BODY) is None
    assert list(await bench.service.storage.requests("default")) == []


async def test_a_page_is_not_answered_at_once(bench):
    from_page = [*lines(), (b"origin", b"null")]
    assert bench.app.at_once(bench.target.encode(), from_page, BODY) is None
    assert list(await bench.service.storage.requests("default")) == []


class Waiting(MemoryStorage):
    """Lets others run in the middle of `arrive`; `answers_at_once` tells the truth, or does not."""

    async def arrive(self, token):
        await asyncio.sleep(0)
        return await super().arrive(token)


@pytest.mark.parametrize("honest", [True, False])
async def test_nobody_is_answered_at_once_when_storage_has_to_wait(honest):
    storage = Waiting()
    storage.answers_at_once = lambda _: not honest
    service = PushService(storage=storage)
    subscription = await service.subscribe(keys=KEYS)
    bench = Bench(service, App(service), subscription)
    if honest:
        assert bench.app.at_once(bench.target.encode(), lines(), BODY) is None
    else:
        with pytest.raises(RuntimeError, match="has to wait"):
            bench.app.at_once(bench.target.encode(), lines(), BODY)
    assert (await bench.push()).status == 201
    assert len(await service.storage.requests("default")) == 1


async def test_a_fault_is_answered_at_once_unless_it_takes_time_or_the_connection(bench):
    faults = bench.service.faults
    await faults.add("default", match=Match(), action=Action(status=429), times=1, now=0.0)
    assert bench.app.at_once(bench.target.encode(), lines(), BODY).status == 429
    await faults.add("default", match=Match(), action=Action(delay=1.0), now=0.0)
    assert bench.app.at_once(bench.target.encode(), lines(), BODY) is None
    assert len(await bench.service.storage.requests("default")) == 1


# Whatever comes

FIELDS = {
    "ttl": st.sampled_from([b"60", b"0", b"x", b"-1"]),
    "topic": st.sampled_from([b"a", b"dXA=", b"new_event"]),
    "urgency": st.sampled_from([b"high", b"HIGH", b"x"]),
    "content_encoding": st.sampled_from([b"aes128gcm", b"aesgcm", b"gzip"]),
    "authorization": st.sampled_from(
        [authorization().encode(), b"vapid t=a.b.c,k=d", b"WebPush x"]
    ),
    "crypto_key": st.sampled_from([b"dh=AAAA", b"p256ecdsa=" + base64url_encode(POINT).encode()]),
    "encryption": st.sampled_from([b"salt=AAAA", b"salt=AAAAAAAAAAAAAAAAAAAAAA;rs=1"]),
}
requests = st.fixed_dictionaries(
    {},
    optional={
        name: st.none() | value | st.lists(value | st.binary(max_size=20), min_size=1, max_size=2)
        for name, value in FIELDS.items()
    },
)
bodies = st.one_of(
    st.just(BODY),
    st.integers(0, len(BODY)).map(lambda end: BODY[:end]),
    st.binary(max_size=150),
    st.integers(0, len(BODY) - 1).map(lambda at: BODY[:at] + b"\x00" + BODY[at + 1 :]),
)


@given(
    requests,
    st.lists(bodies, min_size=1, max_size=3),
    st.sampled_from(["POST", "POST", "POST", "GET"]),
    st.booleans(),
    st.booleans(),
)
def test_whatever_comes_is_created_or_explained(changes, chunks, method, strict, restricted):
    async def exchange():
        bench = await make(strict=strict)
        if not restricted:
            bench.subscription = await bench.service.subscribe()
        answer = await bench.push(method=method, headers=lines(**changes), chunks=tuple(chunks))
        record = await bench.record()
        assert answer.status < 500
        assert set(record.inspection.codes) <= REGISTRY.keys()
        if answer.status == 201:
            message = await bench.message()
            payload = await bench.service.read(message)
            assert message.body == b"".join(chunks)
            if restricted:
                assert record.inspection.vapid.verified
                assert record.inspection.vapid.key == POINT
                assert payload.decryption is not Decryption.PENDING
            return
        assert answer.problem["findings"][0]["code"] == record.judgement.codes[0]
        assert answer.problem["code"] in record.inspection.codes

    asyncio.run(exchange())
