"""How a service behaves: the options that it is made with."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from mockpush.storage.base import Limits


class InspectionMode(StrEnum):
    """When payloads of managed subscriptions are decrypted: at once, or when somebody looks."""

    EAGER = "eager"
    LAZY = "lazy"


class TokenClock(StrEnum):
    """The clock by which `exp` is judged: the process's, as the sender's is, or the tenant's."""

    PROCESS = "process"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class ServiceOptions:
    """How the service behaves.

    `profile`: of subscriptions that name none. `strict`: `rfc` refuses every breach of a MUST or
    SHOULD that shows without decryption. `refuse_undecryptable`: 400 for what a managed
    subscription cannot read (implies eager). `max_body`: octets, instead of each profile's limit.
    """

    profile: str = "rfc"
    strict: bool = False
    inspection: InspectionMode = InspectionMode.EAGER
    refuse_undecryptable: bool = False
    token_clock: TokenClock = TokenClock.PROCESS
    max_body: int | None = None
    limits: Limits = field(default_factory=Limits)

    @property
    def eager(self) -> bool:
        """Whether payloads are decrypted when they arrive."""
        return self.refuse_undecryptable or self.inspection == InspectionMode.EAGER
