"""Ids, wherever they come from: Kommo, an address, a body, a token."""

MAX_ID = 2**63 - 1  # the largest whole number that both databases hold
