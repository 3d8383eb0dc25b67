"""Rows to a dataset: which traces to take, how shards are written, the card beside them."""
