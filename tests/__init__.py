"""A test names a behaviour, not a method."""
