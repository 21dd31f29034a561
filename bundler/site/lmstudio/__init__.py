"""LM Studio as the operator brought it: its user, its command, its models folder, its server, its unit."""
