"""The pictures of the pages of ideas, one file each, from the project's own code: ``python -m docs.pictures``."""
