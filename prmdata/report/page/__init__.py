"""Traces and labels as a page for a browser: one file, or served by parts."""
