"""What a step can be checked against without a policy: each verifier is one file."""
