"""All SQL lives here; one unit of work, one commit."""
