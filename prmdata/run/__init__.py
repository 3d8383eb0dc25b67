"""The engine that every stage runs on: bounded concurrency, resume, failed items, progress."""
