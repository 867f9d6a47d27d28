"""What a command does, composed of entries, dialers and intakes."""
