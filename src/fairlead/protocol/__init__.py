"""Sans-IO engines: bytes in, events or calls out, bytes to send, and the time of the next timer."""
