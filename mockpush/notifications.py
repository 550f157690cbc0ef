"""Notifications that user agents show: which message made them, and how users click on them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, Protocol, TypeVar

from mockpush.errors import InvalidRequestError, NotFoundError, ServiceError
from mockpush.protocol.delivery import Report, Step
from mockpush.protocol.model import Subscription
from mockpush.protocol.notifications import (
    MAX_ACTIONS,
    MAX_CLICKS,
    MAX_TEXT,
    Action,
    Appearance,
    Notification,
    NotificationState,
)
from mockpush.protocol.records import PushMessage
from mockpush.real_clock import real_time
from mockpush.storage.base import Storage
from mockpush.witnesses import PATIENCE, Witnesses

_DONE: Final = {Report.COMPLETED, Report.REJECTED}
_ID_OCTETS: Final = 9
_Text = TypeVar("_Text", str, str | None)


class Service(Protocol):
    """What is needed of the push service."""

    storage: Storage

    async def now(self, tenant: str) -> float:
        """The time on the tenant's clock."""


class Screen(Protocol):
    """Where a notification is seen."""

    def click(self, button: int | None) -> None:
        """The user clicks on the button of this number, or on the notification itself."""

    def dismiss(self) -> None:
        """The user closes the notification."""


class Notifications:
    """All notifications of a service. They belong to no tenant, and their times are real ones."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._screens: dict[str, Screen] = {}
        self._witnesses: dict[str, Witnesses] = {}
        self._hidden: dict[str, Notification] = {}
        self._reveals: set[asyncio.Task[None]] = set()

    async def exists(self, notification_id: str) -> bool:
        """Whether nobody has forgotten it."""
        return await self._look_up(notification_id) is not None

    async def find(self, notification_id: str) -> Notification:
        """The notification of this id; `NotFoundError`."""
        found = await self._look_up(notification_id)
        if found is None:
            raise NotFoundError(f"there is no notification {notification_id!r}")
        return found

    def stop(self) -> None:
        """What is still hidden stays so."""
        for each in self._reveals:
            each.cancel()

    # What user agents tell

    def expect(self, user_agent: str, *, told: bool) -> None:
        """Whether its driver will tell of each notification that its desktop shows, too."""
        self._witnesses.pop(user_agent, None)
        if told:
            self._witnesses[user_agent] = Witnesses()

    async def show(
        self, user_agent: str, appearance: Appearance, screen: Screen | None = None
    ) -> Notification:
        """A notification appears; on a `screen` it can be clicked by way of the service.

        If its driver tells of it, too, it is known when both have: then which message has made it
        is not guessed. `NotFoundError` for a subscription or a message that there is not.
        """
        witnesses = self._witnesses.get(user_agent)
        if appearance.message is not None:
            await self._known(appearance.message)
        if witnesses is None:
            message = await self._message(user_agent, appearance)
            return await self._appear(_new(user_agent, appearance, message), screen)
        if screen is not None:
            return await self._see(witnesses, _new(user_agent, appearance), appearance, screen)
        return await self._tell(witnesses, user_agent, appearance)

    async def clicked(self, notification_id: str, action: str | None = None) -> Notification:
        """The user has clicked on it, or on the button with this name or title."""
        found = await self.find(notification_id)
        button = None if action is None else found.actions[_number(found, action)].title
        found = await self._keep(replace(found, clicks=(*found.clicks, button)[-MAX_CLICKS:]))
        await self._report(found, Report.NOTIFICATION_CLICKED, button)
        return found

    async def closed(
        self, notification_id: str, state: NotificationState = NotificationState.CLOSED
    ) -> Notification:
        """It is not there any more."""
        found = await self.find(notification_id)
        self._screens.pop(notification_id, None)
        if found.state is not NotificationState.SHOWN:
            return found
        found = await self._keep(replace(found, state=state))
        await self._report(found, Report.NOTIFICATION_CLOSED, None)
        return found

    # What people ask for

    async def click(self, notification_id: str, action: str | None = None) -> Notification:
        """Clicks on it, as a user does, or on the button with this name or title."""
        found = await self.find(notification_id)
        screen = self._screen(found)
        screen.click(None if action is None else _number(found, action))
        return await self.clicked(notification_id, action)

    async def close(self, notification_id: str) -> Notification:
        """Closes it, as a user does."""
        self._screen(await self.find(notification_id)).dismiss()
        return await self.closed(notification_id)

    async def forget(self, match: Callable[[Notification], bool]) -> None:
        """Forgets those that match; they stay where they are seen."""
        for each in (*self._hidden.values(), *await self._service.storage.notifications()):
            if match(each):
                self._screens.pop(each.id, None)
                self._hidden.pop(each.id, None)
                if each.user_agent in self._witnesses:
                    self._witnesses[each.user_agent].forget(each.id)
        await self._service.storage.forget_notifications(match)

    async def forget_shown_by(self, user_agent: str) -> None:
        """Forgets those of a user agent."""
        await self.forget(lambda each: each.user_agent == user_agent)

    async def forget_those_of(self, messages: Sequence[PushMessage]) -> None:
        """Forgets those that messages have made which are not there any more."""
        storage = self._service.storage
        ids = {each.id for each in messages}
        made_by = {each.message for each in await storage.notifications() if each.message in ids}
        gone = {each for each in made_by if await storage.message(each or "") is None}
        await self.forget(lambda each: each.message in gone)

    # One that is seen and told of

    async def _see(
        self, witnesses: Witnesses, new: Notification, appearance: Appearance, screen: Screen
    ) -> Notification:
        """It stays hidden until the driver tells of it, as it does not of all."""
        self._screens[new.id] = screen
        self._hidden[new.id] = new
        word = witnesses.word_for(appearance)
        if word is None:
            witnesses.await_word(new.id, appearance)
            reveal = asyncio.create_task(self._reveal(new.id))
            self._reveals.add(reveal)
            reveal.add_done_callback(self._reveals.discard)
            return new
        known = await self._complete(new, word.appearance)
        word.keep(known)
        return known

    async def _tell(self, witnesses: Witnesses, user_agent: str, word: Appearance) -> Notification:
        seen = witnesses.seen(word)
        if seen is not None:
            return await self._complete(await self.find(seen), word)
        known = await witnesses.await_sight(word)
        return known or await self._appear(_new(user_agent, word, word.message))

    async def _complete(self, seen: Notification, word: Appearance) -> Notification:
        """What is seen is that of which the driver has told."""
        origin, tag = _cut(seen.origin or word.origin), _cut(word.tag)
        return await self._appear(replace(seen, origin=origin, tag=tag, message=word.message))

    async def _reveal(self, notification_id: str) -> None:
        """If no word comes no worker has shown it, but a page."""
        await asyncio.sleep(PATIENCE)
        if notification_id in self._hidden:
            await self._appear(self._hidden[notification_id])

    # Below the surface

    async def _appear(
        self, notification: Notification, screen: Screen | None = None
    ) -> Notification:
        """From now on it is known. Another one of its site with the same tag is gone."""
        self._hidden.pop(notification.id, None)
        if screen is not None:
            self._screens[notification.id] = screen
        if notification.tag:
            await self._replace_by(notification)
        kept = await self._keep(notification)
        await self._forget_screens()
        await self._report(kept, Report.NOTIFICATION_SHOWN, kept.title)
        if kept.state is not NotificationState.SHOWN:
            await self._report(kept, Report.NOTIFICATION_CLOSED, None)
        return kept

    async def _replace_by(self, new: Notification) -> None:
        site = (new.user_agent, new.origin, new.tag)
        for each in await self._service.storage.notifications():
            if (each.user_agent, each.origin, each.tag) == site and each.id != new.id:
                await self.closed(each.id, NotificationState.REPLACED)

    async def _forget_screens(self) -> None:
        """Those of notifications that have given way to newer ones."""
        for each in list(self._screens):
            if not await self.exists(each):
                del self._screens[each]

    async def _look_up(self, notification_id: str) -> Notification | None:
        hidden = self._hidden.get(notification_id)
        return hidden or await self._service.storage.notification(notification_id)

    def _screen(self, notification: Notification) -> Screen:
        if notification.state is not NotificationState.SHOWN:
            raise ServiceError(f"the notification is {notification.state} already", status=409)
        screen = self._screens.get(notification.id)
        if screen is None:
            raise ServiceError(
                f"{notification.user_agent} shows its notifications where only its driver can "
                "click on them",
                status=409,
            )
        return screen

    async def _keep(self, notification: Notification) -> Notification:
        if notification.id in self._hidden:
            self._hidden[notification.id] = notification
            return notification
        return await self._service.storage.keep_notification(notification)

    async def _report(self, notification: Notification, what: Report, detail: str | None) -> None:
        message = await self._service.storage.message(notification.message or "")
        if message is not None:
            now = await self._service.now(message.tenant)
            await self._service.storage.report(message.id, what, now=now, detail=detail)

    async def _message(self, user_agent: str, appearance: Appearance) -> str | None:
        """The message that made it: the oldest on its way that has shown none and is not done."""
        if appearance.message is not None:
            return appearance.message
        fresh: list[PushMessage] = []
        for each in await self._sent(user_agent, appearance):
            events = {step.step for step in each.timeline}
            if Report.NOTIFICATION_SHOWN in events:
                fresh.clear()
            elif Step.DELIVER in events:
                fresh.append(each)
        undone = (each for each in fresh if not _DONE & {step.step for step in each.timeline})
        found = next(undone, None)
        return None if found is None else found.id

    async def _known(self, message: str) -> None:
        if await self._service.storage.message(message) is None:
            raise NotFoundError(f"there is no message {message!r}")

    async def _sent(self, user_agent: str, appearance: Appearance) -> Sequence[PushMessage]:
        """The messages for the subscriptions that may have made it, oldest first."""
        storage = self._service.storage
        found = await storage.user_agent(user_agent)
        device = None if found is None else found.device
        all_held = await storage.held_by(device or "")
        held = [each for each in all_held if _may_be(each, appearance)]
        if appearance.subscription is not None and not held:
            raise NotFoundError(f"{user_agent} holds no subscription {appearance.subscription!r}")
        ids = {each.id for each in held}
        return [
            message
            for tenant in dict.fromkeys(each.tenant for each in held)
            for message in await storage.messages(tenant)
            if message.subscription in ids
        ]


def _new(user_agent: str, appearance: Appearance, message: str | None = None) -> Notification:
    return Notification(
        secrets.token_urlsafe(_ID_OCTETS),
        user_agent,
        real_time(),
        _cut(appearance.title),
        _cut(appearance.body),
        _cut(appearance.origin),
        _cut(appearance.tag),
        tuple(Action(_cut(each.title), _cut(each.action)) for each in appearance.actions)[
            :MAX_ACTIONS
        ],
        message,
    )


def _may_be(subscription: Subscription, appearance: Appearance) -> bool:
    """Whether the notification may come from the worker that has this subscription."""
    if appearance.subscription is not None:
        return subscription.id == appearance.subscription
    from mockpush.protocol.gcm import site_of  # which nobody needs before there is a notification

    holder = subscription.holder
    site = None if holder is None else site_of(holder.channel)
    return None in (site, appearance.origin) or site == appearance.origin


def _cut(text: _Text) -> _Text:
    """As much of a text as is kept, if there is one."""
    return text if text is None else text[:MAX_TEXT]


def _number(notification: Notification, action: str) -> int:
    """Of the button with this name or title; `InvalidRequestError` if there is none."""
    for number, each in enumerate(notification.actions):
        if action in each:
            return number
    titles = ", ".join(each.title for each in notification.actions) or "none"
    raise InvalidRequestError(f"the notification has no button {action!r}; there is: {titles}")
