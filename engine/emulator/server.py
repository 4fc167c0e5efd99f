"""The emulator's HTTP server: moto's application, our extensions of it, and two paths of our own."""

from __future__ import annotations

import functools
import gc
import json
import os
import socket
import threading
import traceback
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from engine.emulator import data_files, extensions
from engine.emulator.answers import unimplemented
from engine.emulator.connection import KeptConnection
from engine.emulator.eks import api_server
from engine.emulator.identity import STATUS_PATH, EmulatorIdentity

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

WARM = ("sts", "s3", "kms", "iam", "logs", "sns", "secretsmanager", "ec2")  # what an AWS platform asks for first


class EmulatorApplication:
    """WSGI application: the status path, the path that tells EKS of the Kubernetes API, and moto for the rest."""

    def __init__(self, identity: EmulatorIdentity) -> None:
        self._status = json.dumps(identity.status()).encode()
        self._moto = Dispatcher(self._service_application)
        self._extended = threading.Event()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("PATH_INFO") == STATUS_PATH:
            headers = [("Content-Type", "application/json"), ("Content-Length", str(len(self._status)))]
            start_response("200 OK", headers)
            return [self._status]
        if environ.get("PATH_INFO") == api_server.PATH:
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            status, content = api_server.answer(environ["REQUEST_METHOD"], body)
            start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(content)))])
            return [content]
        return self._moto(environ, start_response)

    def prepare(self) -> None:
        """Install the extensions, then import what is likely to be asked for. Runs beside the first requests."""
        try:
            data_files.keep()
            extensions.install()
        except BaseException:  # noqa: BLE001  # the process ends, for any reason whatever
            # Every request would wait for ever: better no emulator, with the reason in its log.
            traceback.print_exc()
            os._exit(1)
        self._extended.set()
        for service in WARM:
            self._moto.get_application({"PATH_INFO": "", "HTTP_HOST": f"{service}.us-east-1.amazonaws.com"})

    def _service_application(self, service: Any) -> Any:
        # No backend may be made before its class is replaced, whichever service asks for it first.
        self._extended.wait()
        application = create_backend_app(service)
        application.register_error_handler(NotImplementedError, unimplemented)
        return OneAtATime(application)


class Dispatcher(DomainDispatcherApplication):
    """moto's choice of a service's application, which remembers: moto lists its own folder anew for each request."""

    KNOWN = 1024  # hosts; those of buckets have no end

    def __init__(self, create_app: Callable[[Any], Any]) -> None:
        super().__init__(create_app)
        self.get_backend_for_host = functools.lru_cache(self.KNOWN)(super().get_backend_for_host)


class OneAtATime:
    """A service's application with one request in it at a time.

    moto iterates over plain dictionaries that other requests change: sixteen resources created at once would now and
    then meet "dictionary changed size during iteration", a 500. Python runs one thread at a time anyway, so nothing
    is lost. A service that calls itself over HTTP would wait for itself: after PATIENCE it is let in.
    """

    PATIENCE = 20.0  # seconds

    def __init__(self, application: Application) -> None:
        self._application = application
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        mine = self._lock.acquire(timeout=self.PATIENCE)
        try:
            return self._application(environ, start_response)
        finally:
            if mine:
                self._lock.release()


class QuietRequestHandler(KeptConnection):
    """Logs failures only: the log of a sandbox that runs for weeks stays readable."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        if str(code) >= "500":
            super().log_request(code, size)


def _prepare(application: EmulatorApplication) -> None:
    application.prepare()
    gc.freeze()  # what is there by now stays, and need not be looked at for garbage


def serve(listener: socket.socket, identity: EmulatorIdentity) -> None:
    """Answer requests on ``listener``, each connection in a thread of its own, until the process ends."""
    application = EmulatorApplication(identity)
    threading.Thread(target=_prepare, args=[application], name="prepare", daemon=True).start()
    host, port = listener.getsockname()[:2]
    server = make_server(
        host, port, application, threaded=True, request_handler=QuietRequestHandler, fd=listener.fileno()
    )
    server.serve_forever()
