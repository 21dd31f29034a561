"""What Fleet puts into Elasticsearch, put into a real node: pipelines and templates, marked as Fleet's.

They are what our own code makes of the sources of our package: this stand-in shows how an installation goes beside
Fleet's assets, not what Fleet makes of a package.
"""

from __future__ import annotations

import re

from kibana_assets.elasticsearch.stored import PATHS
from kibana_assets.install.asset import COMPONENT, INDEX, PIPELINE, Asset
from kibana_assets.install.desired import desired_objects
from kibana_assets.package.tree import Tree, load
from tests.counterparts.elasticsearch import Node, RefusedError


def install(node: Node, version: str) -> list[Asset]:
    """Put what our package of this version holds."""
    tree = load()
    manifest = re.sub(rb"(?m)^version: .*$", f"version: {version}".encode(), tree.files["manifest.yml"], count=1)
    made = list(desired_objects(Tree({**tree.files, "manifest.yml": manifest})))
    for one in made:
        meta = {**one.body.get("_meta", {}), "managed_by": "fleet", "managed": True}
        node.call("PUT", f"{PATHS[one.kind]}/{one.id}", {**one.body, "_meta": meta})
    return made


def remove(node: Node, assets: list[Asset]) -> None:
    """Take it away; what Elasticsearch needs for data stays, as with Fleet."""
    for kind in (INDEX, COMPONENT, PIPELINE):
        for one in assets:
            if one.kind == kind:
                try:
                    node.call("DELETE", f"{PATHS[kind]}/{one.id}")
                except RefusedError as error:
                    assert error.status in (400, 404)
