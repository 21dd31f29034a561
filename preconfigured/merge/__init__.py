"""Connectors into a kibana.yml that is there already, and out of it again, with every other byte kept."""

from preconfigured.merge.edit import Edited, apply, connectors_of_ours, remove
from preconfigured.merge.file import FileEdit, edit_file

__all__ = ["Edited", "FileEdit", "apply", "connectors_of_ours", "edit_file", "remove"]
