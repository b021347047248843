"""BUSight: breast-ultrasound AI that people can believe. Research use only, not a medical device.

The public interface stands in ``__init__.pyi``; each name is imported when it is first used, so that prediction never
loads what only training needs.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
