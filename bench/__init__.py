"""Fairlead beside other forwarders on a real cluster: ``python -m bench --help``, docs/reference/bench.md."""
