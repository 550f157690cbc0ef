"""What each browser does in its own way."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from ..inbox import SubscriptionChange
from ..reception import ReceivedMessage
from ..user_agent import PermissionState


class Driver(ABC):
    """What `Browser` needs of a class that drives one."""

    # The process

    @abstractmethod
    def _launch(self) -> None:
        """Starts the process in `_home` and connects to its remote control."""

    @abstractmethod
    def _watch(self) -> None:
        """Notes messages and notifications from now on; none has come before."""

    @abstractmethod
    def _quit(self) -> None:
        """Ends the process, whatever state it is in."""

    # Pages

    @abstractmethod
    def _navigate(self, url: str) -> None: ...

    @abstractmethod
    def _current_url(self) -> str: ...

    @abstractmethod
    def _urls(self) -> list[str]: ...

    @abstractmethod
    def _screenshot(self) -> bytes: ...

    @abstractmethod
    def _wait_page(self, url: str, timeout: float) -> bool: ...

    @abstractmethod
    def _evaluate_in_page(self, expression: str) -> str:
        """The text to which a promise resolves, that an expression makes."""

    @abstractmethod
    def _evaluate_in_worker(self, expression: str) -> str: ...

    # What the user does

    @abstractmethod
    def _permission(self) -> str:
        """That of the current page's origin."""

    @abstractmethod
    def _set_permission(self, state: PermissionState) -> None: ...

    # What has happened

    @abstractmethod
    def _noted(self) -> tuple[Sequence[ReceivedMessage], Sequence[SubscriptionChange]]:
        """Messages and changes since the last time."""

    @abstractmethod
    def _wait_for_change(self, timeout: float) -> None:
        """Returns when there is a change that has not been taken, or after `timeout` seconds."""

    @abstractmethod
    def _badge(self) -> int | None: ...

    @abstractmethod
    def _forget_sites(self) -> None:
        """One blank tab is left, and nothing that has been noted."""
