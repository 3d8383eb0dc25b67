"""What judges say → verdicts: read leniently, checked strictly."""
