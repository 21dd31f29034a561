"""Elasticsearch, asked through its official client; every failure is one of our errors."""
