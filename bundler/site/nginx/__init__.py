"""The host's own Nginx: where it reads its configuration, how it is told, and which files there are ours."""
