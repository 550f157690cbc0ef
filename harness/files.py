"""Files that a check reads and writes; what is wrong with them is a `ConfigurationError`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TextIO

from mockpush.errors import ConfigurationError

STDOUT: Final = "-"


def read_text(file: str) -> str:
    """What a file has, which must be UTF-8."""
    try:
        return Path(file).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{file} cannot be read: it is not UTF-8") from None
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}") from error


@contextmanager
def opened(file: str) -> Iterator[TextIO]:
    """A file for `replace`, `-` for standard output.

    What it has stays until then; one that is new and gets nothing goes again.
    """
    if file == STDOUT:
        yield sys.stdout
        return
    path = Path(file)
    is_new = not path.exists()
    try:
        # Half a surrogate pair becomes an escape, which is what JSON has for it, too.
        stream = path.open("a", encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise _unwritable(file, error) from error
    try:
        yield stream
    finally:
        with suppress(OSError):  # `replace` has told it
            stream.close()
        if is_new and path.is_file() and not path.stat().st_size:
            path.unlink()


def replace(stream: TextIO, text: str) -> None:
    """Puts the text in the place of what a file had; a pipe or a terminal just gets it."""
    try:
        if stream is not sys.stdout and stream.seekable():
            stream.truncate(0)
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        raise  # whoever reads has seen enough, which is no error
    except OSError as error:
        raise _unwritable(stream.name, error) from error


def _unwritable(file: str, error: OSError) -> ConfigurationError:
    return ConfigurationError(f"{file} cannot be written: {error.strerror}")
