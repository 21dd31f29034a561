"""Reads the integration package in ``package/``: fields, pipelines, templates, documentation, and the zip for Fleet."""
