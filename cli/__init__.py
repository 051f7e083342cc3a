"""Everything a person can do, one verb each."""
