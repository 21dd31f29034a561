"""The secure site: reading, verifying, unpacking and signing a bundle. Never reaches a source, a lock or a build."""
