"""Connectors into a kibana.yml that is there already, and out of it again, with every other byte kept."""

from preconfigured.merge.edit import Edited, apply, connectors_of_ours, remove
from preconfigured.merge.source import Source, decode

__all__ = ["Edited", "Source", "apply", "connectors_of_ours", "decode", "remove"]
