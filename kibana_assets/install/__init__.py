"""Putting the package's assets into a stack without Fleet: what is wanted, what is there, the plan, and doing it."""
