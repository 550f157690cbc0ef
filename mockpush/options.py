"""How a service behaves: the options that it is made with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from mockpush import profiles
from mockpush.errors import ConfigurationError
from mockpush.protocol.judging import Profile
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
    `variants`: doubtful facts of vendors to be taken the other way, as `fcm.too_large_400`.
    `more_profiles`: besides those that mockpush brings, or in their place.
    `vendor_hosts`: endpoints of a vendor's profile are given out under the vendor's own origin.
    `require`: the names of profiles that must take every push. `message_limit`: messages that may
    wait for a Firefox before it is given up. `ping_interval`: seconds after which an idle Firefox
    is pinged. `broadcasts`: URL of a megaphone, asked every `broadcasts_interval` seconds at most.
    """

    profile: str = "rfc"
    strict: bool = False
    inspection: InspectionMode = InspectionMode.EAGER
    refuse_undecryptable: bool = False
    token_clock: TokenClock = TokenClock.PROCESS
    max_body: int | None = None
    vendor_hosts: bool = False
    limits: Limits = field(default_factory=Limits)
    variants: tuple[str, ...] = ()
    more_profiles: tuple[Profile, ...] = ()
    require: tuple[str, ...] = ()
    message_limit: int = 150
    ping_interval: float = 300.0
    broadcasts: str | None = None
    broadcasts_interval: float = 30.0

    @property
    def eager(self) -> bool:
        """Whether payloads are decrypted when they arrive."""
        return self.refuse_undecryptable or self.inspection == InspectionMode.EAGER

    def profiles(self) -> Mapping[str, Profile]:
        """The profiles as the options make them, by name; `ConfigurationError` if there is none."""
        tables = {name: self._with_backlog(each) for name, each in self.tables().items()}
        return tables if self.max_body is None else _limited(tables, self.max_body)

    def _with_backlog(self, profile: Profile) -> Profile:
        if profile.delivery.backlog_limit is None:
            return profile
        delivery = replace(profile.delivery, backlog_limit=self.message_limit)
        return replace(profile, delivery=delivery)

    def tables(self) -> Mapping[str, Profile]:
        """The profiles with the limits of the push services themselves."""
        tables = {**profiles.PROFILES, **(profiles.STRICT if self.strict else {})}
        for each in self.more_profiles:
            tables[each.name] = each
            _check(each, [other for other in tables.values() if other is not each])
        for name in (self.profile, *self.require):
            if name not in tables:
                raise _unknown("profile", name, tables)
        for full_name in self.variants:
            name, _, variant = full_name.partition(".")
            if name not in tables or variant not in tables[name].variants:
                raise _unknown("variant", full_name, _variants(tables.values()))
            tables[name] = tables[name].with_variants((*tables[name].chosen, variant))
        return tables


def _limited(tables: Mapping[str, Profile], body: int) -> Mapping[str, Profile]:
    return {
        name: replace(profile, limits={**profile.limits, "body": body})
        for name, profile in tables.items()
    }


def _variants(tables: Iterable[Profile]) -> list[str]:
    return [f"{profile.name}.{name}" for profile in tables for name in profile.variants]


def _unknown(what: str, name: str, known: Iterable[str]) -> ConfigurationError:
    return ConfigurationError(f"there is no {what} {name!r}; there is: {', '.join(known)}")


def _check(profile: Profile, others: Iterable[Profile]) -> None:
    """A profile of the user's own must have what every profile has, and endpoints of its own."""
    missing = {"body", "ttl"} - profile.limits.keys()
    if missing:
        raise ConfigurationError(
            f"profile {profile.name!r} has no limit named {', '.join(sorted(missing))}"
        )
    for prefix in profile.prefixes:
        if not (prefix.startswith("/") and prefix.endswith("/") and len(prefix) > 1):
            raise ConfigurationError(f"the prefix {prefix!r} must be a path between slashes")
        for other in others:
            if any(prefix.startswith(each) or each.startswith(prefix) for each in other.prefixes):
                raise ConfigurationError(f"the prefix {prefix!r} belongs to profile {other.name!r}")
