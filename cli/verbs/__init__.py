"""The verbs of `ares`, a file each group: every file has an `add_to(app)`, and is found by looking into this folder."""
