"""Byte movement: connections, pumps, listeners, and the driver of a multiplexed connection."""
