"""The user agent's half of RFC 8030: subscribing, monitoring, acknowledging."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin, urlsplit

from mockpush import errors
from mockpush.protocol.links import PUSH, PUSH_SET, link
from mockpush.protocol.model import Urgency, base64url_encode

from .api import TENANT_HEADER, problem
from .headers import Headers, linked
from .several import responses
from .transports.base import REQUEST_TIMEOUT, Fields, Response, Transport

_SUBSCRIBE: Final = "/subscribe"
_OPTIONS_TYPE: Final = "application/webpush-options+json"
_REDIRECTS: Final = (307, 308)
_MAX_REDIRECTS: Final = 5
_GONE: Final = (404, 410)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A push message as it came: `url` is its message resource, `body` still encrypted."""

    url: str
    headers: Headers
    body: bytes

    @property
    def endpoint(self) -> str | None:
        """The push resource that it was sent to."""
        return linked(self.headers, PUSH)


@dataclass(frozen=True, slots=True)
class SubscriptionResource:
    """One subscription at the push service (RFC 8030, Section 4).

    `path` is its own, `endpoint` the URL of its push resource, `set_url` that of its subscription
    set. Whatever meets a subscription that is gone raises `errors.NotFoundError`.
    """

    transport: Transport
    path: str
    endpoint: str
    set_url: str | None = None

    @property
    def id(self) -> str:
        """The service's name for it."""
        return self.path.rpartition("/")[2]

    def monitor(
        self,
        *,
        wait: int,
        whole_set: bool = False,
        minimum_urgency: Urgency | None = None,
        transport: Transport | None = None,
    ) -> list[Delivery]:
        """The oldest message that is not acknowledged, at the latest after `wait` seconds.

        Nothing when there is none; with `wait=0` all that there are (Section 6). `whole_set`: of
        all subscriptions in the set, if there is one (Section 6.1). Another monitoring request for
        the same ends. `transport`: one of its own for a request that is to be cancelled.
        """
        headers = [("Prefer", f"wait={wait}")]
        if minimum_urgency is not None:
            headers.append(("Urgency", minimum_urgency))
        path = _path(self.set_url) if whole_set and self.set_url else self.path
        response = self._request(
            "GET",
            headers=headers,
            transport=transport or self.transport,
            timeout=wait + REQUEST_TIMEOUT,
            path=path,
        )
        return [
            Delivery(
                _path(urljoin(path, each.headers["Content-Location"])), each.headers, each.body
            )
            for each in responses(response)
        ]

    def acknowledge(self, delivery: Delivery) -> None:
        """Deletes the message resource (Section 6.2); that it is gone already is fine."""
        response = self.transport.request("DELETE", delivery.url)
        if response.status >= 400 and response.status not in _GONE:
            raise problem(response)

    def go_offline(self) -> None:
        """Ends monitoring and gives back what was not acknowledged (an extension of mockpush)."""
        self._request("POST", "/offline", transport=self.transport)

    def go_online(self) -> None:
        """The user agent is there again (an extension of mockpush)."""
        self._request("POST", "/online", transport=self.transport)

    def delete(self) -> None:
        """Unsubscribes (Section 7.3)."""
        self._request("DELETE", transport=self.transport)

    def _request(
        self,
        method: str,
        action: str = "",
        *,
        transport: Transport,
        headers: Fields = (),
        timeout: float | None = None,
        path: str | None = None,
    ) -> Response:
        target = path or self.path + action
        response = transport.request(method, target, headers=headers, timeout=timeout)
        if response.status in _GONE:
            raise errors.NotFoundError(
                f"the subscription {self.id} is gone", status=response.status
            )
        if response.status >= 400:
            raise problem(response)
        return response


def subscribe(
    transport: Transport,
    *,
    tenant: str,
    application_server_key: bytes | None,
    set_url: str | None = None,
) -> SubscriptionResource:
    """A new subscription (RFC 8030, Section 4), restricted to a key (RFC 8292, Section 4.1).

    `application_server_key` is the uncompressed point, `set_url` the set that it is to join
    (Section 4.1); if that is gone, it gets a new one. A refusal is an `errors.ServiceError`.
    """
    headers = [(TENANT_HEADER, tenant)]
    body = b""
    if application_server_key is not None:
        headers.append(("Content-Type", _OPTIONS_TYPE))
        body = json.dumps({"vapid": base64url_encode(application_server_key)}).encode()
    offer = [] if set_url is None else [("Link", link(set_url, PUSH_SET))]
    target, response = _post(transport, [*headers, *offer], body)
    if offer and response.status == 400:
        target, response = _post(transport, headers, body)
    if response.status != 201:
        raise problem(response)
    endpoint = linked(response.headers, PUSH)
    location = response.headers.get("location")
    if endpoint is None or location is None:
        raise errors.ServiceError(f"the answer to POST {target} lacks its Link or its Location")
    set_url = linked(response.headers, PUSH_SET)
    return SubscriptionResource(transport, _path(urljoin(target, location)), endpoint, set_url)


def _post(transport: Transport, headers: Fields, body: bytes) -> tuple[str, Response]:
    """Posts to the push service, wherever it redirects to (RFC 8030, Section 7.1)."""
    target = _SUBSCRIBE
    for _ in range(_MAX_REDIRECTS + 1):
        response = transport.request("POST", target, headers=headers, body=body)
        if response.status not in _REDIRECTS:
            return target, response
        url = urljoin(transport.url + target, response.headers.get("location", ""))
        if not url.startswith(transport.url + "/"):
            raise errors.ServiceError(
                f"{transport.url} redirects to {url}: use a transport to that service"
            )
        target = _path(url)
    raise errors.ServiceError(f"{transport.url} redirects more than {_MAX_REDIRECTS} times")


def _path(url: str) -> str:
    """The target of a request. Resources of the service are reached the way the service is."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
