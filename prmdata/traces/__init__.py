"""Problems → traces: sample, split into steps, grade."""
