"""Pods as processes: sandboxes that hold namespaces, containers in them, and what they say and see."""
