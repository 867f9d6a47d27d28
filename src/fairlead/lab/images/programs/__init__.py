"""Programs that run in containers: each is started by itself, as fast as can be, with the standard library alone."""
