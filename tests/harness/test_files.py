"""Files that a check reads and writes."""

import errno
import io
import os
import re
import sys
import threading
from pathlib import Path

import pytest

from mockpush.errors import ConfigurationError
from mockpush.harness.files import opened, read_text, replace


def test_a_file_has_what_was_put_into_it_and_nothing_else(tmp_path):
    file = tmp_path / "x"
    file.write_text("something long")
    with opened(str(file)) as stream:
        assert file.read_text() == "something long"
        replace(stream, "ä\n")
    assert file.read_text(encoding="utf-8") == "ä\n"


def test_a_file_into_which_nothing_is_put_stays_as_it_was(tmp_path):
    (tmp_path / "old").write_text("old")
    (tmp_path / "empty").touch()
    for name in ("old", "empty", "new"):
        with pytest.raises(KeyError), opened(str(tmp_path / name)):
            raise KeyError
    assert sorted(each.name for each in tmp_path.iterdir()) == ["empty", "old"]
    assert (tmp_path / "old").read_text() == "old"


def test_a_file_that_cannot_be_written_is_named_with_the_cause(tmp_path):
    with (
        pytest.raises(ConfigurationError, match=r"cannot be written: Is a directory$"),
        opened(str(tmp_path)),
    ):
        pytest.fail("it was opened")


class FullDisk(io.RawIOBase):
    name = "x"

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_an_error_of_the_file(monkeypatch):
    stream = io.TextIOWrapper(io.BufferedWriter(FullDisk()))
    monkeypatch.setattr(Path, "open", lambda *_, **__: stream)
    with (
        pytest.raises(ConfigurationError, match=r"^x cannot be written: No space left"),
        opened("x") as file,
    ):
        replace(file, "text")


def test_a_pipe_gets_the_text(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()))
    reader.start()
    with opened(str(pipe)) as stream:
        replace(stream, "text")
    reader.join(10)
    assert got == ["text"]
    assert pipe.exists()


def test_a_dash_is_standard_output_which_stays_open(capsys):
    with opened("-") as stream:
        replace(stream, "text\n")
    assert stream is sys.stdout
    assert not stream.closed
    assert capsys.readouterr().out == "text\n"


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    with pytest.raises(BrokenPipeError), os.fdopen(writer, "w") as stream:
        replace(stream, "text")


@pytest.mark.parametrize(
    ("make", "cause"),
    [
        (lambda path: None, "No such file or directory"),
        (lambda path: path.mkdir(), "Is a directory"),
        (lambda path: path.write_bytes(b"\xff"), "it is not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_cause(tmp_path, make, cause):
    make(tmp_path / "x")
    with pytest.raises(ConfigurationError, match=re.escape(f"x cannot be read: {cause}")):
        read_text(str(tmp_path / "x"))
