"""Filters against speckle and noise."""
