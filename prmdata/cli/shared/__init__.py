"""What several commands share: options, closing lines, figures."""
