"""Result folders: what stands in them, what is there, what is missing, and the statistics of what they hold."""
