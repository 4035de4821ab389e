"""The document of the API (OpenAPI 3.1), made from the types that check what is asked and describe what is answered.

`/api/openapi.json` gives it to programs, `/api/docs` shows it to people. A new route has its line in `operations.py`,
a new code in `codes.py`; tests fail for one that is not there, and for one there that nobody gives.
"""
