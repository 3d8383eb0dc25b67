"""What a trace shows of programs: snippets, listings, printed output, and their mutations."""
