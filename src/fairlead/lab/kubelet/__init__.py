"""The node's agent: it makes of pods what they say, tells how they are, and lets clients reach them."""
