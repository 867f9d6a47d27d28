"""Fairlead joins a laptop and a Kubernetes cluster."""

__version__ = "0.1.0"
