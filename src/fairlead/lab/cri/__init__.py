"""The runtime's service: what a node asks of it, and the streams of port-forward, exec and attach.

``service`` gives a URL for each request; ``streaming`` answers on it, for SPDY and for WebSocket clients; ``drivers``
reach a port of a sandbox. ``grpc`` and ``protobuf`` say the same in the words of the Container Runtime Interface.
"""
