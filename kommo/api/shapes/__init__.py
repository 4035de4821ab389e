"""What each call answers, as types: the document is made from them, and tests hold every answer against them.

A route writes plain dictionaries, which is quicker; one that said more or less than its shape would fail the tests.
Descriptions are what readers of the document see, and so Portuguese. Names are those of the JSON.
"""
