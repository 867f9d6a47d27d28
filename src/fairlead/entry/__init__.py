"""How traffic gets in on the laptop."""
