"""SPDY/3.1 as Kubernetes uses it (SPDY Protocol Draft 3.1), both roles."""
