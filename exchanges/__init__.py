"""One file, one venue: translate both ways, decide nothing."""
