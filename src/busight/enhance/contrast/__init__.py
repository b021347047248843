"""Filters that redistribute grey values."""
