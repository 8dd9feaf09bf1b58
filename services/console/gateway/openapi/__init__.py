"""OpenAPI 3.1, and a page to read, made from the contracts alone.

Pure functions over descriptors: the same image gives the same bytes. What has no words here stops it, so that
nothing which a contract says is left out silently.
"""
