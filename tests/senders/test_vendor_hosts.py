"""Libraries push to the hosts of the vendors, as they are, and reach the service in this process.

No test can resolve a name or leave the machine: `kept_in` stands below everything that is patched.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import ssl
import urllib.request
from urllib.parse import urlsplit

import aiohttp
import httpx
import pytest
import pywebpush
import requests
import respx
import urllib3
import uvloop
from webpush import WebPush, WebPushSubscription

from mockpush.profiles import PROFILES

PAYLOAD = {"order": 7, "text": "grüße 👋"}
OTHER = "https://mail.example.com/send"

SESSION = requests.Session()
CLIENT = httpx.Client()
"""Made while this module is imported, long before there is a service."""

pytestmark = pytest.mark.usefixtures("kept_in")


@pytest.fixture(scope="module", autouse=True)
def _close():
    yield
    SESSION.close()
    CLIENT.close()


@pytest.fixture(params=[name for name, profile in PROFILES.items() if profile.hosts])
def subscription(request, push_service, push_vendor_hosts):
    """One of each vendor, at the vendor's own origin."""
    return push_service.subscribe(profile=request.param)


@pytest.fixture
def message(subscription, push_vapid, tmp_path):
    """What PyPI's webpush makes of the payload: it encrypts and signs, and leaves the sending."""
    private, public = tmp_path / "private.pem", tmp_path / "public.pem"
    private.write_text(push_vapid.private_key_pem)
    public.write_text(push_vapid.formats()["public_key_pem"])
    library = WebPush(private, public, subscriber="test@example.com", ttl=3600)
    return library.get(
        message=json.dumps(PAYLOAD), subscription=WebPushSubscription(**subscription)
    )


def options(vapid, **more):
    claims = {"sub": "mailto:test@example.com"}
    return {
        "data": json.dumps(PAYLOAD),
        "vapid_private_key": vapid.private_key,
        "vapid_claims": claims,
        "ttl": 3600,
        **more,
    }


def assert_arrived(push_service, subscription, status):
    message = push_service.wait()
    [request] = push_service.requests
    assert (status, request.status) == (201, 201)
    assert message.json() == PAYLOAD
    parts = urlsplit(subscription.endpoint)
    assert message.vapid["aud"] == f"https://{parts.hostname}"
    assert request.target == subscription.endpoint.partition(parts.netloc)[2]
    assert request.headers["Host"] == parts.hostname


# pywebpush


def test_pywebpush(push_service, subscription, push_vapid):
    answer = pywebpush.webpush(dict(subscription), **options(push_vapid))
    assert_arrived(push_service, subscription, answer.status_code)


def test_pywebpush_with_a_session_made_before(push_service, subscription, push_vapid):
    answer = pywebpush.webpush(dict(subscription), **options(push_vapid, requests_session=SESSION))
    assert_arrived(push_service, subscription, answer.status_code)


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_pywebpush_async(push_service, subscription, push_vapid, loop):
    with asyncio.Runner(loop_factory=loop) as runner:
        answer = runner.run(pywebpush.webpush_async(dict(subscription), **options(push_vapid)))
    assert_arrived(push_service, subscription, answer.status)


# Whatever posts what PyPI's webpush has made


def with_urllib3(url, content, headers):
    with urllib3.PoolManager() as pool:
        return pool.request("POST", url, body=content, headers=headers).status


def with_urllib(url, content, headers):
    with urllib.request.urlopen(urllib.request.Request(url, content, headers)) as answer:
        return answer.status


def with_http_client(url, content, headers):
    parts = urlsplit(url)
    connection = http.client.HTTPSConnection(parts.netloc, context=ssl.create_default_context())
    connection.request("POST", url.partition(parts.netloc)[2], content, headers)
    status = connection.getresponse().status
    connection.close()
    return status


def with_httpx(url, content, headers):
    with httpx.Client() as client:
        return client.post(url, content=content, headers=headers).status_code


def with_httpx_made_before(url, content, headers):
    return CLIENT.post(url, content=content, headers=headers).status_code


def with_respx(using):
    def post(url, content, headers):
        with respx.mock(using=using) as router, httpx.Client() as client:
            other = router.post(OTHER).respond(202)
            assert client.post(OTHER).status_code == 202
            status = client.post(url, content=content, headers=headers).status_code
            assert other.call_count == router.calls.call_count == 1
            return status

    return post


BLOCKING = {
    "urllib3": with_urllib3,
    "urllib": with_urllib,
    "http.client": with_http_client,
    "httpx": with_httpx,
    "httpx made before": with_httpx_made_before,
    "httpx with respx": with_respx("httpcore"),
    "httpx with respx in its other way": with_respx("httpx"),
}


@pytest.mark.parametrize("post", BLOCKING.values(), ids=BLOCKING)
def test_blocking_clients(push_service, subscription, message, post):
    status = post(subscription.endpoint, message.encrypted, message.headers)
    assert_arrived(push_service, subscription, status)


async def with_httpx_async(url, content, headers):
    async with httpx.AsyncClient() as client:
        return (await client.post(url, content=content, headers=headers)).status_code


async def with_aiohttp(url, content, headers):
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=content, headers=headers) as answer,
    ):
        return answer.status


async def with_a_stream(url, content, headers):
    """asyncio alone; the loop itself resolves the name and does TLS."""
    parts = urlsplit(url)
    lines = [f"POST {url.partition(parts.netloc)[2]} HTTP/1.1", f"Host: {parts.netloc}"]
    lines += [f"{name}: {value}" for name, value in headers.items() if name != "Content-Length"]
    lines += [f"Content-Length: {len(content)}", "Connection: close", "", ""]
    context = ssl.create_default_context()
    reader, writer = await asyncio.open_connection(
        parts.hostname, 443, ssl=context, happy_eyeballs_delay=0.25
    )
    writer.write("\r\n".join(lines).encode() + content)
    status = int((await reader.readline()).split()[1])
    writer.close()
    await writer.wait_closed()
    return status


async def with_respx_async(url, content, headers):
    async with respx.mock() as router, httpx.AsyncClient() as client:
        router.post(OTHER).respond(202)
        assert (await client.post(OTHER)).status_code == 202
        return (await client.post(url, content=content, headers=headers)).status_code


ASYNC = {
    "httpx": with_httpx_async,
    "aiohttp": with_aiohttp,
    "asyncio": with_a_stream,
    "httpx with respx": with_respx_async,
}


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
@pytest.mark.parametrize("post", ASYNC.values(), ids=ASYNC)
def test_clients_in_an_event_loop(push_service, subscription, message, post, loop):
    with asyncio.Runner(loop_factory=loop) as runner:
        status = runner.run(post(subscription.endpoint, message.encrypted, message.headers))
    assert_arrived(push_service, subscription, status)


# What is judged, and what is left alone

WORDS = {
    "fcm": (403, "aud claim in the token MUST include the origin"),
    "mozilla": (401, "Invalid VAPID audience"),
    "apple": (403, "BadJwtToken"),
}


@pytest.mark.parametrize("vendor", WORDS)
def test_the_audience_of_another_is_refused_in_the_vendors_words(
    push_service, push_vendor_hosts, push_vapid, vendor
):
    subscription = push_service.subscribe(profile=vendor)
    claims = {"sub": "mailto:test@example.com", "aud": "https://push.example.com"}
    with (
        push_service.expect_refused("vapid.aud.mismatch"),
        pytest.raises(pywebpush.WebPushException) as caught,
    ):
        pywebpush.webpush(dict(subscription), **options(push_vapid, vapid_claims=claims))
    status, words = WORDS[vendor]
    assert caught.value.response.status_code == status
    assert words in caught.value.response.text


@pytest.mark.parametrize("using", ["httpcore", "httpx"])
def test_respx_still_refuses_what_has_no_route(push_vendor_hosts, using):
    with (
        respx.mock(using=using),
        httpx.Client() as client,
        pytest.raises(AssertionError, match="not mocked"),
    ):
        client.post(OTHER)


def test_other_hosts_are_reached_as_ever(push_vendor_hosts, push_server):
    for post in (requests.get, httpx.get):
        assert post(f"{push_server.https_url}/livez").json()["status"] == "live"


@pytest.mark.parametrize("host", ["googleapis.com", "notify.windows.com", "notfcm.googleapis.com"])
def test_names_that_only_look_like_a_vendors_are_resolved_as_ever(kept_in, push_vendor_hosts, host):
    with pytest.raises(kept_in, match=host):
        requests.post(f"https://{host}/fcm/send/token")
