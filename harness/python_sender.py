"""`python -m mockpush.harness.python_sender MODULE:CALLABLE`: a Python callable as a stream sender.

It imports nothing but the standard library, so environments without mockpush can run it as a file.

The callable is given each job as a dict and returns the result as a dict; one that is `async` is
awaited. What it raises is what a library reports: the push did not succeed. What it prints goes to
standard error, since standard output belongs to the protocol.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import sys
import traceback
from collections.abc import Callable
from functools import reduce
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import IO, Any

Handler = Callable[[dict[str, Any]], Any]


def load(target: str) -> Handler:
    """The callable that `MODULE:CALLABLE` or `FILE.py:CALLABLE` names; CALLABLE may be dotted."""
    source, _, name = target.rpartition(":")
    handler: object = reduce(getattr, name.split("."), _module(source))
    if not callable(handler):
        raise TypeError(f"{target} is not callable")
    return handler


def _module(source: str) -> ModuleType:
    """A module by its name, or from a file, beside which it finds others as a program does."""
    if not source.endswith(".py"):
        return import_module(source)
    file = Path(source)
    sys.path.insert(0, str(file.parent))
    return import_module(file.stem)


def answer(handler: Handler, job: dict[str, Any]) -> object:
    """The callable's result, or `{"ok": false, "error": …}` if it raised."""
    try:
        result = handler(job)
        return asyncio.run(result) if inspect.iscoroutine(result) else result
    except Exception as error:
        traceback.print_exc()
        return {"ok": False, "error": f"{type(error).__name__}: {error}"}


def serve(handler: Handler, jobs: IO[bytes], results: IO[bytes]) -> None:
    """Answer a job a line until `jobs` ends."""
    for line in jobs:
        result = answer(handler, json.loads(line))
        results.write(json.dumps(result).encode() + b"\n")
        results.flush()


def main() -> None:
    """Serve the callable of the first argument on standard input and output.

    Both are taken away from it, so neither it nor what it starts can read jobs or print results.
    """
    jobs, results = (os.fdopen(os.dup(fd), mode) for fd, mode in ((0, "rb"), (1, "wb")))
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    serve(load(sys.argv[1]), jobs, results)


if __name__ == "__main__":
    main()
