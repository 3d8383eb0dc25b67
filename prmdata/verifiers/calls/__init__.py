"""Calls of tools, read and compared."""
