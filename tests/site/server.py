"""A loopback proxy that answers for a handful of hosts itself and lets nothing out of the machine.

A crawler reaches the sample outlets under their real names when ``http_proxy`` and ``https_proxy`` name this server:
plain requests arrive in absolute form, secure ones inside a CONNECT tunnel whose TLS ends here, with a certificate
made at the start. A host that the world does not have is refused with 502, and the refusal is recorded.

Pages carry validators (ETag and Last-Modified), and conditional requests for them are answered with 304.
"""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import functools
import hashlib
import http
import os
import ssl
import tempfile
import threading
import types
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import NamedTuple, Protocol, Self
from urllib.parse import unquote, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.site import pictures

_HTML = "text/html; charset=UTF-8"
_KINDS = {
    ".txt": "text/plain",
    ".xml": "text/xml; charset=UTF-8",
    ".gz": "application/gzip",
    ".json": "application/json",
}
_HEAD_LIMIT = 65_536
_FIRST_DAY = datetime(2020, 1, 1, tzinfo=UTC)
_YEAR = 365 * 24 * 3600


class Request(NamedTuple):
    """One request as the server answered it; header names are in lower case. A hanging answer has status 0."""

    method: str
    url: str
    status: int
    headers: dict[str, str]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the server sends for an address.

    The body is a tuple of byte strings so that pages share their furniture and a huge page costs no memory. ``delay``
    is in seconds before the first byte; ``hang`` never answers; ``cut`` closes the connection in the middle of the
    body; without ``sized`` the length is not announced and the end of the connection ends the body.
    """

    parts: tuple[bytes, ...] = ()
    status: int = 200
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    delay: float = 0.0
    hang: bool = False
    cut: bool = False
    sized: bool = True


class Validators(NamedTuple):
    """What an answer says of its content, so that it can be asked for again only if it changed; empty: not said."""

    etag: str = ""
    modified: str = ""

    @classmethod
    def of(cls, parts: Iterable[bytes]) -> Self:
        """Both, made of the content alone: they are the same in every process, and others for any other content.

        Last-Modified does not tell the order of two contents. Like many servers this one compares it for equality.
        """
        seen = hashlib.sha256()
        for part in parts:
            seen.update(part)
        moment = _FIRST_DAY + timedelta(seconds=int.from_bytes(seen.digest()[:8]) % (6 * _YEAR))
        return cls(f'"{seen.hexdigest()[:24]}"', format_datetime(moment, usegmt=True))

    @property
    def headers(self) -> dict[str, str]:
        """The headers that say so."""
        return {name: value for name, value in (("ETag", self.etag), ("Last-Modified", self.modified)) if value}

    def match(self, headers: Mapping[str, str]) -> bool:
        """Is the content what a request's headers say that the client has? RFC 9110 13.1: ETags go before dates."""
        if (tags := headers.get("if-none-match")) is not None:
            known = {tag.strip().removeprefix("W/") for tag in tags.split(",")}
            return bool(self.etag) and (self.etag.removeprefix("W/") in known or "*" in known)
        return bool(self.modified) and headers.get("if-modified-since") == self.modified


@dataclasses.dataclass(slots=True)
class _Storm:
    """What is answered to everything for a while; ``left`` is for how many requests yet, None: without end."""

    answer: Answer
    of: str
    left: int | None

    def takes(self, url: str) -> bool:
        """Is this request answered by the storm? Then it counts."""
        if self.left == 0 or self.of not in url or (url.endswith("/robots.txt") and not self.of):
            return False
        if self.left is not None:
            self.left -= 1
        return True


class Content(Protocol):
    """What a server serves; :class:`tests.site.world.World` is the usual one.

    ``pages`` maps ``https://host/path`` (path not percent-encoded) to a body, ``aliases`` maps every host that
    redirects to the host it redirects to.
    """

    @property
    def pages(self) -> Mapping[str, tuple[bytes, ...]]: ...

    @property
    def aliases(self) -> Mapping[str, str]: ...


class SampleSite:
    """The server in a thread of its own: ``with SampleSite(world) as site: … site.proxy … site.requests``.

    With ``validators`` set to False no answer carries validators and every request is answered in full.
    """

    def __init__(self, content: Content, port: int = 0) -> None:
        self.requests: list[Request] = []
        self.validators = True
        self._port = port
        self._answers: dict[str, collections.deque[Answer]] = {}
        self._storm: _Storm | None = None
        self._stated: dict[str, Validators] = {}
        self._made: dict[str, tuple[tuple[bytes, ...], Validators]] = {}
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="sample-site", daemon=True)
        self._started = threading.Event()
        self._failure: BaseException | None = None
        self._connections: set[_Connection] = set()
        self.serve(content)

    @property
    def proxy(self) -> str:
        """The address to give as ``http_proxy`` and ``https_proxy``."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def environment(self) -> dict[str, str]:
        """This process's environment with the server as the only proxy, for a crawler to be started."""
        proxies = {"http_proxy": self.proxy, "https_proxy": self.proxy}
        return {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")} | proxies

    def serve(self, content: Content) -> None:
        """Serve another world from now on; what :meth:`set` said stays."""
        self._pages = content.pages
        self._aliases = content.aliases
        self._hosts = {urlsplit(url).netloc for url in content.pages} | set(content.aliases)

    def set(
        self,
        url: str,
        body: str | bytes = b"",
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        delay: float = 0.0,
        hang: bool = False,
        cut: bool = False,
        sized: bool = True,
    ) -> None:
        """Answer ``url`` so from now on (see :class:`Answer`); a string is sent as UTF-8."""
        parts = (body.encode() if isinstance(body, str) else body,)
        answer = Answer(parts=parts, status=status, headers=headers or {}, delay=delay, hang=hang, cut=cut, sized=sized)
        self.set_sequence(url, answer)

    def set_sequence(self, url: str, *answers: Answer) -> None:
        """Answer ``url`` with each of ``answers`` in turn, and with the last one ever after."""
        self._answers[_key(url)] = collections.deque(answers)

    def reset(self, url: str) -> None:
        """Forget what :meth:`set` said of ``url``: the world's own page is served again."""
        del self._answers[_key(url)]

    def set_validators(self, url: str, *, etag: str = "", modified: str = "") -> None:
        """State these validators for ``url`` from now on, whatever its content is; without any it has none."""
        self._stated[_key(url)] = Validators(etag, modified)

    def storm(self, answer: Answer, *, count: int | None = None, of: str = "") -> None:
        """Give ``answer`` to the next ``count`` requests (without one: to all) whose address contains ``of``.

        It goes before all that was set. robots.txt is spared unless ``of`` says otherwise.
        """
        self._storm = _Storm(answer, of, count)

    def calm(self) -> None:
        """End a storm."""
        self._storm = None

    def page(self, url: str) -> str:
        """The world's own page at ``url``, to be changed and given to :meth:`set`."""
        return b"".join(self._pages[_key(url)]).decode()

    def asked(self, part: str = "") -> list[str]:
        """The addresses requested so far that contain ``part``, in order."""
        return [request.url for request in self.requests if part in request.url]

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.wait()
        if self._failure:
            raise self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self.tls = _tls_context(tuple(sorted(self._hosts)), datetime.now(UTC).date())
        try:
            server = await self._loop.create_server(lambda: _Connection(self), "127.0.0.1", self._port)
        except OSError as error:
            self._failure = error
            self._started.set()
            return
        self._port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._stop.wait()
        server.close()
        for connection in list(self._connections):
            connection.abort()
        await server.wait_closed()

    def has(self, host: str) -> bool:
        """Whether the server answers for ``host`` itself."""
        return host in self._hosts

    def answer(self, url: str) -> Answer:
        """What to send for ``url``: what was set for it, else the world's page, else a redirect, 404 or 502."""
        if self._storm and self._storm.takes(url):
            return self._storm.answer
        key, _, query = _key(url).partition("?")
        for name in (f"{key}?{query}", key) if query else (key,):
            if waiting := self._answers.get(name):
                return waiting.popleft() if len(waiting) > 1 else waiting[0]
        if parts := self._pages.get(key):
            kind = _KINDS.get(key[key.rfind(".") :], _HTML)
            return Answer(parts=parts, headers={"Content-Type": kind})
        target = urlsplit(url)
        if self.has(target.netloc) and pictures.has_picture(key):
            return Answer(parts=(pictures.picture(key),), headers={"Content-Type": "image/jpeg"})
        if not self.has(target.netloc):
            return Answer(status=502)
        home = self._aliases.get(target.netloc, target.netloc)
        if target.scheme == "http" or home != target.netloc:
            return Answer(status=301, headers={"Location": target._replace(scheme="https", netloc=home).geturl()})
        return Answer(parts=(b"<!DOCTYPE html><html><body><h1>404</h1></body></html>",), status=404)

    def conditional(self, url: str, answer: Answer, headers: Mapping[str, str]) -> Answer:
        """``answer`` with its validators, or 304 when a request with ``headers`` has what it would get.

        Only whole answers of status 200 have validators, and one that states its own is left alone.
        """
        whole = answer.status == 200 and answer.sized and not answer.cut and not answer.hang
        if not whole or not self.validators or answer.headers.keys() & {"ETag", "Last-Modified"}:
            return answer
        validators = self._validators(_key(url), answer.parts)
        if validators.match(headers):
            return Answer(status=304, headers=validators.headers, delay=answer.delay)
        return dataclasses.replace(answer, headers={**answer.headers, **validators.headers})

    def _validators(self, key: str, parts: tuple[bytes, ...]) -> Validators:
        """Those stated for an address, else those of its content; a content is read for them once."""
        if stated := self._stated.get(key):
            return stated
        made = self._made.get(key)
        if made is None or made[0] is not parts:
            made = self._made[key] = parts, Validators.of(parts)
        return made[1]


class _Connection(asyncio.Protocol):
    """One connection of a crawler: requests one after another, in a tunnel once CONNECT has come."""

    def __init__(self, site: SampleSite) -> None:
        self._site = site
        self._origin = ""
        self._received = bytearray()
        self._waiting = False
        self._transport: asyncio.Transport | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._site._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._site._connections.discard(self)

    def abort(self) -> None:
        if self._transport:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._proceed()

    def _proceed(self) -> None:
        """Handle the requests that have wholly arrived, unless an answer is still to be sent."""
        while not self._waiting and self._transport and (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end].decode("latin-1")
            del self._received[: end + 4]
            self._handle(head)
        if len(self._received) > _HEAD_LIMIT:
            self.abort()

    def _handle(self, head: str) -> None:
        line, *fields = head.split("\r\n")
        method, target, _ = line.split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
        if method == "CONNECT":
            self._tunnel(target, headers)
            return
        url = target if target.startswith("http") else self._origin + target
        answer = Answer(status=405)
        if method in ("GET", "HEAD"):
            answer = self._site.conditional(url, self._site.answer(url), headers)
        self._site.requests.append(Request(method, url, 0 if answer.hang else answer.status, headers))
        self._waiting = answer.hang or answer.delay > 0
        if answer.hang:
            return
        if answer.delay:
            asyncio.get_running_loop().call_later(answer.delay, self._send, answer, method)
        else:
            self._send(answer, method)

    def _send(self, answer: Answer, method: str) -> None:
        self._waiting = False
        if self._transport is None:
            return
        length = sum(map(len, answer.parts))
        lines = [f"HTTP/1.1 {answer.status} {_reason(answer.status)}"]
        content = {} if answer.status == 304 else {"Content-Type": _HTML}
        lines += [f"{name}: {value}" for name, value in (content | dict(answer.headers)).items()]
        if not answer.sized:
            lines.append("Connection: close")
        elif answer.status != 304:
            lines.append(f"Content-Length: {length}")
        body: Iterable[bytes] = answer.parts if method != "HEAD" else ()
        if answer.cut:
            body = (b"".join(answer.parts)[: length // 2],)
        self._transport.writelines([("\r\n".join(lines) + "\r\n\r\n").encode(), *body])
        if answer.cut or not answer.sized:
            self._transport.close()
        self._proceed()

    def _tunnel(self, target: str, headers: dict[str, str]) -> None:
        """Open a tunnel to a host of the world: the TLS inside it ends here."""
        assert self._transport
        host, _, port = target.partition(":")
        if not self._site.has(host) or port != "443":
            self._site.requests.append(Request("CONNECT", target, 502, headers))
            self._send(Answer(status=502), "CONNECT")
            return
        self._origin = f"https://{host}"
        self._waiting = True
        self._transport.pause_reading()
        self._transport.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        task = asyncio.get_running_loop().create_task(self._start_tls(self._transport))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _start_tls(self, plain: asyncio.Transport) -> None:
        """Swap the transport; what the client sends right after its handshake waits in the buffer until then."""
        try:
            secure = await asyncio.get_running_loop().start_tls(plain, self, self._site.tls, server_side=True)
        except (OSError, asyncio.CancelledError):
            return
        self._transport = secure
        self._waiting = False
        self._proceed()


@functools.lru_cache(maxsize=65_536)
def _key(url: str) -> str:
    """The spelling of an address under which pages and set answers are kept."""
    return unquote(url.split("#", 1)[0])


def _reason(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


@functools.lru_cache(maxsize=16)
def _tls_context(hosts: tuple[str, ...], today: date) -> ssl.SSLContext:
    """A server context with a self-signed certificate for ``hosts`` that is valid ``today``."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sample outlets")])
    now = datetime(today.year, today.month, today.day, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=7))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as directory:
        chain = Path(directory) / "chain.pem"
        chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + secret)
        context.load_cert_chain(chain)
    return context
