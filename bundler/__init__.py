"""Pack a self-hosted LLM into one verifiable air-gap bundle, and serve it at the secure site."""

__version__ = "0.1.0"
