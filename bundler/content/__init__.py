"""What llm-bundle itself writes into a bundle: its README and the snippets. Pure functions of the lock."""
