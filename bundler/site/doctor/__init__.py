"""Is this machine fit for the bundle? One file a group of checks, each a function from facts to findings."""
