"""The members of the report of `mockpush check`, from its JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from documentation.markdown import code, table

SCHEMA: Final = Path(__file__).resolve().parents[2] / "docs" / "check-report.schema.json"

Json = Mapping[str, Any]


def members() -> str:
    """The members of the whole, then those of each object in it."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    definitions = schema["$defs"]
    objects = {name: each for name, each in definitions.items() if "properties" in each}
    parts = [_table(schema, definitions)]
    parts += [f"### {name}\n\n{_table(each, definitions)}" for name, each in objects.items()]
    return "\n".join(parts)


def _table(schema: Json, definitions: Json) -> str:
    return table(
        ("member", "", ""),
        (
            (code(name), ", ".join(_kinds(each, definitions)), each["description"])
            for name, each in schema["properties"].items()
        ),
    )


def _kinds(schema: Json, definitions: Json) -> Iterator[str]:
    """What a member can be, in words; an object of ours is a link to its table."""
    if "anyOf" in schema:
        for each in schema["anyOf"]:
            yield from _kinds(each, definitions)
    elif "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        inner = definitions[name]
        yield from [f"[{name}](#{name})"] if "properties" in inner else _kinds(inner, definitions)
    elif "const" in schema or "enum" in schema:
        yield from (f"`{each}`" for each in schema.get("enum", [schema.get("const")]))
    elif schema["type"] == "array":
        yield f"list of {' or '.join(_kinds(schema['items'], definitions))}"
    else:
        yield from [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
