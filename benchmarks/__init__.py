"""A number without its command is a rumour."""
