"""The formats of the report, and the files that they are written to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final, TypeAlias

from ..files import opened, replace
from .document import document, dump
from .junit import junit
from .markdown import markdown
from .page import page
from .record import RunRecord

Format: TypeAlias = Callable[[Sequence[RunRecord]], str]
Write: TypeAlias = Callable[[Sequence[RunRecord]], None]


def _json(records: Sequence[RunRecord]) -> str:
    (record,) = records
    return f"{dump(document(record))}\n"


FORMATS: Final[Mapping[str, Format]] = {
    "json": _json,
    "junit": junit,
    "html": page,
    "markdown": markdown,
}


@contextmanager
def outputs(files: Mapping[str, str]) -> Iterator[Write]:
    """What writes each format into its file, `-` for standard output.

    They are opened before a run, so that none is in vain: `ConfigurationError` for one that cannot
    be written.
    """
    with ExitStack() as stack:
        streams = {name: stack.enter_context(opened(file)) for name, file in files.items()}

        def write(records: Sequence[RunRecord]) -> None:
            for name, stream in streams.items():
                replace(stream, FORMATS[name](records))

        yield write
