"""The connection of a user agent: the subscription that it serves, and how its messages come in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mockpush import errors
from mockpush.protocol.model import Urgency

from .inbox import Inbox, Registration
from .monitoring import Monitor, Turn
from .subscription_resource import Delivery, SubscriptionResource
from .transports.base import Transport

_WAIT: Final = 30
"""Seconds that one monitoring request waits for a message."""


class Connection:
    """Brings the messages of one subscription into `inbox`, each once and in order.

    A thread waits for them, and `catch_up` takes what is there at once. Whoever holds `turn` is
    alone with the subscription and the inbox; callbacks are called by the thread that holds it.
    """

    def __init__(self, transport: Transport, inbox: Inbox) -> None:
        self.turn = Turn()
        self.online = True
        self.closed = False
        self.registration: Registration | None = None
        self._transport = transport
        self._inbox = inbox
        self._monitors: list[Monitor] = []
        self._left_behind: list[SubscriptionResource] = []
        self._minimum_urgency: Urgency | None = None
        self._looks = 0

    @property
    def minimum_urgency(self) -> Urgency | None:
        """What is less urgent stays at the service (RFC 8030, Section 5.3)."""
        return self._minimum_urgency

    @minimum_urgency.setter
    def minimum_urgency(self, lowest: Urgency | None) -> None:
        with self.turn:
            self._minimum_urgency = lowest
            self._stop_monitors()
            if self.online and self.registration is not None:
                self._start_monitor(self.registration)

    def serve(self, registration: Registration) -> None:
        """Serves this subscription from now on, and gives up the one before."""
        with self.turn:
            self.give_up()
            self.registration = registration
            self._start_monitor(registration)

    def give_up(self) -> Registration | None:
        """Gives up the subscription, and tells the service when it can be reached."""
        with self.turn:
            registration, self.registration = self.registration, None
            if registration is not None:
                self._stop_monitors()
                self._say_goodbye(registration.resource)
        return registration

    def go_offline(self) -> None:
        """Takes what has come so far, then goes away."""
        self.catch_up()
        with self.turn:
            if not self.online:
                return
            self.online = False
            self._stop_monitors()
            if self.registration is not None:
                self._unless_gone(self.registration, self.registration.resource.go_offline)

    def go_online(self) -> None:
        """Comes back and takes what has waited; `errors.ConnectError` once it is closed."""
        with self.turn:
            if self.closed:
                raise errors.ConnectError("the browser is closed")
            self.online = True
            while self._left_behind:
                self._say_goodbye(self._left_behind.pop())
            if self.registration is not None:
                self._unless_gone(self.registration, self.registration.resource.go_online)
        self.catch_up()

    def close(self) -> None:
        """Goes away for good. Its threads have ended when it returns, but for the calling one."""
        with self.turn:
            self.closed = True
            self._stop_monitors()
            try:
                self._quit()
            finally:
                self.online = False
        if not self.turn.mine:
            for monitor in self._monitors:
                monitor.join()

    def catch_up(self) -> None:
        """Takes everything that the service has for us now.

        Of two monitoring requests the later one gets the messages. Therefore the monitor begins
        none while we hold the turn, and "nothing there" counts once its last one has ended.
        """
        with self.turn:
            while self.online and (registration := self.registration):
                alone = not any(monitor.asking for monitor in self._monitors)
                self._looks += 1
                try:
                    deliveries = registration.resource.monitor(
                        wait=0, minimum_urgency=self._minimum_urgency
                    )
                except errors.NotFoundError:
                    self._lose(registration)
                    continue
                for delivery in deliveries:
                    self.take(registration, delivery)
                if alone and not deliveries:
                    self._start_monitor(registration)
                    return

    def take(
        self, registration: Registration, delivery: Delivery, monitor: Monitor | None = None
    ) -> None:
        """Processes a message once, whoever got it; what comes too late is delivered again."""
        with self.turn:
            current = self.online and self.registration is registration
            if not current or (monitor is not None and monitor.stopped):
                return
            if delivery.endpoint in (None, registration.resource.endpoint):
                self._inbox.take(registration, delivery)
            else:  # of the same set, and given up by us
                registration.resource.acknowledge(delivery)

    def _start_monitor(self, registration: Registration) -> None:
        self._monitors = [monitor for monitor in self._monitors if monitor.alive]
        if any(not monitor.stopped for monitor in self._monitors):
            return

        def turn(monitor: Monitor) -> None:
            self._watch(registration, monitor)

        self._monitors.append(Monitor(self._transport.fork(), turn, self._inbox.failed))

    def _stop_monitors(self) -> None:
        for monitor in self._monitors:
            monitor.stop()

    def _watch(self, registration: Registration, monitor: Monitor) -> None:
        """Waits for one message in the background: for the whole set (RFC 8030, Section 6.1).

        The end of one subscription is no end of its set: if nothing came, `catch_up` asks for it.
        """
        with self.turn:
            monitor.asking = not monitor.stopped
            looks, lowest = self._looks, self._minimum_urgency
        if not monitor.asking:
            return
        resource, own = registration.resource, monitor.transport
        try:
            deliveries = resource.monitor(
                wait=_WAIT, whole_set=True, minimum_urgency=lowest, transport=own
            )
        except errors.NotFoundError:
            monitor.asking = False
            self._lose(registration)
            return
        finally:
            monitor.asking = False
        for delivery in deliveries:
            self.take(registration, delivery, monitor)
        if not deliveries and resource.set_url is not None and self._looks == looks:
            self.catch_up()

    def _lose(self, registration: Registration) -> None:
        """The service does not know the subscription any more (RFC 8030, Section 7.3)."""
        with self.turn:
            if self.registration is registration:
                self.registration = None
                self._stop_monitors()
                self._inbox.change(registration, None)

    def _unless_gone(self, registration: Registration, action: Callable[[], None]) -> None:
        try:
            action()
        except errors.NotFoundError:
            self._lose(registration)

    def _say_goodbye(self, resource: SubscriptionResource) -> None:
        if not self.online:
            self._left_behind.append(resource)
            return
        try:
            resource.delete()
        except errors.NotFoundError:
            return  # what is gone needs no goodbye

    def _quit(self) -> None:
        if self.registration is None or not self.online:
            return
        try:
            self.registration.resource.go_offline()
        except (errors.ConnectError, errors.NotFoundError):
            return  # the service or the subscription has gone first
