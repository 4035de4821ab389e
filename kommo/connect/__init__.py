"""Connecting accounts: reading a pasted token, testing it, keeping it, and opening a client for it."""
