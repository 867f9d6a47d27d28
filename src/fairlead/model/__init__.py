"""Frozen values that every layer may hold; nothing here waits, reads a clock or touches the machine."""
