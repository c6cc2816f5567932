"""How the project becomes an egg for Scrapyd (scrapyd-deploy); nothing else installs it."""

from setuptools import find_packages, setup

setup(
    name="mirror_crawler",
    version="1",
    packages=find_packages(include=["mirror_crawler", "mirror_crawler.*"]),
    package_data={"mirror_crawler": ["*.lua", "templates/**/*.j2"]},
    entry_points={"scrapy": ["settings = mirror_crawler.settings"]},
)
