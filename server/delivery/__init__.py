"""Getting events to viewers."""
