"""The sample outlets: a small invented news world, served on loopback under the outlets' real names.

``python -m tests.site`` serves it for a crawl by hand; tests use ``with SampleSite(World(…)) as site``.
"""

from tests.site.server import Answer, Request, SampleSite

__all__ = ["Answer", "Request", "SampleSite"]
