"""Copying on a worker node: who watches which master, and what the follower accounts here are to hold."""
