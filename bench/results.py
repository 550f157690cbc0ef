"""What the measurements share: their lines, and how they are asked for."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple


class Result(NamedTuple):
    """One line: what was measured, in which unit, and what it should be below."""

    name: str
    value: float
    unit: str
    limit: float | None = None

    def __str__(self) -> str:
        target = "" if self.limit is None else f"   below {self.limit:g}"
        return f"{self.name:<34} {self.value:>8.1f} {self.unit:<2}{target}"


def tell(description: str | None, measure: Callable[..., Iterable[Result]], **counts: int) -> None:
    """Runs `measure` with `counts`, which flags can change; prints each line when it is there.

    `--json FILE` keeps them, too.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawTextHelpFormatter
    )
    for name, usual in counts.items():
        parser.add_argument(f"--{name}", type=int, default=usual, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = vars(parser.parse_args())
    kept, results = options.pop("json"), []
    for result in measure(**options):
        print(result, flush=True)
        results.append(result._asdict())
    if kept:
        kept.write_text(json.dumps(results, indent=1) + "\n")
