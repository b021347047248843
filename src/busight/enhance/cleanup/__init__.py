"""Filters that take away what is no tissue."""
