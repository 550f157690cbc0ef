"""Examples: test files, or single tests of them, and programs that tests run, as they stand."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final

from documentation.markdown import fence

LANGUAGES: Final = {
    ".py": "python",
    ".mjs": "javascript",
    ".cjs": "javascript",
    ".ts": "typescript",
    ".go": "go",
    ".rs": "rust",
    ".java": "java",
}
"""How Markdown calls the language of a file."""


def example(root: Path, place: str) -> str:
    """The text of `FILE` or `FILE::NAME`; `ValueError` if there is no such function."""
    file, _, name = place.partition("::")
    text = (root / file).read_text(encoding="utf-8")
    language = LANGUAGES[Path(file).suffix]
    return fence(language, function(text, name) if name else text)


def function(text: str, name: str) -> str:
    """The text of a function, with its decorators."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            return "\n".join(text.splitlines()[first - 1 : node.end_lineno])
    raise ValueError(f"there is no function {name}")
