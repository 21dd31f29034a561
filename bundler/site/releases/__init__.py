"""The releases of an installation on disk: added, compared, pruned, looked at."""
