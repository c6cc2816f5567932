"""``make demo``: the real command against the sample outlets, without internet."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.site.server import SampleSite
from tests.site.world import World, default_world

DEMO = Path("build/demo")
OUTLETS = ("epochtimes", "ntdtv")


def main(world: World, place: Path) -> int:
    """Crawl both outlets of ``world`` into the directory ``place``, emptied before, and say where to look; returns the
    exit code of the command that failed, or 0.
    """
    shutil.rmtree(place, ignore_errors=True)
    with SampleSite(world) as site:
        places = {"MIRROR_DATA": str(place / "data"), "MIRROR_OUTPUT": str(place / "output")}
        for outlet in OUTLETS:
            command = [sys.executable, "-m", "scrapy", "crawl", outlet, "-s", "DOWNLOAD_DELAY=0.1"]
            if code := subprocess.run(command, env=os.environ | site.environment | places, check=False).returncode:
                return code
    sys.stdout.write(f"\nThe mirror's home page: {place / 'output' / 'README.md'}\n")
    sys.stdout.write(f"The JSON lines:         {place / 'data' / 'feeds'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(default_world(), DEMO))
