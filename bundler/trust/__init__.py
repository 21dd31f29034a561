"""What makes a bundle checkable by others: SHA256SUMS."""
