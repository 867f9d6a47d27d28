"""``fairlead services``: every service by its own name, on its own address, for as long as the cluster has it."""
