"""Serve the sample outlets until interrupted: ``python -m tests.site [--port N] [--articles N] [--weight N]``.

Prints one line, the address of the proxy. A crawl reaches the outlets through it:
``http_proxy=ADDRESS https_proxy=ADDRESS scrapy crawl epochtimes``.
"""

from __future__ import annotations

import argparse
import signal
import sys

from tests.site.load import many
from tests.site.server import SampleSite
from tests.site.world import World, default_world


def main() -> None:
    """Read the arguments, serve, and leave at SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m tests.site", description="Serve the sample outlets on loopback.")
    parser.add_argument("--port", type=int, default=0, help="port of the proxy (default: any free one)")
    parser.add_argument("--articles", type=int, default=60, help="generated articles of each outlet (default: 60)")
    parser.add_argument("--load", metavar="OUTLET", help="serve generated articles of OUTLET only, for measurements")
    parser.add_argument("--weight", type=int, default=10, help="with --load: how much furniture a page carries")
    options = parser.parse_args()
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    if options.load:
        world = World(many(options.load, options.articles, weight=options.weight), weight=options.weight)
    else:
        world = default_world(options.articles)
    with SampleSite(world, options.port) as site:
        sys.stdout.write(f"{site.proxy}\n")
        sys.stdout.flush()
        signal.sigwait(signals)


if __name__ == "__main__":
    main()
