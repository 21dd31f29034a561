"""Installing the assets into a real Elasticsearch, and into a Kibana."""
