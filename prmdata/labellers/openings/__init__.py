"""Asking for the answer before a trace has come to it."""
