"""What fields objects have, and of what type: to refuse or drop others, to merge lists by key, and to tell clients."""
