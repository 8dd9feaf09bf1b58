"""Licensing: decides each release and keeps a receipt for every answer."""
