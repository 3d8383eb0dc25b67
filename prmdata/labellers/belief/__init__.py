"""The machine behind `posterior`: its model, its prior over policies, and how that is fitted."""
