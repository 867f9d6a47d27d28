"""Decisions as pure functions of their arguments; time and chance are arguments too."""
