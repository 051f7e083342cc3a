"""One file, one strategy: see, decide, say why."""
