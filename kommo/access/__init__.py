"""Who may call: until people can log in, direct callers from this machine only."""
