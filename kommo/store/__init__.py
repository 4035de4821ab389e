"""The store: the tables and every query on them. Nothing outside this room writes SQL."""
