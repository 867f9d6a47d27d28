"""How bytes get to a target."""
