"""The verbs of the pipe, from a source to an output, for the command line and the library."""
