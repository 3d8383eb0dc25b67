"""One run in many parts, by problem: on a Ray cluster, or wherever else shards are run."""
