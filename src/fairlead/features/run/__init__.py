"""``run``: a program in a private network in which the clusters' names and addresses answer."""
