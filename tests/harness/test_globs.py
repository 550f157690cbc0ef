"""Globs, some of which exclude."""

import pytest

from mockpush.harness.globs import selects


@pytest.mark.parametrize(
    ("patterns", "name", "selected"),
    [
        ([], "rfc8030/5/post", True),
        (["rfc8030/*"], "rfc8030/5/post", True),
        (["rfc8292/*"], "rfc8030/5/post", False),
        (["rfc8292/*", "*/post"], "rfc8030/5/post", True),
        (["!*/post"], "rfc8030/5/post", False),
        (["!*/post"], "rfc8030/5/sent-once", True),
        (["rfc8030/*", "!*/post"], "rfc8030/5/post", False),
        (["!*/post", "rfc8030/*"], "rfc8030/5/post", False),
        (["RFC8030/*"], "rfc8030/5/post", False),
    ],
)
def test_a_name_is_selected_by_a_pattern_unless_another_excludes_it(patterns, name, selected):
    assert selects(patterns, name) is selected
