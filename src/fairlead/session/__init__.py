"""The composition root: builds what a run needs, starts all of it or undoes all of it."""
