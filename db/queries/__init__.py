"""What is asked of the tables, one small file a subject. Every function works inside the caller's unit of work."""
