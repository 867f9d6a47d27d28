"""``fairlead forward``: local ports that lead to pods, and go on leading there when the pods change."""
