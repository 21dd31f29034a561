"""bundle.yml → frozen values; its JSON schema; model families as data."""
