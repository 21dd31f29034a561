"""Whether each field of a document is declared in fields/*.yml. A test's own rule: no I/O."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from kibana_assets.package.fields import Field
from tests.package.simulate import leaves

# What has fields of its own that need not be declared one by one.
OPEN = {"flattened", "object", "nested", "geo_point", "histogram", "aggregate_metric_double"}


def undeclared(document: dict[str, Any], fields: Iterable[Field]) -> list[str]:
    """The document's fields that nothing declares."""
    exact = {field.name for field in fields}
    below = {
        field.name.removesuffix(".*") + ".*" for field in fields if field.type in OPEN or "object_type" in field.entry
    }
    return sorted(
        {
            name
            for name, _ in leaves(document)
            if name not in exact and not any(fnmatchcase(name, pattern) for pattern in below)
        }
    )
