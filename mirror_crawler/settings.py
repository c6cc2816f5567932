"""The only wiring of the project. Each line that leaves Scrapy's default says why, and what the default is.

Settings of the mirror itself start with MIRROR_ and are read from the environment; Scrapy's own are set with ``-s`` or
here. docs/settings.md describes them all.
"""

from __future__ import annotations

import os
import sys

from scrapy.settings import default_settings

from mirror_crawler.stopping import stop

# Scrapy imports this first of all that is ours; then come the commands and what they need: most of a second.
stop.begin(sys.argv)

from mirror_crawler.paths import PATTERN  # noqa: E402

BOT_NAME = "mirror_crawler"
SPIDER_MODULES = ["mirror_crawler.spiders"]
COMMANDS_MODULE = "mirror_crawler.commands"  # ours: crawl with a verdict, render, export, import

# --- The mirror -------------------------------------------------------------------------------------------------------
MIRROR_DATA = os.environ.get("MIRROR_DATA", "data")  # private: store, feeds, locks
MIRROR_OUTPUT = os.environ.get("MIRROR_OUTPUT", "output")  # what the world sees
MIRROR_DB = os.environ.get("MIRROR_DB", "")  # address of the store; empty: mirror.db under MIRROR_DATA
MIRROR_CONTACT = os.environ.get("MIRROR_CONTACT", "")  # an address or page where the outlet can reach the operator
MIRROR_MAX_LIST_PAGES = os.environ.get("MIRROR_MAX_LIST_PAGES", "100")  # bound of a list walk without pages=
MIRROR_REVISIT_HOURS = os.environ.get("MIRROR_REVISIT_HOURS", "72")  # an article is looked at again while it is so old
MIRROR_BUSY = os.environ.get("MIRROR_BUSY", "leave")  # leave or wait: when another run of the outlet is at work
MIRROR_SCHEDULE = os.environ.get("MIRROR_SCHEDULE", "")  # what scrapy schedule crawls when, or @file
MIRROR_JITTER = os.environ.get("MIRROR_JITTER", "60")  # seconds by which a scheduled crawl begins late, at most
MIRROR_LOG = os.environ.get("MIRROR_LOG", "human")  # human, or json: one object a line
MIRROR_HOOK_COMMAND = os.environ.get("MIRROR_HOOK_COMMAND", "")  # run when an outlet's verdict changes
MIRROR_HOOK_URL = os.environ.get("MIRROR_HOOK_URL", "")  # asked with POST when an outlet's verdict changes
MIRROR_PATH = os.environ.get("MIRROR_PATH", PATTERN)  # where article pages lie in the tree
MIRROR_THEME = os.environ.get("MIRROR_THEME", "github")  # github or classic
MIRROR_THEME_DIR = os.environ.get("MIRROR_THEME_DIR", "")  # the operator's own templates and words
MIRROR_IMAGES = os.environ.get("MIRROR_IMAGES", "local")  # local, remote or none
MIRROR_IMAGE_WIDTH = os.environ.get("MIRROR_IMAGE_WIDTH", "800")  # pixels; wider pictures are made smaller
MIRROR_IMAGE_MAX_BYTES = os.environ.get("MIRROR_IMAGE_MAX_BYTES", "8M")  # a larger picture is not fetched
MIRROR_IMAGES_PER_ARTICLE = os.environ.get("MIRROR_IMAGES_PER_ARTICLE", "30")  # so many of them are fetched
MIRROR_IMAGES_PER_RUN_BYTES = os.environ.get("MIRROR_IMAGES_PER_RUN_BYTES", "512M")  # the rest is left for next time
MIRROR_LINKS = os.environ.get("MIRROR_LINKS", "neutral")  # neutral or keep
MIRROR_BASE_URL = os.environ.get("MIRROR_BASE_URL", "")  # where the tree is published; share block when set
MIRROR_HOMES = os.environ.get("MIRROR_HOMES", "")  # other public addresses of the tree, separated by spaces
MIRROR_LANGUAGE = os.environ.get("MIRROR_LANGUAGE", "zh-Hans")  # zh-Hans, zh-Hant or en: of home page and lists
MIRROR_NAVIGATION = os.environ.get("MIRROR_NAVIGATION", "")  # Markdown of the navigation row, or @file
MIRROR_FOOTER = os.environ.get("MIRROR_FOOTER", "")  # Markdown under every page, or @file
MIRROR_COUNTER = os.environ.get("MIRROR_COUNTER", "")  # address prefix of a view counter; off when empty
MIRROR_TITLE = os.environ.get("MIRROR_TITLE", "")  # name of the mirror on its home page
MIRROR_PUBLISH = os.environ.get("MIRROR_PUBLISH", "0")  # 1: a crawl publishes at its end
MIRROR_REMOTES = os.environ.get("MIRROR_REMOTES", "")  # git repositories to push to, separated by spaces; may be secret
MIRROR_GIT_BRANCH = os.environ.get("MIRROR_GIT_BRANCH", "main")
MIRROR_GIT_AUTHOR = os.environ.get("MIRROR_GIT_AUTHOR", "mirror_crawler <mirror@localhost>")
MIRROR_REPO_LIMIT = os.environ.get("MIRROR_REPO_LIMIT", "0")  # 900M, 5G: a next volume begins near it; 0: never
MIRROR_PUSH_SECONDS = os.environ.get("MIRROR_PUSH_SECONDS", "1800")  # time limit of one push
MIRROR_PROXY = os.environ.get("MIRROR_PROXY", "")  # of all outlets; MIRROR_PROXY_<OUTLET> of one
SPLASH_URL = os.environ.get("SPLASH_URL", "")  # the Splash server, for pages that scripts build
MIRROR_RENDER = os.environ.get("MIRROR_RENDER", "declared")  # or splash, none: which pages go through it
MIRROR_RENDER_WAIT = os.environ.get("MIRROR_RENDER_WAIT", "10")  # seconds that the scripts of a page may take
globals().update({name: value for name, value in os.environ.items() if name.startswith("MIRROR_PROXY_")})

# --- Honest and polite ------------------------------------------------------------------------------------------------
_contact = f"; +{MIRROR_CONTACT}" if MIRROR_CONTACT else ""
USER_AGENT = f"mirror_crawler/1 (news mirror{_contact})"  # Scrapy's names Scrapy, not us
ROBOTSTXT_OBEY = True  # default False
ROBOTSTXT_USER_AGENT = "mirror_crawler"
CONCURRENT_REQUESTS_PER_DOMAIN = 2  # default 8; an outlet is one slot (see outlet.py)
CONCURRENT_ITEMS = 1  # default 100: Scrapy starts that many tasks for every response; ours never wait
DOWNLOAD_DELAY = 1.0  # seconds; default 0
AUTOTHROTTLE_ENABLED = True  # default False; slows down with the outlet
AUTOTHROTTLE_START_DELAY = 1.0  # default 5: the delay above is enough to start with
AUTOTHROTTLE_TARGET_CONCURRENCY = 2.0  # default 1
COOKIES_ENABLED = False  # default True; a reader of public pages needs none, and none can identify the mirror
REFERRER_POLICY = "no-referrer"  # default tells each page where we came from
METAREFRESH_ENABLED = False  # default True; a page's markup sends us nowhere
HTTPPROXY_AUTH_ENCODING = "utf-8"  # default latin-1, which most passwords are not in
REDIRECT_MAX_TIMES = 5  # default 20
DOWNLOAD_TIMEOUT = 60  # default 180 s
DOWNLOAD_MAXSIZE = 16 * 1024 * 1024  # default 1 GiB; the largest known page has well under 1 MiB
DOWNLOAD_WARNSIZE = 4 * 1024 * 1024  # default 32 MiB
RETRY_TIMES = 3  # default 2
RETRY_GIVE_UP_LOG_LEVEL = "DEBUG"  # default ERROR; the spider counts and logs what was lost, once
TELNETCONSOLE_ENABLED = False  # default True; an open port nobody asked for
REMOTE_CONTROL_ENABLED = False  # default True; likewise

DEFAULT_REQUEST_HEADERS = {
    "Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.5",
    "Accept-Language": "zh-CN,zh;q=0.9",  # default en
}

# --- The way of the data ----------------------------------------------------------------------------------------------
# To load these two, which other settings turn off, too, took a fifth of the start of every run.
EXTENSIONS_BASE = {
    extension: order
    for extension, order in default_settings.EXTENSIONS_BASE.items()
    if not extension.endswith((".RemoteControl", ".TelnetConsole"))
}
EXTENSIONS = {
    "mirror_crawler.run.Run": -100,  # before Scrapy's feed exporter (0): it names the run after which feeds are named
    "mirror_crawler.ending.Ending": 0,
    "mirror_crawler.progress.Progress": 100,
    # Counts once more what is counted anyway, and Scrapy makes a task of it for every item.
    "scrapy.extensions.corestats.CoreStats": None,
}
SPIDER_MIDDLEWARES = {
    "mirror_crawler.pictures.FetchPictures": 60,  # sees what articles have passed the others
    "mirror_crawler.looks.Looks": 100,  # outside of the next: sees every request for an article
    "mirror_crawler.walks.Walks": 200,
    "scrapy.spidermiddlewares.depth.DepthMiddleware": None,  # nothing here follows links to a depth
    "scrapy.spidermiddlewares.metacopy.MetaCopyDetectionMiddleware": None,  # warns of a slip that no request here has
    "scrapy.spidermiddlewares.urllength.UrlLengthMiddleware": None,  # only addresses of known forms are asked for
}
DOWNLOADER_MIDDLEWARES = {
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,
    "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": None,  # public pages ask for no password
    "mirror_crawler.hosts.OutletHostsOnly": 50,
    "mirror_crawler.gate.PictureGate": 60,
    # Scrapy's own lets disallowed pages through when several requests wait for one robots.txt.
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
    "mirror_crawler.robots.RobotsTxt": 100,
    "mirror_crawler.conditional.Conditional": 200,
    "mirror_crawler.blocked.Blocked": 570,  # answers reach it after decompression (590) and before retries (550)
    "mirror_crawler.whole.WholePages": 595,  # sees answers before decompression (590)
    "mirror_crawler.proxy.OutletProxy": 740,  # before Scrapy's HttpProxyMiddleware (750)
}
# Default: no rests, no browser. In front of scrapy-splash there is no middleware: see splash.py.
DOWNLOAD_HANDLERS = dict.fromkeys(("http", "https"), "mirror_crawler.handler.PageHandler")
REQUEST_FINGERPRINTER_CLASS = "mirror_crawler.browser.Fingerprinter"  # default: a rendered page is like any other
ITEM_PIPELINES = {
    "mirror_crawler.pipelines.Normalise": 100,
    "mirror_crawler.pipelines.Validate": 200,
    "mirror_crawler.pipelines.Deduplicate": 300,
    "mirror_crawler.pipelines.Store": 400,
    "mirror_crawler.pipelines.WritePages": 500,
}
DEFAULT_DROPITEM_LOG_LEVEL = "DEBUG"  # default WARNING; a duplicate is no news, and faults are logged already

FEED_STORAGES = {
    "": "mirror_crawler.feeds.AtomicFileStorage",  # default writes in place: a crash leaves half a file
    "file": "mirror_crawler.feeds.AtomicFileStorage",
}
FEED_EXPORTERS = {"records": "mirror_crawler.feeds.RecordExporter"}
FEED_URI_PARAMS = "mirror_crawler.run.feed_parameters"
FEED_EXPORT_ENCODING = "utf-8"
FEED_STORE_EMPTY = False  # default True; an hourly run with nothing new leaves no file
FEEDS = {
    "%(data)s/feeds/%(name)s/articles-%(run)s.jsonl": {
        "format": "records",
        "item_classes": ["mirror_crawler.items.Article"],
        "overwrite": True,
    },
    "%(data)s/feeds/%(name)s/listings-%(run)s.jsonl": {
        "format": "records",
        "item_classes": ["mirror_crawler.items.Listing"],
        "overwrite": True,
    },
}

# --- Quiet ------------------------------------------------------------------------------------------------------------
LOG_LEVEL = os.environ.get("MIRROR_LOG_LEVEL", "WARNING")  # default DEBUG; progress.py prints the rest
LOG_VERSIONS: list[str] = []  # default: a line of library versions at every start
STATS_CLASS = "mirror_crawler.counters.Counters"  # the same, quicker
STATS_DUMP = False  # default True; the summary says it in a table
LOGSTATS_INTERVAL = 0.0  # default 60 s; progress.py says more
