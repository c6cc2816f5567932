"""The container images, built and tried for real: ``make container-check``."""
