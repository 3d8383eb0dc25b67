"""Row shapes that several export formats share."""
