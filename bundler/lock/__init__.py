"""Spec → lock: every digest and every size, found by all the look-ups that the network is needed for."""
