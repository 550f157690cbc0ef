from __future__ import annotations

import json

import pytest

from mockpush import errors
from mockpush.client.api import Api
from mockpush.client.transports.base import REQUEST_TIMEOUT, Response, Transport

PROBLEM = [("content-type", "application/problem+json")]


@pytest.fixture
def api(in_process):
    return Api(in_process, "a tenant")


def answering(application, path: str, status: int, body: object, headers=()):
    @application.route(f"/_mockpush/v1/{path}")
    async def answer(call):
        return status, headers, body if isinstance(body, bytes) else json.dumps(body).encode()


def test_requests_carry_tenant_query_and_json(application, api):
    answering(application, "subscriptions/a/b", 200, {"done": True})
    assert api.get("subscriptions", "a/b", topic="x y", limit=3, since=None, timeout=1.5) == {
        "done": True
    }
    assert api.post("subscriptions", "a/b", body={"status": 404}) == {"done": True}
    got, posted = application.calls
    assert got.scope["raw_path"] == b"/_mockpush/v1/subscriptions/a%2Fb"
    assert got.headers["mockpush-tenant"] == "a tenant"
    assert got.query == {"topic": "x y", "limit": "3", "timeout": "1.500"}
    assert (posted.method, posted.body) == ("POST", b'{"status": 404}')
    assert posted.headers["content-type"] == "application/json"


def test_an_empty_answer_is_none(application, api):
    answering(application, "reset", 204, b"")
    assert api.post("reset") is None
    assert "content-type" not in application.calls[0].headers


def test_a_list_is_read_page_by_page(application, api, listing):
    pages = application.handlers["/_mockpush/v1/messages"] = listing(
        [{"id": str(number), "topic": "t"} for number in range(2500)], filters=["topic"]
    )
    assert [item["id"] for item in api.items("messages", topic="t", since="1")] == [
        str(number) for number in range(1, 2500)
    ]
    assert [query["since"] for query in pages.queries] == ["1", "1001", "2001"]
    assert {query["limit"] for query in pages.queries} == {"1000"}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (404, errors.NotFoundError),
        (400, errors.InvalidRequestError),
        (422, errors.InvalidRequestError),
        (409, errors.ServiceError),
        (500, errors.ServiceError),
    ],
)
def test_a_problem_document_becomes_an_error_in_its_own_words(application, api, status, kind):
    document = {"type": "about:blank", "title": "T", "status": status, "detail": "why", "id": "m1"}
    answering(application, "x", status, document, PROBLEM)
    with pytest.raises(errors.ServiceError, match=r"^why$") as caught:
        api.get("x")
    assert type(caught.value) is kind
    assert caught.value.status == status
    assert caught.value.problem["id"] == "m1"


@pytest.mark.parametrize("status", [429, 503])
def test_a_limit_names_its_setting(application, api, status):
    document = {"title": "too many subscriptions", "setting": "max_subscriptions"}
    answering(application, "x", status, document, PROBLEM)
    with pytest.raises(errors.LimitError, match="too many subscriptions") as caught:
        api.delete("x")
    assert (caught.value.setting, caught.value.status) == ("max_subscriptions", status)


def test_members_of_a_problem_never_clash_with_the_error_s_own(application, api):
    answering(application, "x", 404, {"detail": "d", "message": "m", "self": 1, "status": 404})
    with pytest.raises(errors.NotFoundError, match=r"^d$"):
        api.get("x")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"<html>Bad Gateway</html>", "answer 502: <html>Bad Gateway</html>"),
        (b"", "answer 502: no explanation"),
        (b"[]", r"answer 502: \[\]"),
        (b"{}", "answer 502"),
    ],
)
def test_an_error_that_is_no_problem_document(application, api, body, text):
    answering(application, "x", 502, body)
    with pytest.raises(errors.ServiceError, match=f"^{text}$") as caught:
        api.get("x")
    assert caught.value.status == 502


def test_text_is_not_taken_for_json(application, api):
    answering(application, "ca.pem", 200, b"-----BEGIN")
    assert api.text("ca.pem") == "-----BEGIN"


def test_a_stream_that_is_refused(application, api):
    answering(application, "events", 400, {"detail": "no such event"})
    with pytest.raises(errors.InvalidRequestError, match="no such event"):
        api.stream("events", headers={"Last-Event-ID": "77"})
    assert application.calls[0].headers["last-event-id"] == "77"
    assert application.calls[0].headers["mockpush-tenant"] == "a tenant"


class Recording(Transport):
    """Keeps the time-outs that it is given."""

    url = "http://localhost"

    def __init__(self) -> None:
        self.timeouts = []

    def request(self, method, target, *, headers=(), body=b"", timeout=None):
        self.timeouts.append(timeout)
        return Response(204, {}, b"")

    def stream(self, *arguments, **options): ...

    def fork(self): ...

    def close(self) -> None: ...


def test_the_service_gets_the_time_that_it_was_asked_to_wait():
    transport = Recording()
    api = Api(transport, "default")
    api.get("messages")
    api.get("messages", patience=600.0)
    assert transport.timeouts == [REQUEST_TIMEOUT, 600.0 + REQUEST_TIMEOUT]
