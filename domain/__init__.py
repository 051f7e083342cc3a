"""What is true: no I/O, no clock, no chance, no float money."""
