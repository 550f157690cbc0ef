"""The Chromiums that have come: who they are, and their subscriptions."""

from __future__ import annotations

from hmac import compare_digest
from itertools import islice
from typing import Final

from mockpush.gateways.gcm_device import Device
from mockpush.protocol.gcm import Identity, Registration
from mockpush.protocol.keys import parse_application_server_key
from mockpush.protocol.model import Subscription, SubscriptionState
from mockpush.protocol.user_agents import Refusal
from mockpush.service import PushService

PROFILE: Final = "fcm"
MAX_DEVICES: Final = 10_000
"""Identities that are kept; with more, the oldest of a browser that is not there gives way."""


class Devices:
    """All browsers by android_id.

    An identity that the service does not know is taken as it is: a browser keeps its own for years,
    and shows it to a service that has forgotten it, or has just been started. To refuse it would
    leave the browser without push for days: Chromium tries the same identity again and again, and
    asks for another one only at its next checkin. A wrong security_token is refused.
    """

    def __init__(self, service: PushService) -> None:
        self._service = service
        self._devices: dict[str, Device] = {}

    def new(self, name: str | None = None) -> Device:
        """A browser that has no identity yet."""
        return self._add(Identity.new(), name)

    def find(self, identity: Identity, name: str | None = None) -> Device | None:
        """The browser with this identity; None if the security_token is not its own."""
        found = self._devices.pop(identity.android_id, None)
        if found is None:
            return self._add(identity, name)
        self._devices[identity.android_id] = found
        if not compare_digest(found.identity.security_token, identity.security_token):
            return None
        if name is not None and not found.present:
            found.name = name
        return found

    def _add(self, identity: Identity, name: str | None) -> Device:
        if len(self._devices) >= MAX_DEVICES:
            absent = (each for each in self._devices.values() if not each.present)
            for each in list(islice(absent, 1)):
                del self._devices[each.id]
        device = self._devices[identity.android_id] = Device(self._service, identity, name)
        return device

    async def subscribe(
        self, device: Device, registration: Registration, *, reached: str
    ) -> Subscription | Refusal:
        """The subscription that is registered so already, or a new one, unless none is wanted.

        `reached` is the origin by which the browser has reached the service, as it says itself.

        `KeyFormatError` if the sender is no application server key, `LimitError` at a limit.
        """
        key = parse_application_server_key(registration.sender)
        for each in await self._service.user_agents.held_by(device.id):
            if each.holder is not None and each.holder.channel == registration.channel:
                return each
        await device.arrive()
        refusal = await self._service.user_agents.refusal(device.id)
        if refusal is not None:
            return refusal
        return await self._service.user_agents.subscribe(
            device.id,
            registration.channel,
            profile=PROFILE,
            application_server_key=key,
            reached=reached,
            also_at=self._shown_origins,
        )

    @property
    def _shown_origins(self) -> tuple[str, ...]:
        """Those that the page may see: the vendor's are built into Chromium, a test puts ours."""
        hosts = self._service.profiles[PROFILE].hosts
        return (*self._service.origins, *(f"https://{host}" for host in hosts))

    async def unsubscribe(self, device: Device, registration: Registration) -> None:
        """Ends what is registered for this subtype, by whatever sender."""
        for each in await self._service.user_agents.held_by(device.id):
            if each.holder and Registration.of(each.holder.channel).subtype == registration.subtype:
                state = SubscriptionState.REMOVED
                await self._service.end_subscription(each, state=state)
