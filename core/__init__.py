"""What everyone may rely on: contracts first, plumbing second."""
