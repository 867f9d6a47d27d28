"""Which services the clusters have, what they are called and where each port leads: for every command with names."""
