from __future__ import annotations

from collections.abc import Callable

import pytest

from .pushes import Bench


@pytest.fixture
def make_bench() -> Callable[..., Bench]:
    return Bench


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench()
