"""How long data is kept: as the stack does it, by a data stream lifecycle, or by a policy of ILM.

Rules: without a wish nothing is set, and the stack's own ``logs@settings`` and ``metrics@settings`` decide (roll over,
never delete). A wish stands in our component template, below every ``@custom`` template: whoever has those has the last
word. A data stream lifecycle is preferred to a policy that ``logs@settings`` names (``index.lifecycle.prefer_ilm``).
Sources: elastic/elasticsearch, docs of data stream lifecycle and ILM.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from kibana_assets.errors import UsageError
from kibana_assets.install.asset import ILM_POLICY, Asset, Json

POLICY: Final = "local_llm"
CUSTOM: Final = "local_llm@custom"
"""The component template that Fleet's templates of the package take from its users."""
Way = Literal["stack", "stream", "ilm"]
_RETENTION: Final = re.compile(r"[1-9][0-9]{0,4}d", re.ASCII)


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """``retention`` in days as ``30d``, or nothing: never delete."""

    way: Way = "stack"
    retention: str = ""

    def __post_init__(self) -> None:
        """Raises: UsageError for what does not go together."""
        if self.retention and not _RETENTION.fullmatch(self.retention):
            raise UsageError(
                f"--retention: expected days as 30d, found {self.retention[:20]!r}", hint="From 1d to 99999d."
            )
        if self.retention and self.way == "stack":
            raise UsageError(
                "--retention: expected --lifecycle stream or ilm beside it", hint="stream is the newer one."
            )

    def policies(self) -> tuple[Asset, ...]:
        """The ILM policy that is wanted, if any."""
        if self.way != "ilm":
            return ()
        hot = {"actions": {"rollover": {"max_age": "30d", "max_primary_shard_size": "50gb"}}}
        phases: Json = {"hot": hot}
        if self.retention:
            phases["delete"] = {"min_age": self.retention, "actions": {"delete": {}}}
        return (Asset(ILM_POLICY, POLICY, {"phases": phases, "_meta": {"package": {"name": POLICY}}}),)

    def applied(self, component: Json) -> Json:
        """A component template with the wish in it."""
        template = component["template"]
        index = template["settings"]["index"]
        if self.way == "ilm":
            settings = {"index": {**index, "lifecycle": {"name": POLICY, "prefer_ilm": True}}}
            return {**component, "template": {**template, "settings": settings}}
        if self.way == "stream":
            settings = {"index": {**index, "lifecycle": {"prefer_ilm": False}}}
            kept: Json = {"data_retention": self.retention} if self.retention else {}
            return {**component, "template": {**template, "settings": settings, "lifecycle": {"enabled": True, **kept}}}
        return component
