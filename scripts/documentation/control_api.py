"""The operations and the documents of the control API, from its own description."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

import httpx

from documentation.markdown import code, table
from mockpush.http.answers import ROOT
from mockpush.http.control import application
from mockpush.service import PushService

Json = Mapping[str, Any]

DOCUMENTS: Final = (
    "Subscription",
    "UserAgent",
    "Notification",
    "Launch",
    "Message",
    "Request",
    "Finding",
    "Answer",
    "Objection",
    "Requirement",
    "Portability",
    "Mistake",
    "Event",
    "Fault",
    "Stray",
    "Clock",
    "Inspection",
    "InspectedPush",
    "Tenant",
    "NearMiss",
    "About",
)
"""The schemas that the page shows."""


@cache
def description() -> Json:
    """The OpenAPI document of a service."""

    async def fetch() -> Json:
        transport = httpx.ASGITransport(application(PushService()))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            document: Json = (await client.get(f"{ROOT}/openapi.json")).json()
            return document

    return asyncio.run(fetch())


def routes() -> str:
    """Every operation: what it takes, what it gives."""
    return table(
        ("", "does", "query", "body", "answer"),
        (
            _route(f"{method.upper()} {path.removeprefix(ROOT) or '/'}", operation)
            for path, item in description()["paths"].items()
            for method, operation in item.items()
        ),
    )


def _route(name: str, operation: Json) -> Sequence[str]:
    query = [each["name"] for each in operation["parameters"] if each["in"] == "query"]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    return (
        code(name),
        operation["summary"],
        ", ".join(code(each) for each in query if each != "tenant"),
        ", ".join(map(code, body.get("schema", {}).get("properties", ()))),
        _answer(operation["responses"]),
    )


def _answer(responses: Json) -> str:
    """The status of an answer when nothing is wrong, and its document."""
    status = next(each for each in responses if each != "default")
    contents = responses[status].get("content", {})
    names = [content["schema"]["$ref"].rpartition("/")[2] for content in contents.values()]
    return " ".join([status, " or ".join(map(_link, names))]).rstrip()


def _link(name: str) -> str:
    of = name.removesuffix("List")
    linked = f"[{of}](#{of.lower()})" if of in DOCUMENTS else of
    return linked if of == name else f"list of {linked}"


def documents() -> str:
    """The members of every document."""
    schemas = description()["components"]["schemas"]
    return "\n".join(f"### {name}\n\n{_members(schemas[name])}" for name in DOCUMENTS)


def _members(schema: Json) -> str:
    rows = ((code(name), words(member)) for name, member in schema["properties"].items())
    return table(("member", ""), rows)


def words(schema: Json) -> str:
    """A schema in words."""
    return ", ".join(_words(schema)) or "anything"


def _words(schema: Json) -> Iterator[str]:
    if "$ref" in schema:
        yield _link(schema["$ref"].rpartition("/")[2])
    elif "anyOf" in schema:
        yield " or ".join(words(each) for each in schema["anyOf"])
    elif "enum" in schema:
        yield " or ".join(map(code, schema["enum"]))
    elif schema.get("type") == "array":
        yield f"array of {words(schema['items'])}"
    elif schema.get("type") == "object":
        yield _object(schema)
    elif "type" in schema:
        form: str = schema.get("format") or schema.get("contentEncoding") or schema["type"]
        yield _FORMS.get(form, form)
    if "description" in schema:
        yield schema["description"]


def _object(schema: Json) -> str:
    if "properties" in schema:
        return f"`{{{', '.join(schema['properties'])}}}`"
    values = schema.get("additionalProperties")
    return f"object of {words(values)}" if isinstance(values, dict) else "object"


_FORMS: Final = {"date-time": "time", "base64": "base64", "uri": "URL"}
