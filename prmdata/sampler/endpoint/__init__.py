"""Any OpenAI-compatible server, or several: connecting, balancing, patience, requests."""
