"""What each connector type takes, as data: a JSON schema for each, with the first stack version of every key."""

from preconfigured.schema.model import ENVELOPE, NAMES, Key, Schema, json_schema, load

__all__ = ["ENVELOPE", "NAMES", "Key", "Schema", "json_schema", "load"]
