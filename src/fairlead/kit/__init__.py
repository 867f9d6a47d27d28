"""Asyncio tools that know no domain."""
