"""Settings of the service: one table, and four places where they can be set.

A flag wins over an environment variable, that over `[tool.mockpush]` of the nearest pyproject.toml,
that over the default. This module loads quickly: the service itself is imported when it is needed.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mockpush.errors import ConfigurationError
from mockpush.setting_kinds import (
    COUNT,
    DIRECTORY,
    FILE,
    HOST,
    NAMES,
    ORIGIN,
    PORT,
    PROFILE,
    SECONDS,
    SWITCH,
    URL,
    Kind,
    choice,
)

if TYPE_CHECKING:
    from mockpush.options import ServiceOptions

PREFIX: Final = "MOCKPUSH_"
TABLE: Final = "[tool.mockpush]"
PROJECT_FILE: Final = "pyproject.toml"

_OF_THE_SERVER: Final = (
    "host",
    "port",
    "https_port",
    "proxy_port",
    "proxy_allow",
    "hostnames",
    "endpoint_origin",
    "data_dir",
)


@dataclass(frozen=True, slots=True)
class Setting:
    """A row of the table. `name` is the attribute of `Settings`, `flag` begins with two dashes."""

    name: str
    default: Any
    kind: Kind
    help: str
    flag: str

    @property
    def key(self) -> str:
        """The key in `[tool.mockpush]`; underscores will do as well."""
        return self.flag.removeprefix("--")

    @property
    def variable(self) -> str:
        """The environment variable."""
        return PREFIX + self.key.replace("-", "_").upper()


def _row(kind: Kind, text: str, *, flag: str = "") -> dict[str, Any]:
    return {"kind": kind, "help": text, "flag": flag}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What can be set about a service; each field is a row of `SETTINGS`."""

    host: str = field(
        default="127.0.0.1",
        metadata=_row(HOST, "Address to listen on; 127.0.0.1 means ::1 as well."),
    )
    port: int = field(default=8030, metadata=_row(PORT, "Port for plain HTTP; 0 is any free one."))
    https_port: int = field(default=8031, metadata=_row(PORT, "Port for HTTPS; 0 is any free one."))
    proxy_port: int | None = field(
        default=None,
        metadata=_row(
            PORT,
            "Port for a proxy (HTTPS_PROXY) that answers for the vendors' own hosts, which their "
            "endpoints then carry; 0 is any free one.",
        ),
    )
    proxy_allow: tuple[str, ...] = field(
        default=(),
        metadata=_row(
            NAMES, "Host, or glob of hosts, to which the proxy lets through; others get 403."
        ),
    )
    profile: str = field(
        default="rfc",
        metadata=_row(
            PROFILE,
            "Push service that is imitated for subscriptions that name none: "
            "rfc, fcm, mozilla, apple, wns.",
        ),
    )
    strict: bool = field(
        default=False,
        metadata=_row(
            SWITCH, "Profile rfc refuses every breach of a MUST or SHOULD that it can see."
        ),
    )
    variants: tuple[str, ...] = field(
        default=(),
        metadata=_row(
            NAMES,
            "Take a doubtful fact about a vendor the other way: fcm.too_large_400, "
            "mozilla.documented_404, mozilla.bridged, apple.ttl_zero_refused, wns.success_200.",
            flag="--variant",
        ),
    )
    profile_file: Path | None = field(
        default=None,
        metadata=_row(FILE, "File of Python that defines profiles of your own."),
    )
    require: tuple[str, ...] = field(
        default=(),
        metadata=_row(
            NAMES,
            "Push services that must take every push, as apple,fcm: exec exits with 1, and pytest "
            "fails, if one of them would have refused one.",
        ),
    )
    hostnames: tuple[str, ...] = field(
        default=(),
        metadata=_row(
            NAMES,
            "Name under which clients reach the service: for its certificate and control API.",
            flag="--hostname",
        ),
    )
    endpoint_origin: str | None = field(
        default=None,
        metadata=_row(
            ORIGIN,
            "Origin of the endpoints, where ports are mapped; else that of the HTTPS port. "
            "listener: for a browser, that of the port to which it is connected.",
        ),
    )
    data_dir: Path | None = field(
        default=None,
        metadata=_row(DIRECTORY, "Directory that keeps the CA and the VAPID key over restarts."),
    )
    vapid_key: Path | None = field(
        default=None,
        metadata=_row(FILE, "VAPID private key (PEM, DER, JWK, base64url) instead of a new one."),
    )
    max_subscriptions: int = field(
        default=100_000, metadata=_row(COUNT, "Most subscriptions of a tenant.")
    )
    max_messages: int = field(default=100_000, metadata=_row(COUNT, "Most messages of a tenant."))
    max_requests: int = field(
        default=1_000, metadata=_row(COUNT, "Most requests in the journal of a tenant.")
    )
    max_body: int | None = field(
        default=None,
        metadata=_row(COUNT, "Largest body of a push in octets, instead of the profile's limit."),
    )
    max_faults: int = field(default=1_000, metadata=_row(COUNT, "Most fault plans of a tenant."))
    max_user_agents: int = field(
        default=10_000,
        metadata=_row(COUNT, "Most user agents that are there or may come back."),
    )
    max_tenants: int = field(default=4_096, metadata=_row(COUNT, "Most tenants."))
    inspection: str = field(
        default="eager",
        metadata=_row(
            choice("eager", "lazy"), "Decrypt messages on arrival, or when somebody looks."
        ),
    )
    refuse_undecryptable: bool = field(
        default=False,
        metadata=_row(SWITCH, "Answer 400 to what a managed subscription cannot decrypt."),
    )
    token_clock: str = field(
        default="process",
        metadata=_row(
            choice("process", "service"),
            "Judge the exp of tokens by the clock of the process, or by that of the tenant.",
        ),
    )

    message_limit: int = field(
        default=150,
        metadata=_row(
            COUNT,
            "Messages that may wait for a Firefox: one that finds more loses its subscriptions.",
        ),
    )

    ping_interval: float = field(
        default=300.0, metadata=_row(SECONDS, "Time after which an idle Firefox is pinged.")
    )
    broadcasts: str | None = field(
        default=None,
        metadata=_row(URL, "Megaphone whose broadcasts Firefox is told of; off if there is none."),
    )
    broadcasts_interval: float = field(
        default=30.0, metadata=_row(SECONDS, "Time between two requests to the megaphone.")
    )

    def server_options(self) -> dict[str, Any]:
        """The part that `Server` takes, as keywords."""
        return {name: getattr(self, name) for name in _OF_THE_SERVER}

    def service_options(self) -> ServiceOptions:
        """The part that `PushService` takes."""
        from mockpush.options import InspectionMode, ServiceOptions, TokenClock
        from mockpush.profile_file import read_profiles
        from mockpush.storage.base import Limits

        return ServiceOptions(
            profile=self.profile,
            strict=self.strict,
            inspection=InspectionMode(self.inspection),
            refuse_undecryptable=self.refuse_undecryptable,
            token_clock=TokenClock(self.token_clock),
            max_body=self.max_body,
            message_limit=self.message_limit,
            ping_interval=self.ping_interval,
            broadcasts=self.broadcasts,
            broadcasts_interval=self.broadcasts_interval,
            vendor_hosts=self.proxy_port is not None,
            limits=Limits(
                faults=self.max_faults,
                tenants=self.max_tenants,
                subscriptions=self.max_subscriptions,
                messages=self.max_messages,
                requests=self.max_requests,
                user_agents=self.max_user_agents,
            ),
            variants=self.variants,
            require=self.require,
            more_profiles=() if self.profile_file is None else read_profiles(self.profile_file),
        )


def _table() -> Iterator[Setting]:
    for each in fields(Settings):
        flag = each.metadata["flag"] or f"--{each.name.replace('_', '-')}"
        kind, text = each.metadata["kind"], each.metadata["help"]
        yield Setting(each.name, each.default, kind, text, flag)


SETTINGS: Final = tuple(_table())
"""The table: the command line, its documentation and the readers below are made from it."""


@dataclass(frozen=True, slots=True)
class Project:
    """`[tool.mockpush]` of one pyproject.toml.

    `values` are the settings by key, `commands` the tables of commands, such as
    `[tool.mockpush.send]`, by their names.
    """

    file: Path | None = None
    values: Mapping[str, object] = field(default_factory=dict)
    commands: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def load_project(directory: Path | None = None) -> Project:
    """The nearest pyproject.toml in `directory` (default: the current one) or above it.

    `ConfigurationError` if it is not TOML, or has keys in `[tool.mockpush]` that are no settings.
    """
    start = (directory or Path.cwd()).resolve()
    candidates = (each / PROJECT_FILE for each in (start, *start.parents))
    file = next((each for each in candidates if each.is_file()), None)
    if file is None:
        return Project()
    table = _read_table(file)
    plain = {name: value for name, value in table.items() if not isinstance(value, dict)}
    values = {name.replace("_", "-"): value for name, value in plain.items()}
    _refuse_unknown(values, file)
    return Project(file, values, {name: table[name] for name in table.keys() - plain.keys()})


def _read_table(file: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{file} cannot be read: {error}") from error
    tool = document.get("tool", {})
    table = tool.get("mockpush", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise ConfigurationError(f"tool.mockpush in {file} must be a table, not {table!r}")
    return table


def _refuse_unknown(values: Mapping[str, object], file: Path) -> None:
    known = [setting.key for setting in SETTINGS]
    unknown = [name for name in values if name not in known]
    if not unknown:
        return
    close = get_close_matches(unknown[0], known, n=1)
    hint = f"do you mean {close[0]}?" if close else f"there is: {', '.join(known)}"
    raise ConfigurationError(f"{TABLE} of {file} has no {', '.join(unknown)}; {hint}")


def load_settings(
    flags: Mapping[str, object] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    project: Project | None = None,
    **defaults: Any,
) -> Settings:
    """The settings from all sources; `defaults` (by attribute) replace those of the table.

    `flags` are texts (or booleans, or tuples of texts) by attribute; None and () count as not
    given. `ConfigurationError` names the source, the value and what it must be.
    """
    places = _Places(
        flags or {},
        os.environ if environ is None else environ,
        load_project() if project is None else project,
    )
    values = {setting.name: places.read(setting) for setting in SETTINGS}
    given = {name: value for name, value in values.items() if value is not None}
    return Settings(**{**defaults, **given})


@dataclass(frozen=True, slots=True)
class _Places:
    flags: Mapping[str, object]
    environ: Mapping[str, str]
    project: Project

    def read(self, setting: Setting) -> Any:
        """The value where it is set first, None if nowhere."""
        for place, value in self._named(setting):
            if value is not None and value != ():
                return self._checked(setting, place, value)
        return None

    def _named(self, setting: Setting) -> Iterator[tuple[str, object]]:
        yield setting.flag, self.flags.get(setting.name)
        yield setting.variable, self.environ.get(setting.variable) or None
        yield self._project_place(setting), self.project.values.get(setting.key)

    def _project_place(self, setting: Setting) -> str:
        return f"{setting.key} in {TABLE} of {self.project.file}"

    def _checked(self, setting: Setting, place: str, value: object) -> Any:
        try:
            result = setting.kind.read(value)
        except ValueError:
            expected = setting.kind.expected
            raise ConfigurationError(f"{place} must be {expected}, not {value!r}") from None
        if isinstance(result, Path) and place == self._project_place(setting):
            assert self.project.file is not None
            return self.project.file.parent / result
        return result
