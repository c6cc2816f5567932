"""The container image, built and tried for real: ``make container-check``."""
