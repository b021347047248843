"""Filters that bring out edges, details and dark or bright spots."""
