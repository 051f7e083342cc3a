"""The page: its own tests, its client against the API, and a browser on a running installation."""
