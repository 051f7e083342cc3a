"""A venue of our own on another venue's live market: its book, its store, its adapter."""
