"""What the cluster holds, and the rules by which clients change it: no clock, no network, no processes."""
