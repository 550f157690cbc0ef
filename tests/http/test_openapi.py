"""The description of the API: it says what is there, and nothing else.

That answers are as described is checked by the client that all these tests use.
"""

from __future__ import annotations

import re

from starlette.routing import Route

from mockpush.http import (
    administration,
    browsers,
    control,
    events,
    faults,
    inspection,
    notifications,
    subscriptions,
    traffic,
    user_agents,
)
from mockpush.http.answers import ROOT


def references(node):
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for child in node.values():
            yield from references(child)
    elif isinstance(node, list):
        for child in node:
            yield from references(child)


async def test_it_is_openapi_3_1(api):
    document = await api.json("/openapi.json")
    assert document["openapi"] == "3.1.0"
    assert document["info"]["title"]
    assert document["info"]["version"]


async def test_every_reference_resolves_and_every_schema_is_used(api):
    document = await api.json("/openapi.json")
    schemas = document["components"]["schemas"]
    used = set(references(document))
    assert used == {f"#/components/schemas/{name}" for name in schemas}


async def test_every_route_is_in_it_and_vice_versa(api, app):
    document = await api.json("/openapi.json")
    described = {
        (path, method.upper()) for path, item in document["paths"].items() for method in item
    }
    operations = (
        *subscriptions.OPERATIONS,
        *traffic.OPERATIONS,
        *faults.OPERATIONS,
        *events.OPERATIONS,
        *inspection.OPERATIONS,
        *administration.OPERATIONS,
        *user_agents.OPERATIONS,
        *notifications.OPERATIONS,
        *browsers.operations(listeners=lambda: None, desktop=browsers.no_desktop),
    )
    routed = {(ROOT + each.path, each.method) for each in operations}
    others = {"", "/openapi.json", "/ca.pem", "/livez", "/readyz"}
    assert described == routed | {(ROOT + path, "GET") for path in others}
    paths = {
        route.path for route in control.application(app.service).routes if type(route) is Route
    }
    assert {path for path in paths if path.startswith(ROOT)} == {path for path, _ in described}


async def test_every_operation_has_an_id_of_its_own_and_its_parameters(api):
    document = await api.json("/openapi.json")
    ids = []
    for path, item in document["paths"].items():
        for operation in item.values():
            ids.append(operation["operationId"])
            names = [(each["in"], each["name"]) for each in operation["parameters"]]
            assert len(set(names)) == len(names)
            in_path = [name for place, name in names if place == "path"]
            assert in_path == re.findall(r"\{(\w+)\}", path)
            assert set(operation["responses"]) > {"default"}
    assert len(set(ids)) == len(ids)


async def test_what_it_says_of_a_parameter_is_what_is_checked(api):
    document = await api.json("/openapi.json")
    parameters = document["paths"][ROOT + "/messages"]["get"]["parameters"]
    limit = next(each for each in parameters if each["name"] == "limit")["schema"]
    for value in (limit["minimum"], limit["maximum"]):
        assert (await api.get(f"/messages?limit={value}")).status_code == 200
    for value in (limit["minimum"] - 1, limit["maximum"] + 1):
        assert (await api.get(f"/messages?limit={value}")).status_code == 400


REQUIRED = {
    "/inspect",
    "/faults",
    "/user-agents/{id}",
    "/messages/{id}/reports",
    "/notifications",
    "/notifications/{id}/events",
}


async def test_bodies_without_required_members_may_be_left_out_and_none_has_others(api):
    document = await api.json("/openapi.json")
    bodies = {
        path.removeprefix(ROOT): operation["requestBody"]
        for path, item in document["paths"].items()
        for operation in item.values()
        if "requestBody" in operation
    }
    assert len(bodies) == 15
    for path, body in bodies.items():
        assert body["required"] is (path in REQUIRED)
        assert body["content"]["application/json"]["schema"]["additionalProperties"] is False
