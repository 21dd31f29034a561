"""Status, spaces, data views, and the list of tags."""

from __future__ import annotations

import uuid

from tests.counterparts.kibana_stack.privileges import LOGIN
from tests.counterparts.kibana_stack.route import Answer, Refusal, Request, Routes
from tests.counterparts.kibana_stack.schema import check

ROUTES = Routes()
VIEW = {
    "id": str,
    "title": str,
    "name": str,
    "timeFieldName": str,
    "allowNoIndex": bool,
    "namespaces": list,
    "runtimeFieldMap": dict,
    "fieldFormats": dict,
    "sourceFilters": list,
    "version": str,
    "type": str,
}


@ROUTES.add("GET", "/api/status", "")
def status(request: Request) -> Answer:
    """As a login sees it that may see the version."""
    version = {"number": request.stack.version, "build_hash": "0", "build_number": 1, "build_flavor": "traditional"}
    return Answer({"name": "kibana", "version": version, "status": {"overall": {"level": "available"}}})


@ROUTES.add("GET", "/api/spaces/space", "")
def spaces(request: Request) -> Answer:
    """The spaces that the login may enter; who may enter none is refused."""
    rows = [one for one in request.stack.spaces.items() if request.granted([LOGIN], one[0])]
    if not rows:
        raise Refusal(403, "Forbidden")
    return Answer([{"id": key, "name": name, "disabledFeatures": []} for key, name in rows])


@ROUTES.add("GET", "/api/data_views", "")
def views(request: Request) -> Answer:
    """The data views of a space, shortly."""
    found = [one for (kind, _), one in request.stack.inside(request.space).items() if kind == "index-pattern"]
    return Answer({"data_view": [{"id": one["id"], **one["attributes"]} for one in found]})


@ROUTES.add("POST", "/api/data_views/data_view", "indexPatterns:manage")
def create_view(request: Request) -> Answer:
    """A new data view; its title is unique in a space."""
    check(request.body, {"data_view": dict, "override": bool}, ("data_view",))
    view = request.body["data_view"]
    check(view, VIEW, ("title",), "request body.data_view")
    objects = request.stack.inside(request.space)
    key = ("index-pattern", view.get("id") or str(uuid.uuid4()))
    same = [one for one, found in objects.items() if one[0] == key[0] and found["attributes"]["title"] == view["title"]]
    if (same or key in objects) and not request.body.get("override"):
        raise Refusal(400, f"Duplicate data view: {view.get('name') or view['title']}")
    for one in same:
        del objects[one]
    attributes = {name: value for name, value in view.items() if name not in ("id", "namespaces")}
    objects[key] = {"type": key[0], "id": key[1], "attributes": attributes, "references": []}
    return Answer({"data_view": {**view, "id": key[1]}})


@ROUTES.add("GET", "/api/data_views/data_view/{id}", "")
def view(request: Request) -> Answer:
    """One data view."""
    found = request.stack.inside(request.space).get(("index-pattern", request.parts[0]))
    if found is None:
        raise Refusal(404, f"Saved object [index-pattern/{request.parts[0]}] not found")
    return Answer({"data_view": {"id": found["id"], **found["attributes"]}})


@ROUTES.add("DELETE", "/api/data_views/data_view/{id}", "indexPatterns:manage")
def delete_view(request: Request) -> Answer:
    """Remove one."""
    if request.stack.inside(request.space).pop(("index-pattern", request.parts[0]), None) is None:
        raise Refusal(404, f"Saved object [index-pattern/{request.parts[0]}] not found")
    return Answer({})


@ROUTES.add("GET", "/api/saved_objects_tagging/tags", "")
def tags(request: Request) -> Answer:
    """The tags of a space."""
    request.must("find", ["tag"])
    found = [one for (kind, _), one in request.stack.inside(request.space).items() if kind == "tag"]
    return Answer({"tags": [{"id": one["id"], "managed": False, **one["attributes"]} for one in found]})
