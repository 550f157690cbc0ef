"""Control: the service in the hands of a test, with waits that say what came instead."""

from __future__ import annotations

import copy
import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Concatenate, ParamSpec, TypeVar, Unpack

from mockpush import errors
from mockpush.protocol.portability import VENDORS, Tally

from . import explaining
from .api import Api, Json
from .arrivals import Arrivals, Shortfall, Taken
from .deadlines import blocking_wait, in_event_loop, in_thread
from .matching import REQUESTS, MessageMatch, R, RequestMatch
from .operations import HasPublicKey, Operations
from .portability import report
from .real_user_agent import RealUserAgent
from .records import Message, Request
from .refusals import ExpectedRefusal
from .transports.base import Transport

P = ParamSpec("P")
T = TypeVar("T")


class Control(Operations):
    """The control API of one tenant, blocking; the pytest fixture `push_service` is one.

    Each wait returns what no wait has returned yet, oldest first, and fails with an
    `errors.WaitError` that tells what came instead. Inside a running event loop a wait that would
    have to block is an `errors.BlockingWaitError`: there the `…_async` twins are to be awaited.
    """

    def __init__(
        self, transport: Transport, *, tenant: str = "default", vapid: HasPublicKey | None = None
    ) -> None:
        super().__init__(transport, tenant=tenant, vapid=vapid)
        self._request_arrivals = Arrivals(REQUESTS, self._api, Taken())
        self._noticed: set[str] = set()
        self._strays_since: str | None = None
        self._user_agents: dict[str, RealUserAgent] = {}

    def for_tenant(self, name: str) -> Control:
        """The same service in another tenant."""
        other = Control(self.transport, tenant=name, vapid=self._vapid)
        other.endpoint_origin = self.endpoint_origin
        return other

    def begin(self, *, after: str | None = None) -> str | None:
        """From here on failures quote the server's own journal, not from its beginning.

        The cursor of that place; from an earlier one, `after`, it is found sooner.
        """
        self._strays_since = after or self._strays_since
        for page in self._api.pages("server/requests", since=self._strays_since):
            self._strays_since = page["next"]
        return self._strays_since

    def strays(self) -> list[Json]:
        """What has come into the server's own journal since `begin`."""
        return self.server_requests(since=self._strays_since)

    # Real browsers

    @property
    def user_agents(self) -> list[RealUserAgent]:
        """Those whose next subscriptions belong to this tenant, oldest first."""
        listed = self._api.items("user-agents")
        ids = (raw["id"] for raw in listed if raw["tenant"] == self.tenant)
        return [self._user_agents.get(each) or RealUserAgent(self, each) for each in ids]

    def user_agent(self, user_agent_id: str | None = None) -> RealUserAgent:
        """A browser that you start yourself: from now on its subscriptions belong to this tenant.

        Without an id it is a new one, with an id that nobody else has. The fixture `push_service`
        forgets it at the end of its test; elsewhere use it in a `with`.
        """
        chosen = user_agent_id or f"browser-{secrets.token_hex(4)}"
        found = self._user_agents.setdefault(chosen, RealUserAgent(self, chosen))
        found.assign()
        return found

    def forget_user_agents(self) -> None:
        """Forgets all that `user_agent` has given."""
        while self._user_agents:
            _, user_agent = self._user_agents.popitem()
            user_agent.forget()

    # The journal

    @property
    def requests(self) -> list[Request]:
        """Every request to a push resource, refused or not, oldest first."""
        return self._notice(self._request_arrivals.all())

    @property
    def refused(self) -> list[Request]:
        """The requests that were refused, oldest first."""
        return self._notice(self._all_refused())

    def read_on(self, cursor: str | None) -> tuple[list[Request], str | None]:
        """The requests behind a cursor, and the cursor behind them; none of them counts as read."""
        return self._request_arrivals.after(cursor)

    def unnoticed_refusals(self, among: Iterable[Request] | None = None) -> list[Request]:
        """Refusals for a finding about the sender that nobody has read or expected."""
        requests = self._request_arrivals.all() if among is None else among
        return [
            request
            for request in requests
            if request.senders_fault and request.id not in self._noticed
        ]

    def expect_refused(self, code_glob: str, *, timeout: float = 2.0) -> ExpectedRefusal:
        """A context in which a push is refused with a code that matches, else `errors.WaitError`.

        It gives a list that holds the refused requests once the context has ended. With
        `async with` it does not block.
        """
        return ExpectedRefusal(
            self._request_arrivals.end,
            lambda since: self._refused_since(since, code_glob, timeout),
            lambda since: self._in_thread(Control._refused_since, since, code_glob, timeout),
        )

    def assert_portable(self, *vendors: str) -> None:
        """Fails with `errors.PortabilityError` if one of these would have refused a push so far.

        `fcm`, `mozilla`, `apple` and `wns` unless you name others. Refused pushes count, too; what
        became of their subscriptions does not.
        """
        names = vendors or VENDORS
        self.check_profiles(names)
        tally = Tally()
        for request in self._request_arrivals.all():
            tally.add(request.objections, names)
        if tally.refused:
            raise errors.PortabilityError(report(tally.as_json()))

    # Waits

    def wait(self, timeout: float = 2.0, **match: Unpack[MessageMatch]) -> Message:
        """The oldest message that matches and that no wait has returned yet."""
        return self._messages("await wait_async(…)", 1, timeout, match)[0]

    def wait_all(
        self, count: int, timeout: float = 2.0, **match: Unpack[MessageMatch]
    ) -> list[Message]:
        """The oldest `count` messages that match and that no wait has returned yet."""
        return self._messages("await wait_all_async(…)", count, timeout, match)

    def wait_requests(
        self, count: int, timeout: float = 2.0, **match: Unpack[RequestMatch]
    ) -> list[Request]:
        """The oldest `count` requests, refused or not, that no wait has returned yet."""
        wanted = self._resolved(match)
        found = self._take(
            self._request_arrivals, "await wait_requests_async(…)", count, timeout, wanted
        )
        return self._notice(found)

    def assert_none(self, within: float = 0.0, **match: Unpack[MessageMatch]) -> None:
        """Fails if a message comes, or has come, that no wait has returned yet.

        A push is here by the time its sender has the answer, so that there is nothing to wait for
        unless the sender works in the background.
        """
        wanted = self._resolved(match)
        patience = 0.0 if in_event_loop() else within
        outcome = self._message_arrivals.take(1, wanted, patience)
        if not isinstance(outcome, Shortfall):
            raise errors.WaitError(
                f"expected no push message within {within:g} s, got {outcome[0]!r}"
            )
        if patience < within:
            raise blocking_wait("await assert_none_async(…)")

    async def wait_async(self, timeout: float = 2.0, **match: Unpack[MessageMatch]) -> Message:
        """`wait`, to be awaited."""
        return await self._in_thread(Control.wait, timeout, **match)

    async def wait_all_async(
        self, count: int, timeout: float = 2.0, **match: Unpack[MessageMatch]
    ) -> list[Message]:
        """`wait_all`, to be awaited."""
        return await self._in_thread(Control.wait_all, count, timeout, **match)

    async def wait_requests_async(
        self, count: int, timeout: float = 2.0, **match: Unpack[RequestMatch]
    ) -> list[Request]:
        """`wait_requests`, to be awaited."""
        return await self._in_thread(Control.wait_requests, count, timeout, **match)

    async def assert_none_async(self, within: float = 0.0, **match: Unpack[MessageMatch]) -> None:
        """`assert_none`, to be awaited."""
        await self._in_thread(Control.assert_none, within, **match)

    # Below the surface

    async def _in_thread(
        self, wait: Callable[Concatenate[Control, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        return await in_thread(
            self.transport, lambda transport: wait(self._through(transport), *args, **kwargs)
        )

    def _through(self, transport: Transport) -> Control:
        """This very control, with what it has taken and noticed, over another transport."""
        twin = copy.copy(self)
        twin._use(Api(transport, self.tenant))
        twin._message_arrivals = self._message_arrivals.through(twin._api)
        twin._request_arrivals = self._request_arrivals.through(twin._api)
        return twin

    def _messages(
        self, twin: str, count: int, timeout: float, match: Mapping[str, Any]
    ) -> list[Message]:
        return self._take(self._message_arrivals, twin, count, timeout, self._resolved(match))

    def _take(
        self,
        arrivals: Arrivals[R],
        twin: str,
        count: int,
        timeout: float,
        match: Mapping[str, Any],
        since: str | None = None,
    ) -> list[R]:
        patience = 0.0 if in_event_loop() else timeout
        outcome = arrivals.take(count, match, patience, since=since)
        if not isinstance(outcome, Shortfall):
            return outcome
        if patience < timeout:
            raise blocking_wait(twin)
        raise errors.WaitError(
            explaining.shortfall(
                arrivals.kind.noun,
                count,
                timeout=timeout,
                match=match,
                outcome=outcome,
                refused=[each for each in self._all_refused() if each.id not in self._noticed],
                strays=self.strays(),
            )
        )

    def _refused_since(self, since: str | None, code_glob: str, timeout: float) -> list[Request]:
        match = {"refused": True, "code": code_glob}
        arrivals = self._request_arrivals.anew()
        twin = "async with expect_refused(…)"
        self._take(arrivals, twin, 1, timeout, match, since=since)
        found = arrivals.all(since=since)
        return self._notice([each for each in found if not REQUESTS.differences(each, match)])

    def _resolved(self, match: Mapping[str, Any]) -> dict[str, Any]:
        """The match with the id of its subscription."""
        if "subscription" not in match:
            return dict(match)
        return {**match, "subscription": self.subscription_id(match["subscription"])}

    def _all_refused(self) -> list[Request]:
        return [request for request in self._request_arrivals.all() if request.refused]

    def _notice(self, requests: list[Request]) -> list[Request]:
        self._noticed.update(request.id for request in requests)
        return requests
