"""What clients are promised, as documents that machines read."""
