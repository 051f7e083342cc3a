"""Wire, lease, run, release."""
