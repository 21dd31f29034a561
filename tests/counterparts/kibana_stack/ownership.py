"""Who owns a dataset: what the newest Fleet refuses before it installs anything, whatever the package's source.

An index template of somebody else that has the name of one of the package's, or that singles out the same data streams,
stops an installation; one for all data streams of a type, as ``logs-*-*``, does not unless its priority is the same.
Source: elastic/kibana, Fleet's services/epm/packages/dataset_ownership (enforce, resolve_ownership, claim_names,
claims and patterns; read, not copied).
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.counterparts.kibana_stack.archive import Package
from tests.counterparts.kibana_stack.route import Json, Refusal
from tests.counterparts.kibana_stack.state import Stack

PRIORITY = 200


def check_ownership(stack: Stack, package: Package) -> None:
    """Raises: Refusal for a package that would take over what is somebody else's."""
    for stream in package.streams:
        if stream.is_prefix:
            text = f'Package {package.name} declares dataset_is_prefix for "{stream.type}-{stream.dataset}".'
            raise Refusal(400, f"{text} Prefix dataset ownership is not permitted for {package.source} packages.")
    before: Package | None = stack.packages.get(package.name)
    ours = {one["id"] for one in before.installed_es()} if before else set()
    found = dict.fromkeys(
        text
        for stream in package.streams
        for name, template in stack.index_templates.items()
        if name not in ours
        for text in _conflicts(f"{stream.type}-{stream.dataset}", name, template)
    )
    if found:
        text = f"Package {package.name} would take over resources it does not own: {', '.join(found)}."
        raise Refusal(400, f"{text} Adopt the dataset explicitly before installing.")
    for base in (f"{stream.type}-{stream.dataset}" for stream in package.streams):
        for claimed, owner in stack.claims.items():
            if owner != package.name and overlap(f"{base}-*", f"{claimed}-*"):
                raise Refusal(400, f'Dataset "{base}" overlaps "{claimed}" claimed by package "{owner}".')


def overlap(left: str, right: str) -> bool:
    """Whether some name fits both patterns, in which ``*`` and ``?`` are wild."""
    if not left or not right:
        return not (left + right).strip("*")
    if left[0] == "*":
        return overlap(left[1:], right) or overlap(left, right[1:])
    if right[0] == "*":
        return overlap(right, left)
    return (left[0] == right[0] or "?" in left[0] + right[0]) and overlap(left[1:], right[1:])


def _conflicts(base: str, name: str, template: Json) -> Iterator[str]:
    owner = ((template.get("_meta") or {}).get("package") or {}).get("name")
    behind = f', owned by "{owner}")' if owner else ")"
    if name == base:
        yield f'"{name}" (same_template_name{behind}'
        return
    patterns = [one for one in template["index_patterns"] if overlap(f"{base}-*", one)]
    priority = template.get("priority", 0)
    if patterns and priority == PRIORITY:
        yield f'"{name}" (equal_priority_overlap{behind}'
    elif any(_singles_out(one) for one in patterns):
        reason = "lower_priority_specific_overlap" if priority > PRIORITY else "outranks_specific_template"
        yield f'"{name}" ({reason}{behind}'


def _singles_out(pattern: str) -> bool:
    parts = pattern.removeprefix(".").split("-")
    return pattern != "*" and (len(parts) < 2 or parts[1] != "*")
