"""What the methods that grow trees of steps share."""
