"""The package's README, from the template ``_dev/build/docs/README.md``.

Rules: ``{{fields "stream"}}`` becomes a table of all fields of a stream, ``{{event "stream"}}`` its sample event, byte
for byte as elastic-package writes them (its ``internal/docs``), for its ``lint`` refuses any other README.
``python -m kibana_assets.package.docs`` (``make package-docs``) writes docs/README.md, which lies in the repository so
that the build needs no template; a test says when it is old.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from typing import Final

from kibana_assets.errors import PackageError
from kibana_assets.package.ecs import ecs
from kibana_assets.package.fields import Field, read_fields
from kibana_assets.package.streams import Stream, streams
from kibana_assets.package.tree import CHECKOUT, Tree, load

TEMPLATE: Final = CHECKOUT / "_dev" / "build" / "docs" / "README.md"
WRITTEN: Final = "docs/README.md"
_CALL: Final = re.compile(r"""\{\{-?\s*(\w+)(?:\s+"([^"]*)")?\s*-?\}\}""")


def render(template: str, tree: Tree) -> str:
    """The README. Raises: PackageError for a call that nothing answers."""
    known = {stream.name: stream for stream in streams(tree)}

    def answer(call: re.Match[str]) -> str:
        stream = known.get(call[2] or "")
        if stream is None or call[1] not in ("fields", "event"):
            raise PackageError(f"{TEMPLATE.name}: {call[0]}: expected fields or event of a data stream")
        return field_table(read_fields(tree, stream, ecs())) if call[1] == "fields" else _event(tree, stream)

    return _CALL.sub(answer, template)


def field_table(fields: Iterable[Field]) -> str:
    """A Markdown table by name, multi-fields too: units and metric types have columns only where a field has any."""
    rows = [(_escaped(name), *rest) for name, *rest in sorted(row for field in fields for row in _rows(field))]
    heads = ("Field", "Description", "Type", "Unit", "Metric Type")
    kept = [column for column in range(len(heads)) if column < 3 or any(row[column] for row in rows)]
    lines = [f"| {' | '.join(heads[column] for column in kept)} |", f"|{'---|' * len(kept)}"]
    lines += [f"| {' | '.join(row[column] for column in kept)} |" for row in rows]
    return "**Exported fields**\n\n" + "\n".join(lines) + "\n"


def _rows(field: Field) -> Iterator[tuple[str, str, str, str, str]]:
    yield field.name, _escaped(field.description.replace("\n", " ")), field.type, field.unit, field.metric_type
    for one in field.entry.get("multi_fields", ()):
        yield f"{field.name}.{one['name']}", _escaped(f"Multi-field of `{field.name}`."), str(one["type"]), "", ""


def _event(tree: Tree, stream: Stream) -> str:
    sample = tree.text(f"{stream.path}/sample_event.json").strip()
    name = stream.name.replace("_metrics", "").replace("_logs", "")
    return f"An example event for `{name}` looks as following:\n\n```json\n{sample}\n```"


def _escaped(text: str) -> str:
    """As elastic-package does it, inside code spans too."""
    return re.sub(r"([*{}<>])", r"\\\1", text)


def main() -> int:
    """Write docs/README.md of the checkout."""
    target = CHECKOUT / WRITTEN
    target.parent.mkdir(exist_ok=True)
    target.write_text(render(TEMPLATE.read_text(encoding="utf-8"), load()), encoding="utf-8")
    print(f"{target.relative_to(CHECKOUT.parent)} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
