# The mirror as a container image; docs/operations.md says how to run it. Inside are Python, the pinned packages, git to
# publish with and an init; no compiler, no browser, no installer of Python packages.

# Pinned by the digest of its multi-platform index, so a build is the same in a year; docs/operations.md says how to
# bring it up to date.
ARG PYTHON=docker.io/library/python:3.11.16-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b

FROM ${PYTHON} AS packages
COPY requirements.txt /tmp/
# pytest is among the requirements for those who run from a checkout.
RUN python3 -m venv --without-pip /opt/mirror \
    && python3 -m pip --python /opt/mirror/bin/python install --no-cache-dir --only-binary=:all: --requirement /tmp/requirements.txt \
    && python3 -m pip --python /opt/mirror/bin/python uninstall --yes pytest pluggy iniconfig \
    && python3 -m pip --python /opt/mirror/bin/python check
COPY scrapy.cfg /opt/mirror/app/
COPY mirror_crawler /opt/mirror/app/mirror_crawler
RUN /opt/mirror/bin/python -m compileall -q /opt/mirror/app

FROM ${PYTHON}
# What only the builder knows is added there: docker build --label org.opencontainers.image.created=…
LABEL org.opencontainers.image.title="mirror_crawler" \
      org.opencontainers.image.description="Mirrors news outlets as Markdown pages, on a schedule" \
      org.opencontainers.image.version="1"
# The ids are fixed so that the owner of a volume stays the same over every build.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git openssh-client tini \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
    && groupadd --gid 10001 mirror \
    && useradd --uid 10001 --gid mirror --home-dir /data --no-create-home --shell /usr/sbin/nologin mirror \
    && install --directory --owner=mirror --group=mirror /data /output
COPY --from=packages /opt/mirror /opt/mirror
ENV PATH=/opt/mirror/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    MIRROR_DATA=/data \
    MIRROR_OUTPUT=/output \
    MIRROR_SCHEDULE="epochtimes 17 * * * *; ntdtv 47 * * * *"
WORKDIR /opt/mirror/app
USER 10001:10001
VOLUME ["/data", "/output"]
STOPSIGNAL SIGTERM
# A degraded run (4) is no reason to call for help twice: the hooks have told it.
HEALTHCHECK --interval=5m --timeout=1m --start-period=2h CMD ["sh", "-c", "scrapy health --last 1 || test $? -eq 4"]
# A signal that comes before Python can hear it waits until then, and ends nothing in the middle.
ENTRYPOINT ["tini", "--", "env", "--block-signal=TERM,INT", "scrapy"]
CMD ["schedule"]
