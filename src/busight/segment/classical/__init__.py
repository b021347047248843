"""Segmentation without training: each method marks dark regions, and the most lesion-like of them scores best."""
