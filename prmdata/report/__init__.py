"""Looking at traces and labels: shown, counted, measured against the truth."""
