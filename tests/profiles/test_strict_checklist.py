"""`--strict` against the requirements of RFC 8030, 8188, 8291 and 8292, row by row.

`PS-` are duties of the push service, `AS-` those of the application server, which `--strict` makes
it keep. Each row is shown by a request of a right sender with one thing changed; signatures and
ciphertexts are those of other people's libraries.
"""

from __future__ import annotations

import base64
import json
import time

import http_ece
import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mockpush.http.app import App
from mockpush.options import ServiceOptions
from mockpush.service import PushService

ROOT = "/_mockpush/v1"
ORIGIN = "https://localhost:8031"
MAX_TTL = 2**31
OPTIONS = "application/webpush-options+json"
AUTH = bytes(range(16))
KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_KEY = ec.generate_private_key(ec.SECP256R1())
USER_AGENT_KEY = ec.generate_private_key(ec.SECP256R1())


def point(key) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(key=KEY, **claims) -> str:
    own = {"aud": ORIGIN, "exp": int(time.time()) + 3600, "sub": "mailto:push@example.com"}
    known = {name: value for name, value in {**own, **claims}.items() if value is not None}
    return jwt.encode(known, key, algorithm="ES256")


def vapid(key=KEY, **claims) -> str:
    return f"vapid t={token(key, **claims)}, k={text(point(key))}"


def encrypted(data: bytes = b"hello", key=None, **options) -> bytes:
    return http_ece.encrypt(
        data,
        private_key=key or ec.generate_private_key(ec.SECP256R1()),
        dh=point(USER_AGENT_KEY),
        auth_secret=AUTH,
        version="aes128gcm",
        **options,
    )


BODY = encrypted()


@pytest.fixture
def service():
    service = PushService(ServiceOptions(strict=True))
    service.origins = (ORIGIN,)
    return service


@pytest.fixture
async def http(service):
    transport = httpx.ASGITransport(App(service))
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        yield client


class Endpoint:
    """A managed subscription that is restricted to `KEY`."""

    def __init__(self, http, created) -> None:
        self._http = http
        self.id = created["id"]
        self.path = created["endpoint"].removeprefix(ORIGIN)

    async def push(self, body: bytes = BODY, method: str = "POST", **changed) -> httpx.Response:
        """A right request but for what has changed; None leaves a field out."""
        fields = {
            "TTL": "60",
            "Content-Encoding": "aes128gcm",
            "Authorization": vapid(),
            **{name.replace("_", "-"): value for name, value in changed.items()},
        }
        lines = [
            (name, each)
            for name, value in fields.items()
            if value is not None
            for each in (value if isinstance(value, list) else [value])
        ]
        return await self._http.request(method, self.path, content=body, headers=lines)


@pytest.fixture
async def endpoint(http):
    raw = USER_AGENT_KEY.private_numbers().private_value.to_bytes(32, "big")
    keys = {"p256dh": text(point(USER_AGENT_KEY)), "auth": text(AUTH), "private_key": text(raw)}
    members = {"keys": keys, "applicationServerKey": text(point(KEY)), "online": False}
    created = await http.post(f"{ROOT}/subscriptions", json=members)
    assert created.status_code == 201, created.text
    return Endpoint(http, created.json())


async def test_a_right_request_is_accepted(endpoint):
    answer = await endpoint.push()
    assert answer.status_code == 201, answer.text


UNSIGNED = f"vapid t={token().rpartition('.')[0]}.{text(bytes(64))}, k={text(point(KEY))}"

REFUSED = [
    ("AS-01 TTL", 400, {"TTL": None}),
    ("AS-01 TTL is 1*DIGIT", 400, {"TTL": "+60"}),
    ("AS-02 one Urgency", 400, {"Urgency": ["low", "high"]}),
    ("AS-02 one of the four", 400, {"Urgency": "urgent"}),
    ("AS-03 Topic of 33 characters", 400, {"Topic": "a" * 33}),
    ("AS-03 Topic alphabet", 400, {"Topic": "a b"}),
    ("AS-08 aud is the origin", 403, {"Authorization": vapid(aud="https://push.example")}),
    ("AS-08 aud has no path", 403, {"Authorization": vapid(aud=f"{ORIGIN}/push")}),
    ("AS-08 aud has the port", 403, {"Authorization": vapid(aud="https://localhost")}),
    ("AS-08 exp", 403, {"Authorization": vapid(exp=None)}),
    ("AS-08 exp within 24 h", 403, {"Authorization": vapid(exp=int(time.time()) + 90_000)}),
    ("AS-11 two parameters", 403, {"Authorization": f"vapid t={token()}"}),
    ("AS-11 scheme", 403, {"Authorization": f"WebPush {token()}"}),
    ("AS-12 two keys", 400, {"body": encrypted(key=KEY)}),
    ("AS-13 the key of the subscription", 403, {"Authorization": vapid(OTHER_KEY)}),
    ("AS-15 one record", 400, {"body": encrypted(b"x" * 100, rs=60)}),
    ("AS-15 keyid is a point", 400, {"body": BODY[:20] + b"\1x" + BODY[86:]}),
    ("AS-15 uncompressed", 400, {"body": BODY[:21] + b"\2" + BODY[22:]}),
    ("AS-16 another coding", 400, {"Content_Encoding": "gzip"}),
    ("AS-16 the draft's", 400, {"Content_Encoding": "aesgcm"}),
    ("AS-16 several", 400, {"Content_Encoding": "aes128gcm, gzip"}),
    ("AS-16 none", 400, {"Content_Encoding": None}),
    ("AS-18 rs of 17", 400, {"body": BODY[:16] + bytes([0, 0, 0, 17]) + BODY[20:]}),
    ("PS-06 POST", 405, {"method": "GET"}),
    ("PS-09 receipt subscription", 400,
     {"Prefer": "respond-async", "Link": '</r/x>; rel="urn:ietf:params:push:receipt"'}),
    ("PS-10", 400, {"TTL": None}),
    ("PS-17", 400, {"Urgency": "low, high"}),
    ("PS-18", 400, {"Topic": "a" * 33}),
    ("PS-28", 413, {"body": BODY + bytes(4096)}),
    ("PS-35", 403, {"Authorization": UNSIGNED}),
    ("PS-37", 400, {"body": encrypted(key=KEY)}),
    ("PS-39 absent", 401, {"Authorization": None}),
    ("PS-39 invalid", 403, {"Authorization": vapid(exp=1)}),
    ("PS-40 t", 403, {"Authorization": f"vapid k={text(point(KEY))}"}),
    ("PS-40 k", 403, {"Authorization": f"vapid t={token()}"}),
    ("PS-40 signature", 403, {"Authorization": UNSIGNED}),
    ("PS-40 expired", 403, {"Authorization": vapid(exp=int(time.time()) - 1)}),
    ("PS-40 too far", 403, {"Authorization": vapid(exp=int(time.time()) + 90_000)}),
    ("PS-40 aud", 403, {"Authorization": vapid(aud="https://push.example")}),
    ("PS-40 key", 403, {"Authorization": vapid(OTHER_KEY)}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "changed"), [pytest.param(*row[1:], id=row[0]) for row in REFUSED]
)
async def test_what_breaks_a_requirement_is_refused(endpoint, status, changed):
    answer = await endpoint.push(**changed)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["section"]


ACCEPTED = [
    ("AS-02 the four", {"Urgency": "very-low"}),
    ("AS-03 32 characters", {"Topic": "a" * 32}),
    ("AS-09 sub is https", {"Authorization": vapid(sub="https://example.com/contact")}),
    ("AS-15 rs greater than the record", {"body": encrypted(rs=4096)}),
    ("AS-20 3993 octets", {"body": encrypted(b"x" * 3993)}),
    ("PS-28 4096 octets", {"body": encrypted(b"x" * 3993)}),
    ("PS-36 unknown parameters", {"Authorization": f"{vapid()}, x=y, realm=z"}),
    ("PS-36 Proxy-Authorization", {"Proxy_Authorization": "vapid t=x"}),
    ("PS-42", {"body": encrypted(b"x" * 3993)}),
]


@pytest.mark.parametrize("changed", [pytest.param(row[1], id=row[0]) for row in ACCEPTED])
async def test_what_a_requirement_allows_is_accepted(endpoint, changed):
    answer = await endpoint.push(**changed)
    assert answer.status_code == 201, answer.text


async def test_ps_06_an_accepted_message_has_a_resource(endpoint, http):
    answer = await endpoint.push()
    location = answer.headers["location"]
    assert location.startswith(f"{ORIGIN}/m/")
    assert (await http.delete(location)).status_code == 204


async def test_ps_07_08_a_confirmation_is_202_and_says_where(endpoint):
    answer = await endpoint.push(Prefer="respond-async")
    assert answer.status_code == 202
    assert answer.headers["location"].startswith(f"{ORIGIN}/m/")
    url = answer.links["urn:ietf:params:push:receipt"]["url"]
    assert url.startswith(f"{ORIGIN}/r/")


async def test_ps_09_as_04_the_same_receipt_subscription_is_used_again(endpoint):
    url = (await endpoint.push(Prefer="respond-async")).links["urn:ietf:params:push:receipt"]["url"]
    link = f'<{url}>; rel="urn:ietf:params:push:receipt"'
    again = await endpoint.push(Prefer="respond-async", Link=link)
    assert again.links["urn:ietf:params:push:receipt"]["url"] == url


@pytest.mark.parametrize("ttl", [MAX_TTL, MAX_TTL + 1, 10**30])
async def test_ps_11_12_a_ttl_that_overflows_counts_as_the_largest(endpoint, ttl):
    answer = await endpoint.push(TTL=str(ttl))
    assert (answer.status_code, answer.headers["ttl"]) == (201, str(MAX_TTL))


async def test_ps_12_the_actual_ttl_is_told(endpoint):
    assert (await endpoint.push(TTL="60")).headers["ttl"] == "60"


async def test_ps_14_ttl_0_is_accepted_and_gone_when_nobody_is_there(endpoint, service):
    assert (await endpoint.push(TTL="0")).status_code == 201
    [message] = await service.storage.messages("default")
    assert message.state == "dropped"


async def test_ps_19_a_topic_has_a_new_message_resource(endpoint, http):
    first = await endpoint.push(Topic="news")
    second = await endpoint.push(Topic="news")
    assert (first.status_code, second.status_code) == (201, 201)
    assert (await http.delete(first.headers["location"])).status_code == 404
    assert (await http.delete(second.headers["location"])).status_code == 204


async def test_ps_29_an_expired_subscription_is_404(endpoint, http):
    await http.post(f"{ROOT}/subscriptions/{endpoint.id}/expire")
    assert (await endpoint.push()).status_code == 404


async def test_ps_29_so_is_one_that_never_was(http):
    assert (await http.post("/push/unknown", headers={"TTL": "1"})).status_code == 404


async def test_ps_36_the_challenge_has_only_the_scheme(endpoint):
    answer = await endpoint.push(Authorization=None)
    assert answer.headers["www-authenticate"] == "vapid"


# User agents


async def subscribe(http, **options) -> httpx.Response:
    answer = await http.post("/subscribe", **options)
    assert answer.status_code == 201, answer.text
    return answer


async def test_ps_02_03_04_subscribing_gives_the_three_resources(http):
    answer = await subscribe(http)
    assert answer.headers["location"].startswith(f"{ORIGIN}/s/")
    assert answer.links["urn:ietf:params:push"]["url"].startswith(f"{ORIGIN}/push/")
    assert answer.links["urn:ietf:params:push:set"]["url"].startswith(f"{ORIGIN}/set/")


async def test_ps_04_the_set_that_is_offered_is_returned(http):
    url = (await subscribe(http)).links["urn:ietf:params:push:set"]["url"]
    link = f'<{url}>; rel="urn:ietf:params:push:set"'
    again = await subscribe(http, headers={"Link": link})
    assert again.links["urn:ietf:params:push:set"]["url"] == url


async def test_ps_05_an_invalid_set_is_400(http):
    link = '</set/x>; rel="urn:ietf:params:push:set"'
    assert (await http.post("/subscribe", headers={"Link": link})).status_code == 400


@pytest.fixture
async def held(http):
    """A subscription of a user agent."""
    return await subscribe(http)


async def sent(http, held, **headers) -> None:
    path = httpx.URL(held.links["urn:ietf:params:push"]["url"]).path
    fields = {"TTL": "60", "Authorization": vapid(), "Content-Encoding": "aes128gcm", **headers}
    answer = await http.post(path, content=BODY, headers=fields)
    assert answer.status_code == 201, answer.text


async def polled(http, held, **headers) -> httpx.Response:
    return await http.get(held.headers["location"], headers={"Prefer": "wait=0", **headers})


async def test_ps_13_nothing_is_delivered_after_its_ttl(http, held):
    await sent(http, held, TTL="10")
    await http.post(f"{ROOT}/clock", json={"advance": 10})
    assert (await polled(http, held)).status_code == 204


async def test_ps_15_21_41_what_the_user_agent_must_not_see_is_not_forwarded(http, held):
    await sent(http, held, Topic="secret", Urgency="high")
    answer = await polled(http, held)
    assert answer.content == BODY
    assert not {"topic", "urgency", "authorization"} & set(answer.headers)
    seen = str(answer.headers)
    assert "secret" not in seen
    assert text(point(KEY)) not in seen


async def test_ps_16_nothing_below_the_urgency_of_the_request_is_delivered(http, held):
    await sent(http, held, Urgency="low")
    assert (await polled(http, held, Urgency="normal")).status_code == 204
    assert (await polled(http, held, Urgency="low")).status_code == 200


async def test_ps_22_27_a_delivered_message_names_its_push_resource_and_its_time(http, held):
    await sent(http, held)
    answer = await polled(http, held)
    assert answer.links["urn:ietf:params:push"] == held.links["urn:ietf:params:push"]
    assert answer.headers["last-modified"].endswith(" GMT")


async def test_ps_23_wait_0_brings_everything_or_204(http, held):
    assert (await polled(http, held)).status_code == 204
    for _ in range(3):
        await sent(http, held)
    answer = await polled(http, held)
    assert answer.content.count(BODY) == 3


async def test_ps_25_what_is_not_acknowledged_is_delivered_again(http, held):
    await sent(http, held)
    first, again = await polled(http, held), await polled(http, held)
    assert first.headers["content-location"] == again.headers["content-location"]


async def test_ps_30_a_user_agent_can_give_up_its_subscription(http, held):
    assert (await http.delete(held.headers["location"])).status_code == 204
    assert (await polled(http, held)).status_code == 404
    path = httpx.URL(held.links["urn:ietf:params:push"]["url"]).path
    assert (await http.post(path, headers={"TTL": "1"})).status_code == 404


async def test_ps_31_a_set_takes_its_members_with_it(http, held):
    assert (await http.delete(held.links["urn:ietf:params:push:set"]["url"])).status_code == 204
    assert (await polled(http, held)).status_code == 404


async def test_ps_32_33_urls_say_nothing_of_each_other_and_cannot_be_guessed(http, held):
    links = [link["url"] for link in held.links.values()]
    tokens = [url.rpartition("/")[2] for url in [held.headers["location"], *links]]
    assert len(set(tokens)) == 3
    assert all(len(base64.urlsafe_b64decode(each + "==")) * 8 >= 120 for each in tokens)


@pytest.mark.parametrize(
    ("kind", "body"),
    [("application/json", {"vapid": text(point(KEY))}), (OPTIONS, {"unknown": 1}), ("a/b", {})],
)
async def test_ps_38_other_media_types_and_members_are_ignored(http, kind, body):
    held = await subscribe(http, content=json.dumps(body), headers={"Content-Type": kind})
    await sent(http, held)


async def test_ps_38_39_a_restricted_subscription_wants_its_key(http):
    body = json.dumps({"vapid": text(point(OTHER_KEY)), "unknown": 1})
    held = await subscribe(http, content=body, headers={"Content-Type": OPTIONS})
    path = httpx.URL(held.links["urn:ietf:params:push"]["url"]).path
    headers = {"TTL": "1", "Authorization": vapid()}
    assert (await http.post(path, headers=headers)).status_code == 403
    headers["Authorization"] = vapid(OTHER_KEY)
    assert (await http.post(path, headers=headers)).status_code == 201
