"""Where bytes come from: one file a kind behind the interface of ``interface.py``."""
