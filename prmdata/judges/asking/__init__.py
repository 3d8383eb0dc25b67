"""Asking a model to judge: messages in, words out, everything counted."""
