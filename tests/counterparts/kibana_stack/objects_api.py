"""The paths of saved objects: ``_import``, ``_export``, ``_bulk_get``, ``_find``, and one object."""

from __future__ import annotations

import json
from typing import Any

from tests.counterparts.kibana_stack.multipart import file_of
from tests.counterparts.kibana_stack.objects import TYPES, Import, read, references
from tests.counterparts.kibana_stack.route import Answer, Json, Refusal, Request, Routes

ROUTES = Routes()
MOST_BYTES = 26_214_400
ROOT = "/api/saved_objects"


@ROUTES.add("POST", f"{ROOT}/_import", "", accepts=("multipart/form-data",), most=MOST_BYTES)
def import_objects(request: Request) -> Answer:
    """Import a file; 200 also where it did not succeed."""
    request.only("overwrite", "createNewCopies", "compatibilityMode")
    overwrite, copies = request.flag("overwrite"), request.flag("createNewCopies")
    if overwrite and copies:
        raise Refusal(400, "cannot use [overwrite] with [createNewCopies]")
    if request.flag("compatibilityMode") and copies:
        raise Refusal(400, "cannot use [createNewCopies] with [compatibilityMode]")
    kinds = {name.lower(): value for name, value in request.headers.items()}
    name, data = file_of(request.data, kinds.get("content-type", ""))
    suffix = name[name.rfind(".") :] if "." in name else ""
    if suffix.lower() != ".ndjson":
        raise Refusal(400, f"Invalid file extension {suffix}")
    rows = read(data)
    # The references first, then what is to be written: both before anything is.
    request.must("bulk_get", references(rows))
    request.must("bulk_create", {row["type"] for row in rows if row.get("type") in TYPES})
    return Answer(Import(request.stack, request.space, overwrite, copies).run(rows))


@ROUTES.add("POST", f"{ROOT}/_export", "")
def export(request: Request) -> Answer:
    """The named objects, one a line, with details at the end unless left out."""
    wanted = [(one["type"], one["id"]) for one in request.body.get("objects", [])]
    request.must("bulk_get", {kind for kind, _ in wanted})
    found = request.stack.inside(request.space)
    missing = [_one(request, kind, name) for kind, name in wanted if (kind, name) not in found]
    if missing:
        raise Refusal(400, "Error fetching objects to export", {"attributes": {"objects": missing}})
    keys = list(dict.fromkeys(wanted))
    if request.body.get("includeReferencesDeep"):
        for key in keys:
            references = [(one["type"], one["id"]) for one in found[key]["references"]]
            keys += [one for one in references if one in found and one not in keys]
    rows = [_plain(found[key]) for key in keys]
    if not request.body.get("excludeExportDetails"):
        rows.append({"exportedCount": len(rows), "missingRefCount": 0, "missingReferences": []})
    text = "\n".join(json.dumps(row) for row in rows)
    return Answer(data=text.encode(), kind="application/ndjson")


@ROUTES.add("POST", f"{ROOT}/_bulk_get", "")
def bulk_get(request: Request) -> Answer:
    """Objects, each with an error of its own where it is missing."""
    request.must("bulk_get", {one["type"] for one in request.body})
    return Answer({"saved_objects": [_one(request, one["type"], one["id"]) for one in request.body]})


@ROUTES.add("POST", f"{ROOT}/_bulk_delete", "")
def bulk_delete(request: Request) -> Answer:
    """Remove objects; each has its own outcome."""
    request.must("bulk_delete", {one["type"] for one in request.body})
    statuses: list[Json] = []
    for one in request.body:
        gone = request.stack.inside(request.space).pop((one["type"], one["id"]), None)
        row: Json = {"id": one["id"], "type": one["type"], "success": gone is not None}
        if gone is None:
            row["error"] = _missing(one["type"], one["id"])
        statuses.append(row)
    return Answer({"statuses": statuses})


@ROUTES.add("GET", f"{ROOT}/_find", "")
def find(request: Request) -> Answer:
    """The objects of a type."""
    rows = [_plain(one) for (kind, _), one in request.stack.inside(request.space).items()]
    rows = [one for one in rows if one["type"] == request.query.get("type")]
    return Answer({"page": 1, "per_page": 10_000, "total": len(rows), "saved_objects": rows})


@ROUTES.add("GET", ROOT + "/{type}/{id}", "")
def get(request: Request) -> Answer:
    """One object."""
    request.must("get", [request.parts[0]])
    found = _one(request, *request.parts)
    if "error" in found:
        raise Refusal(404, found["error"]["message"])
    return Answer(found)


@ROUTES.add("DELETE", ROOT + "/{type}/{id}", "")
def delete(request: Request) -> Answer:
    """Remove one object."""
    kind, name = request.parts
    request.must("delete", [kind])
    if request.stack.inside(request.space).pop((kind, name), None) is None:
        raise Refusal(404, _missing(kind, name)["message"])
    return Answer({})


def _one(request: Request, kind: str, name: str) -> Json:
    found = request.stack.inside(request.space).get((kind, name))
    return _plain(found) if found else {"id": name, "type": kind, "error": _missing(kind, name)}


def _missing(kind: str, name: str) -> dict[str, Any]:
    return {"statusCode": 404, "error": "Not Found", "message": f"Saved object [{kind}/{name}] not found"}


def _plain(found: Json) -> Json:
    return {"updated_at": "2026-01-01T00:00:00.000Z", "version": "WzEsMV0=", **found}
