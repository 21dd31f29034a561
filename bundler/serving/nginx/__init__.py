"""The proxy's configuration: rendered from one frozen value, the same bytes for the same value."""
