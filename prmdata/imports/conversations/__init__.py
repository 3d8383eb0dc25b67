"""Messages of acting traces, looked up by the number of a message."""
