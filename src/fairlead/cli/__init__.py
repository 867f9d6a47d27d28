"""Arguments to settings to session; text and JSON; exit codes. No decisions."""
