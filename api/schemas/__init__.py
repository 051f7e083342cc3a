"""What goes over the wire, one file a subject. Tables of the database never appear here."""
