"""The rollout store, and the sampler that reads it before it asks a model."""
