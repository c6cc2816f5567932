"""The project's commands, one module each; thin: the work is done by the modules they call."""

import sys

from mirror_crawler.stopping import stop

# Scrapy imports this before the commands and what they need, which takes most of a second.
stop.begin(sys.argv)
