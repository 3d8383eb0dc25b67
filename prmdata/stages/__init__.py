"""The verbs of the pipe, from a source to an output. The command line and the library call these."""
