"""The server's own journal: what reached it and belongs to no tenant.

Requests to unknown push resources, TLS on the plain port, failed handshakes, refused tunnels.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mockpush.protocol.inspection import Inspection
from mockpush.protocol.judging import Judgement
from mockpush.protocol.model import NO_TENANT, PushRequest
from mockpush.protocol.records import RequestRecord, WireAnswer


class Stray(StrEnum):
    """What kind of entry it is."""

    UNKNOWN_SUBSCRIPTION = "unknown_subscription"
    TLS_ON_PLAIN_PORT = "tls_on_plain_port"
    PLAIN_ON_TLS_PORT = "plain_on_tls_port"
    FAILED_HANDSHAKE = "failed_handshake"
    UNUSED_CONNECTION = "unused_connection"
    """a client connected and hung up, for it does not trust the certificate perhaps"""
    REFUSED_TUNNEL = "refused_tunnel"
    """the proxy was asked for a host that is not its own"""


@dataclass(frozen=True, slots=True)
class StrayEntry:
    """One entry. `at` in real time; `record` when a request could be read, `detail` otherwise."""

    id: int
    at: float
    kind: Stray
    detail: Mapping[str, str]
    record: RequestRecord | None = None


class ServerJournal:
    """Keeps the newest `limit` entries."""

    def __init__(self, limit: int) -> None:
        self._entries: deque[StrayEntry] = deque(maxlen=limit)
        self._count = 0

    def add_request(
        self,
        request: PushRequest,
        inspection: Inspection,
        judgement: Judgement,
        answer: WireAnswer,
    ) -> None:
        """A request to a push resource that no tenant knows."""
        number = self._count + 1
        record = RequestRecord(
            number, NO_TENANT, None, None, request, inspection, judgement, answer
        )
        self._append(request.received_at, Stray.UNKNOWN_SUBSCRIPTION, {}, record)

    def add(self, kind: Stray, *, at: float, detail: Mapping[str, str]) -> None:
        """A connection that did not get as far as a request."""
        self._append(at, kind, detail, None)

    def entries(self, *, after: int = 0) -> Sequence[StrayEntry]:
        """The entries after this number, oldest first."""
        return [entry for entry in self._entries if entry.id > after]

    def records(self) -> Sequence[RequestRecord]:
        """The requests among the entries, oldest first."""
        return [entry.record for entry in self._entries if entry.record is not None]

    def _append(
        self, at: float, kind: Stray, detail: Mapping[str, str], record: RequestRecord | None
    ) -> None:
        self._count += 1
        self._entries.append(StrayEntry(self._count, at, kind, detail, record))
