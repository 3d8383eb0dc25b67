"""Texts that no judge may call right: what they let through is measured before they are believed
(One Token to Fool LLM-as-a-Judge, arXiv 2507.08794)."""
