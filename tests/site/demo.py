"""``make demo``: the real command against the sample outlets, without internet."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.site.server import SampleSite
from tests.site.world import default_world

DEMO = Path("build/demo")
OUTLETS = ("epochtimes", "ntdtv")


def main() -> int:
    """Crawl both sample outlets into an empty directory; returns the exit code of the command that failed, or 0."""
    shutil.rmtree(DEMO, ignore_errors=True)
    with SampleSite(default_world()) as site:
        places = {"MIRROR_DATA": str(DEMO / "data"), "MIRROR_OUTPUT": str(DEMO / "output")}
        for outlet in OUTLETS:
            command = [sys.executable, "-m", "scrapy", "crawl", outlet, "-s", "DOWNLOAD_DELAY=0.1"]
            if code := subprocess.run(command, env=os.environ | site.environment | places, check=False).returncode:
                return code
    sys.stdout.write(f"\nThe mirror's home page: {DEMO / 'output' / 'README.md'}\n")
    sys.stdout.write(f"The JSON lines:         {DEMO / 'data' / 'feeds'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
