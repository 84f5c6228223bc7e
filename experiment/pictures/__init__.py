"""Pictures: ``rd_point``, ``cells``, ``rd_curves``, ``image_curves`` before ``published_curves``; their ``rd_axes``."""
