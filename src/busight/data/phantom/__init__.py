"""Breast-ultrasound phantoms: anatomy and lesion → scanner → case; planting puts faults into sets of them."""
