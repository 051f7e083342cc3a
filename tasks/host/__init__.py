"""The engine host: one thread, one loop, and everything that trades in this process."""
