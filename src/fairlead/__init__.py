"""Fairlead joins a laptop and a Kubernetes cluster, in both directions."""

__version__ = "0.1.0"
