"""What each connector type takes, as data: a JSON schema for each, with the first stack version of every key."""

from preconfigured.schema.model import ACTION_TYPES, ACTIONS, ENVELOPE, NAMES, Key, Schema, json_schema, load, raw

__all__ = ["ACTIONS", "ACTION_TYPES", "ENVELOPE", "NAMES", "Key", "Schema", "json_schema", "load", "raw"]
