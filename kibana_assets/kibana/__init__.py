"""Kibana, asked by requests: saved objects and spaces, behind an interface that a test or Fleet can fill otherwise."""
