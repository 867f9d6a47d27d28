"""The only code that asks or changes the machine; another operating system is added here and nowhere else."""
