"""Segmentation without training: each method segments dark regions and scores them by how lesion-like they are."""
