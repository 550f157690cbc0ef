"""The directory for what can be made again."""

from pathlib import Path

import pytest

from mockpush._cache import cache_directory


@pytest.mark.parametrize(
    ("environ", "directory"),
    [
        ({"MOCKPUSH_CACHE_DIR": "/a", "XDG_CACHE_HOME": "/b"}, Path("/a")),
        ({"MOCKPUSH_CACHE_DIR": "a"}, Path.cwd() / "a"),
        ({"MOCKPUSH_CACHE_DIR": "", "XDG_CACHE_HOME": "/b"}, Path("/b/mockpush")),
        ({"LOCALAPPDATA": "/c"}, Path("/c/mockpush")),
        ({"XDG_CACHE_HOME": "relative"}, Path.home() / ".cache" / "mockpush"),
        ({}, Path.home() / ".cache" / "mockpush"),
    ],
)
def test_the_cache_is_where_the_user_wants_it(environ, directory):
    assert cache_directory(environ) == directory
