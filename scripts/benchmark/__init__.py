"""What `make bench` measures: each section is a function that returns a table, all of one machine and one run."""
