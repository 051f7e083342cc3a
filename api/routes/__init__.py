"""One file, one resource; each has a `router` that `api.app` finds by scanning this folder."""
