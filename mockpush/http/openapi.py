"""The OpenAPI 3.1 document, made of the operations and the views."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from mockpush._version import __version__
from mockpush.gateways.exchange import TENANT_HEADER, TENANT_NAME, TENANT_PARAMETER
from mockpush.http.faults import FAULT
from mockpush.http.inspection import INSPECTION, PUSH
from mockpush.http.kinds import Json, Kind
from mockpush.http.operations import NO_MEMBERS, Operation, Returns
from mockpush.http.shapes import (
    BOOLEAN,
    INTEGER,
    STRING,
    array_of,
    nullable,
    object_of,
    reference,
    schema_of,
)
from mockpush.http.traffic_views import ANSWER, FINDING, MESSAGE, OBJECTION, REQUEST
from mockpush.http.views import (
    CLOCK,
    EVENT,
    NOTIFICATION,
    STRAY,
    SUBSCRIPTION,
    TENANT,
    USER_AGENT,
)

_ITEMS: Final = {
    "Subscription": schema_of(SUBSCRIPTION),
    "Message": schema_of(MESSAGE),
    "Request": schema_of(REQUEST),
    "Tenant": schema_of(TENANT),
    "Stray": schema_of(STRAY),
    "Event": schema_of(EVENT),
    "Fault": schema_of(FAULT),
    "UserAgent": schema_of(USER_AGENT),
    "Notification": schema_of(NOTIFICATION),
}

_NEAR_MISS: Final = object_of(
    id=STRING, differences=array_of(object_of(field=STRING, expected={}, actual={}))
)


def _list_schema(name: str) -> Json:
    schema = object_of(items=array_of(reference(name)), next=STRING, more=BOOLEAN)
    waited: Json = {
        "complete": {
            **BOOLEAN,
            "description": "after a wait: whether as many came as were waited for",
        },
        "closest": {**array_of(reference("NearMiss")), "description": "when too few came"},
    }
    return {**schema, "properties": {**schema["properties"], **waited}}


SCHEMAS: Final[Mapping[str, Json]] = {
    **_ITEMS,
    **{f"{name}List": _list_schema(name) for name in _ITEMS},
    "Finding": FINDING,
    "Answer": ANSWER,
    "Objection": OBJECTION,
    "Mistake": object_of(
        finding=reference("Finding"),
        answers={
            "type": "object",
            "additionalProperties": object_of(status=INTEGER, reason=nullable(STRING)),
        },
        count=INTEGER,
    ),
    "Portability": object_of(
        requests=INTEGER, refused=INTEGER, mistakes=array_of(reference("Mistake"))
    ),
    "Requirement": object_of(profiles=array_of(STRING)),
    "Clock": schema_of(CLOCK),
    "Inspection": INSPECTION,
    "InspectedPush": schema_of(PUSH),
    "Launch": object_of(
        user_agent=STRING,
        args=array_of(STRING),
        env={"type": "object", "additionalProperties": STRING},
        preferences={
            "type": "object",
            "additionalProperties": {"anyOf": [STRING, INTEGER, BOOLEAN]},
        },
        init_script=STRING,
    ),
    "Health": object_of(status=STRING, version=STRING),
    "About": object_of(
        version=STRING,
        https=nullable(STRING),
        proxy=nullable(STRING),
        origins=array_of(STRING),
        hosts=array_of(STRING),
        profiles=array_of(STRING),
        vendor_hosts={"type": "object", "additionalProperties": array_of(STRING)},
    ),
    "PEM": STRING,
    "Document": {"type": "object"},
    "NearMiss": _NEAR_MISS,
    "Problem": {
        **object_of(title=STRING, status=INTEGER, detail=STRING),
        "description": "RFC 9457; some have further members.",
        "additionalProperties": True,
    },
}

_TENANT: Final[Json] = {"type": "string", "pattern": TENANT_NAME, "default": "default"}
_TENANT_PARAMETERS: Final = [
    {"name": TENANT_HEADER, "in": "header", "schema": _TENANT},
    {"name": TENANT_PARAMETER, "in": "query", "schema": _TENANT},
]


def document(operations: Iterable[Operation], *, root: str) -> Json:
    """The description of the API below `root`."""
    paths: dict[str, Json] = {}
    for operation in operations:
        item = paths.setdefault(root + operation.path, {})
        item[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "mockpush control API", "version": __version__},
        "paths": paths,
        "components": {"schemas": dict(SCHEMAS)},
    }


def _operation(operation: Operation) -> Json:
    described: Json = {
        "operationId": f"{operation.method.lower()}{operation.path.translate(_WORDS)}",
        "summary": operation.summary,
        "parameters": _parameters(operation),
        "responses": {
            str(operation.returns.status): _response(operation),
            "default": {
                "description": "What is wrong, and the way out",
                "content": {"application/problem+json": {"schema": reference("Problem")}},
            },
        },
    }
    if operation.body is not NO_MEMBERS:
        content = {"application/json": {"schema": operation.body.schema}}
        required = "required" in operation.body.schema
        described["requestBody"] = {"required": required, "content": content}
    return described


_WORDS: Final = str.maketrans({"/": "_", "{": "", "}": "", ".": "_"})


def _parameters(operation: Operation) -> list[Json]:
    names = re.findall(r"\{(\w+)\}", operation.path)
    in_path: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": STRING} for name in names
    ]
    in_query = [_parameter(name, kind) for name, kind in operation.query.items()]
    return [*in_path, *in_query, *(_TENANT_PARAMETERS if operation.scoped else ())]


def _parameter(name: str, kind: Kind[Any]) -> Json:
    return {"name": name, "in": "query", "description": kind.words, "schema": kind.schema}


def _response(operation: Operation) -> Json:
    described: Json = {"description": operation.summary}
    returns: Returns = operation.returns
    if returns.schema is not None:
        schemas = {returns.media_type: returns.schema, **returns.also}
        described["content"] = {
            media_type: {"schema": reference(name)} for media_type, name in schemas.items()
        }
    return described
