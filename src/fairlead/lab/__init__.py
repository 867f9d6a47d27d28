"""The embedded one-machine cluster: an extra, started as a child process. Nothing else imports it."""
