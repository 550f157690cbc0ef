"""The operations of the control API, one method each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, Final, Protocol, Unpack
from urllib.parse import urlsplit

from mockpush import errors
from mockpush.protocol.model import SubscriptionState, base64url_encode

from .api import Api, Json
from .arrivals import Arrivals, Taken
from .clock import Clock
from .event_stream import Event, EventStream
from .faults import Fault, FaultMatch, Faults, RetryAfter
from .matching import MESSAGES
from .push_subscription import PushSubscription
from .receipts import ReceiptMonitor
from .records import Message
from .transports.base import Transport


class HasPublicKey(Protocol):
    """A VAPID key pair, as far as a subscription needs it: base64url of the uncompressed point."""

    @property
    def public_key(self) -> str: ...


class _Unset(Enum):
    UNSET = "the key of the pair given to `Control`"


UNSET: Final = _Unset.UNSET


class Operations:
    """What the control API can do, in one tenant.

    Whatever the service refuses is an `errors.ServiceError` with its words.
    """

    def __init__(
        self, transport: Transport, *, tenant: str = "default", vapid: HasPublicKey | None = None
    ) -> None:
        self.transport = transport
        self.tenant = tenant
        self._vapid = vapid
        self.endpoint_origin: str | None = None
        self._use(Api(transport, tenant))
        self._message_arrivals = Arrivals(MESSAGES, self._api, Taken())
        self._receipt_monitors: dict[str, ReceiptMonitor] = {}

    def _use(self, api: Api) -> None:
        self._api = api
        self.clock = Clock(api)
        self.faults = Faults(api)

    # Subscriptions

    def subscribe(
        self,
        *,
        application_server_key: str | bytes | _Unset | None = UNSET,
        profile: str | None = None,
        keys: Mapping[str, str] | None = None,
        id: str | None = None,  # noqa: A002 - the name of the API's member
        origin: str | None = None,
        expiration_time: int | None = None,
        online: bool | None = None,
    ) -> PushSubscription:
        """A new subscription, whose messages the service can read as it makes the keys.

        It is restricted to the VAPID key of this `Control` unless `application_server_key` names
        another, or None for no restriction. `keys` of your own: `{"p256dh", "auth"}`, with
        `"private_key"` if the service is to read the messages. `origin` of the endpoint: else it
        is `endpoint_origin` if that is set, else what the service chooses; `"vendor"` is that of
        the push service that the profile is of. `expiration_time` in milliseconds since the epoch.
        """
        members = {
            "applicationServerKey": self._key(application_server_key),
            "profile": profile,
            "keys": None if keys is None else dict(keys),
            "id": id,
            "origin": origin or self.endpoint_origin,
            "expirationTime": expiration_time,
            "online": online,
        }
        given = {name: value for name, value in members.items() if value is not None}
        return self._subscription(self._api.post("subscriptions", body=given))

    def _key(self, key: str | bytes | _Unset | None) -> str | None:
        if key is UNSET:
            return None if self._vapid is None else self._vapid.public_key
        return base64url_encode(key) if isinstance(key, bytes) else key

    def _subscription(self, raw: Json) -> PushSubscription:
        return PushSubscription(
            raw["id"],
            self,
            endpoint=raw["endpoint"],
            keys=raw["keys"],
            expiration_time=raw["expirationTime"],
        )

    @property
    def subscriptions(self) -> list[PushSubscription]:
        """Every subscription, oldest first."""
        return [self._subscription(raw) for raw in self._api.items("subscriptions")]

    def subscription(self, subscription_id: str) -> PushSubscription:
        """The subscription with this id."""
        return self._subscription(self._api.get("subscriptions", subscription_id))

    def subscription_id(self, of: str | Mapping[str, Any]) -> str:
        """The id of a subscription given as itself, as its JSON, by its endpoint or by its id."""
        if isinstance(of, PushSubscription):
            return of.id
        endpoint = of if isinstance(of, str) else of["endpoint"]
        if "://" not in endpoint:
            return str(endpoint)
        for raw in self._api.items("subscriptions"):
            if raw["endpoint"] == endpoint:
                return str(raw["id"])
        raise errors.NotFoundError(
            f"no subscription of tenant {self.tenant} has endpoint {endpoint}"
        )

    def subscription_state(self, subscription_id: str) -> SubscriptionState:
        """What has become of a subscription."""
        return SubscriptionState(self._api.get("subscriptions", subscription_id)["state"])

    def expire(self, subscription_id: str, *, status: int | None = None) -> None:
        """Lets a subscription expire; pushes then get `status`, or what its profile answers."""
        self._api.post(
            "subscriptions",
            subscription_id,
            "expire",
            body={} if status is None else {"status": status},
        )

    def set_online(self, subscription_id: str) -> None:
        """The user agent is there; returns when pending messages have been delivered."""
        self._api.post("subscriptions", subscription_id, "online")

    def set_offline(self, subscription_id: str) -> None:
        """The user agent is away."""
        self._api.post("subscriptions", subscription_id, "offline")

    def delete_subscription(self, subscription_id: str) -> None:
        """Removes a subscription."""
        self._api.delete("subscriptions", subscription_id)

    # Messages

    @property
    def messages(self) -> list[Message]:
        """Every accepted push message, oldest first."""
        return self._message_arrivals.all()

    def messages_to(self, subscription: str) -> list[Message]:
        """The accepted push messages of one subscription, oldest first."""
        return self._message_arrivals.all(subscription=subscription)

    def message(self, message_id: str) -> Message:
        """The message with this id; the newest is `"latest"`."""
        return Message(self._api.get("messages", message_id), self._api)

    def acknowledge(self, message_id: str) -> None:
        """Acknowledges a message as its user agent would."""
        self._api.post("messages", message_id, "acknowledge")

    def delete_messages(self) -> None:
        """Forgets every message."""
        self._api.delete("messages")

    def receipts(self, of: str | Message) -> ReceiptMonitor:
        """The receipts of a receipt subscription: that of a message, or of this URL.

        It is the same monitor each time. `ValueError` for a message sent without `Prefer:
        respond-async`, or to a push service that gives no receipts.
        """
        url = of if isinstance(of, str) else (of.receipt or {}).get("url")
        if url is None:
            raise ValueError(f"for {of!r} no receipt was asked, or its push service gives none")
        path = urlsplit(url).path
        if path not in self._receipt_monitors:
            self._receipt_monitors[path] = ReceiptMonitor(self.transport, url)
        return self._receipt_monitors[path]

    # Faults

    def fail_next(
        self,
        status: int | str,
        times: int = 1,
        *,
        retry_after: RetryAfter | None = None,
        **match: Unpack[FaultMatch],
    ) -> Fault:
        """The next push, or the next `times`, are answered with this status.

        Or with the vendor's answer of this name, such as `"throttled"`. `match`: which pushes.
        """
        action: Json = {"answer" if isinstance(status, str) else "status": status}
        if retry_after is not None:
            action["retry_after"] = retry_after
        return self.faults.add(times=times, action=action, **match)

    # The service

    def delete_requests(self) -> None:
        """Empties the journal of requests."""
        self._api.delete("requests")

    @property
    def events(self) -> list[Event]:
        """What has happened so far, oldest first."""
        items = self._api.items("events")
        return [Event(item["id"], item["kind"], item) for item in items]

    def follow_events(self, *, since: str | None = None) -> EventStream:
        """The events from now on, or from behind the event whose id is `since`."""
        headers = {"Accept": "text/event-stream"}
        if since is not None:
            headers["Last-Event-ID"] = since
        return EventStream(self._api.stream("events", headers=headers), last_id=since)

    def server_requests(self, *, since: str | None = None) -> list[Json]:
        """What reached the server and belongs to no tenant, oldest first.

        Requests to unknown push resources, TLS spoken to the plain port, failed handshakes.
        """
        return list(self._api.items("server/requests", since=since))

    @property
    def tenants(self) -> list[str]:
        """The names of the tenants that exist."""
        return [raw["name"] for raw in self._api.items("tenants")]

    def delete_tenant(self, name: str | None = None) -> None:
        """Deletes a tenant and everything in it; without a name this one."""
        self._api.delete("tenants", self.tenant if name is None else name)

    def reset(self, *, keep: Iterable[str] = ()) -> None:
        """Empties the tenant and puts its clock back, but for what `keep` names."""
        kept = list(keep)
        self._api.post("reset", body={"keep": kept} if kept else {})

    def about(self) -> Json:
        """What the service is: its version, its origins, the hosts that it answers to."""
        about: Json = self._api.get()
        return about

    def check_profiles(self, names: Iterable[str]) -> None:
        """`errors.InvalidRequestError` names the profiles that there are if one is not."""
        known = self.about()["profiles"]
        for name in names:
            if name not in known:
                raise errors.InvalidRequestError(
                    f"there is no profile {name!r}; there is: {', '.join(known)}"
                )

    @property
    def requirement(self) -> list[str]:
        """The push services that must take the pushes of this tenant."""
        return list(self._api.get("requirement")["profiles"])

    def require(self, *profiles: str) -> None:
        """From now on these push services must take the pushes of this tenant, and no others."""
        self._api.post("requirement", body={"profiles": list(profiles)})

    def portability(self) -> Json:
        """What those that must take every push would have refused, in all tenants.

        `{requests, refused, mistakes: [{finding, answers: {profile: {status, reason}}, count}]}`.
        """
        found: Json = self._api.get("server", "portability")
        return found

    def ca_pem(self) -> str:
        """The certificate of the service's own authority."""
        return self._api.text("ca.pem")

    def healthy(self) -> bool:
        """Whether the service runs."""
        return self._answers("livez")

    def ready(self) -> bool:
        """Whether the service takes pushes."""
        return self._answers("readyz")

    def _answers(self, path: str) -> bool:
        try:
            self._api.text(path)
        except (errors.ConnectError, errors.ServiceError):
            return False
        return True
