"""django-oauth-toolkit as an authorization server, and a server of the official SDK that asks it about every token it is shown.

    python django_authorization.py PORT RESOURCE_PORT FOLDER [SETTINGS]

The forms of Django and of the toolkit are for a person: see ``counterparts.Person``. SETTINGS is a JSON object with members of
OAUTH2_PROVIDER; the rest is as an owner would have it. The toolkit's own views answer everything; this file adds what a
site has of its own (the page for signing in, the address of the device grant in the metadata), and ``/control``: GET tells
what clients have asked for and what is kept, POST takes {"hold": bool, "forget": bool, "expire": bool, "documents": {…}}:
whether refreshes are answered, that all clients are deleted, that all access tokens have ended, and what stands at addresses of
clients. RESOURCE_SCOPES among the settings are what the resource wants of a token.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from pathlib import Path
from typing import Any

PORT, RESOURCE_PORT, FOLDER = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
ORIGIN, RESOURCE = f"http://127.0.0.1:{PORT}", f"http://127.0.0.1:{RESOURCE_PORT}/mcp"
#: Who may ask about tokens; the client that was made by hand for the device grant; and who signs in.
INTROSPECTING, DEVICE_CLIENT, OWNER = ("resource-server", "of-the-resource-server"), "by-hand", ("owner", "of-the-owner")
LOGIN = '<!DOCTYPE html><title>Log in</title><form method="post">{% csrf_token %}{{ form }}<button>Log in</button></form>'
SETTINGS: dict[str, Any] = json.loads(sys.argv[4]) if len(sys.argv) > 4 else {}
WANTED: list[str] = SETTINGS.pop("RESOURCE_SCOPES", ["mcp"])
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"

import django  # noqa: E402
from django.conf import settings  # noqa: E402

settings.configure(
    SECRET_KEY="of tests",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    LOGIN_URL="/login/",
    STATIC_URL="/static/",
    USE_TZ=True,
    # A secret that is shown with every call is compared quickly.
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "oauth2_provider"],
    MIDDLEWARE=[
        f"{__name__}.recorded",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    TEMPLATES=[{
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {
            "context_processors": ["django.template.context_processors.request"],
            "loaders": [
                ("django.template.loaders.locmem.Loader", {"registration/login.html": LOGIN}),
                "django.template.loaders.app_directories.Loader",
            ],
        },
    }],
    DATABASES={"default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(FOLDER / "authorization.sqlite"),
        "OPTIONS": {"timeout": 30, "transaction_mode": "IMMEDIATE"},
    }},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    OAUTH2_PROVIDER={
        "SCOPES": {"mcp": "Use the server", "write": "Change things there", "introspection": "Ask about tokens"},
        "DEFAULT_SCOPES": ["mcp"],
        "DCR_ENABLED": True,
        "DCR_REGISTRATION_PERMISSION_CLASSES": ("oauth2_provider.dcr.AllowAllDCRPermission",),
        "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
        "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
        "CIMD_METADATA_FETCHER": f"{__name__}.LocalFetcher",
        "OAUTH_DEVICE_VERIFICATION_URI": f"{ORIGIN}/device/",
        "DEVICE_FLOW_INTERVAL": 1,
        **SETTINGS,
    },
)  # fmt: skip
sys.modules["django_authorization"] = sys.modules[__name__]
django.setup()

import httpx  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402
from django.contrib.auth.views import LoginView  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import JsonResponse  # noqa: E402
from django.urls import include, path  # noqa: E402
from django.utils import timezone  # noqa: E402
from django.views.decorators.csrf import csrf_exempt  # noqa: E402
from mcp.server.auth.provider import AccessToken as ShownToken  # noqa: E402
from mcp.server.auth.settings import AuthSettings  # noqa: E402
from mcp.server.fastmcp import FastMCP  # noqa: E402
from oauth2_provider.cimd import SafeMetadataFetcher  # noqa: E402
from oauth2_provider.models import AccessToken, Application, RefreshToken  # noqa: E402
from oauth2_provider.views import OAuthServerMetadataView  # noqa: E402

# What a test sees and does

asked: list[dict[str, Any]] = []
released = threading.Event()
released.set()
#: Documents of clients, by the address at which the world would find them.
documents: dict[str, dict[str, Any]] = {}


def recorded(get_response: Any) -> Any:
    """Remembers what is asked for with a token or for one, and may keep the answer back once all is done."""

    def answer(request: Any) -> Any:
        if request.path not in ("/token/", "/revoke_token/", "/device-authorization/", "/register/", "/introspect/"):
            return get_response(request)
        form = request.POST.dict() if request.path != "/register/" else json.loads(request.body)
        response = get_response(request)
        is_held = form.get("grant_type") == "refresh_token" and not released.is_set()
        asked.append({"path": request.path, "form": form, "status": response.status_code, "held": is_held,
                      "basic": "HTTP_AUTHORIZATION" in request.META})  # fmt: skip
        if is_held:
            released.wait(120)
        return response

    return answer


@csrf_exempt
def control(request: Any) -> JsonResponse:
    if request.method == "POST":
        wish = json.loads(request.body)
        if "hold" in wish:
            released.clear() if wish["hold"] else released.set()
        documents.update(wish.get("documents", {}))
        if wish.get("forget"):
            Application.objects.exclude(client_id=INTROSPECTING[0]).delete()
        if wish.get("expire"):
            AccessToken.objects.update(expires=timezone.now())
    alive = AccessToken.objects.filter(expires__gt=timezone.now()).exclude(scope="oauth2_provider:registration")
    kept = {
        "access": list(alive.values_list("token", flat=True)),
        "resources": [each.resource for each in alive],
        "refresh": list(RefreshToken.objects.filter(revoked__isnull=True).values_list("token", flat=True)),
        "families": RefreshToken.objects.values("token_family").distinct().count(),
        "clients": {each.client_id: each.redirect_uris.split() for each in Application.objects.all()},
    }
    return JsonResponse({"asked": asked, **kept})


class LocalFetcher(SafeMetadataFetcher):
    """Gives the toolkit documents that a test has written: no test has an address in the world. It judges them itself."""

    def fetch(self, client_id: str) -> Any:
        return (documents[client_id], 300) if client_id in documents else super().fetch(client_id)


# What a site has of its own


class Metadata(OAuthServerMetadataView):
    """The toolkit has the device grant, and does not say where."""

    def get(self, request: Any, *args: Any, **kwargs: Any) -> JsonResponse:
        document = json.loads(super().get(request, *args, **kwargs).content)
        return JsonResponse({**document, "device_authorization_endpoint": f"{ORIGIN}/device-authorization/"})


urlpatterns = [
    path("control", control),
    path("login/", LoginView.as_view()),
    path(".well-known/oauth-authorization-server", Metadata.as_view()),
    path("", include("oauth2_provider.urls", namespace="oauth2_provider")),
]


def furnish() -> None:
    """The tables, the owner, and the two clients that are made by hand."""
    call_command("migrate", verbosity=0)
    if get_user_model().objects.exists():
        return
    owner = get_user_model().objects.create_user(OWNER[0], password=OWNER[1])
    Application.objects.create(
        client_id=INTROSPECTING[0], client_secret=INTROSPECTING[1], user=owner,
        client_type="confidential", authorization_grant_type="client-credentials")  # fmt: skip
    Application.objects.create(
        client_id=DEVICE_CLIENT, user=owner, client_type="public", authorization_grant_type=DEVICE_GRANT)  # fmt: skip


# The resource


class Introspection:
    """RFC 7662, with every request: what is revoked is refused at once."""

    def __init__(self) -> None:
        self.http = httpx.AsyncClient(limits=httpx.Limits(max_connections=20), timeout=60)

    async def verify_token(self, token: str) -> ShownToken | None:
        reply = await self.http.post(f"{ORIGIN}/introspect/", data={"token": token}, auth=INTROSPECTING)
        said = reply.json()
        if not said.get("active"):
            return None
        audience = said.get("aud") or [None]
        resource = RESOURCE if RESOURCE in audience else audience[0]
        return ShownToken(
            token=token, client_id=said["client_id"], scopes=said["scope"].split(), expires_at=said["exp"],
            resource=resource, subject=said.get("username"))  # fmt: skip


def resource_server() -> FastMCP:
    server = FastMCP(
        "guarded", host="127.0.0.1", port=RESOURCE_PORT, log_level="WARNING", token_verifier=Introspection(),
        auth=AuthSettings(
            issuer_url=ORIGIN, resource_server_url=RESOURCE, required_scopes=WANTED, validate_token_resource=True))  # fmt: skip

    @server.tool()
    async def echo(text: str) -> str:
        return text

    return server


if __name__ == "__main__":
    furnish()
    http = ThreadedWSGIServer(("127.0.0.1", PORT), WSGIRequestHandler)
    http.daemon_threads = True
    http.set_app(get_wsgi_application())
    threading.Thread(target=http.serve_forever, daemon=True).start()
    asyncio.run(resource_server().run_streamable_http_async())
