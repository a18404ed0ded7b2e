"""A request that names a host which is not this server's is refused, whatever it asks for."""

import httpx
import pytest

from conftest import MakeKey
from vendorwatch.settings import Settings
from vendorwatch.web.hosts import UnknownHost, check_host


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    more = {
        "VENDORWATCH_BIND": "[fd00::7]:8000",
        "VENDORWATCH_PUBLIC_URL": "https://Scores.example.org:8443/vw",
        "VENDORWATCH_ALLOWED_HOSTS": "probe.internal, 10.0.0.5",
    }
    return Settings.from_env(settings.environment() | more)


OURS = [
    "localhost",
    "localhost:8000",
    "LocalHost:1",
    "127.0.0.1:49152",
    "[::1]:8000",
    "[fd00::7]",
    "scores.example.org",
    "scores.example.org:443",
    "probe.internal",
    "10.0.0.5:9090",
]
OTHERS = [
    "evil.example",
    "evil.example:8000",
    "scores.example.org.evil.example",
    "evil.example/scores.example.org",
    "localhost@evil.example",
    "evil.example#localhost",
    "localhost:8000@evil.example",
    "localhost:port",
    "localhost evil.example",
    "xlocalhost",
    "scoresxexample.org",
    "*",
    "[::1",
    "::1",
    ":8000",
]


async def test_the_hosts_of_this_server_are_answered_and_no_others(
    client: httpx.AsyncClient, key: MakeKey
) -> None:
    good = {"Authorization": f"Bearer {await key('read')}"}
    for path in ("/health", "/docs", "/metrics", "/v1/me"):
        for host in OURS:
            assert (await client.get(path, headers=good | {"Host": host})).status_code == 200, host
    for path in ("/health", "/metrics", "/nothing", "/v1/me", "/v1/unsubscribe/x"):
        for host in OTHERS:
            refused = await client.get(path, headers=good | {"Host": host})
            assert refused.status_code == 400, host
            assert refused.headers["Content-Type"] == "application/problem+json"
            assert refused.json()["type"].endswith("/unknown-host")
            assert refused.headers["X-Request-ID"] == refused.json()["request_id"]
            assert "evil" not in refused.text


async def test_no_header_of_a_proxy_counts(client: httpx.AsyncClient) -> None:
    ours, evil = {"Host": "localhost"}, "evil.example"
    forwarded = {"X-Forwarded-Host": evil, "Forwarded": f"host={evil}", "X-Forwarded-Proto": "x"}
    answer = await client.get("/health", headers=ours | forwarded)
    assert answer.status_code == 200
    assert evil not in f"{answer.headers} {answer.text}"
    forwarded = {"X-Forwarded-Host": "localhost", "Forwarded": "host=localhost"}
    answer = await client.get("/health", headers=forwarded | {"Host": evil})
    assert answer.status_code == 400


def test_any_host_if_the_operator_says_so() -> None:
    headers = [(b"host", b"evil.example")]
    check_host(headers, Settings.from_env({"VENDORWATCH_ALLOWED_HOSTS": "*"}).hosts)
    with pytest.raises(UnknownHost):
        check_host(headers, Settings.from_env({}).hosts)


def test_http_1_0_need_not_name_one() -> None:
    check_host([], Settings.from_env({}).hosts)
    check_host([(b"host", b"")], Settings.from_env({}).hosts)
