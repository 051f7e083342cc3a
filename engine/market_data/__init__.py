"""Market data of one process: streams first, REST when they fall silent, and a breaker when that fails too."""
