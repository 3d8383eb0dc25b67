"""Process-supervision datasets: step-level labels on reasoning traces."""

__version__ = "0.1.0"
