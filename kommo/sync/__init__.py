"""The sync: moves a Kommo account into the store, loses nothing, and proves it.

`control` asks for runs and cancels them; `engine` does one run, in a worker; the other modules are its steps.
docs/architecture.md tells the order of the steps and why.
"""
