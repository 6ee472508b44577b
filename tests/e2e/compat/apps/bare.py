"""A script without a single function that anybody could ask for."""
