"""The secure site: reading, verifying and unpacking a bundle. Never reaches a source, a lock or a build."""
