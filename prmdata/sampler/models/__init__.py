"""Model folders: where they are, what they hold, and how their templates render messages."""
