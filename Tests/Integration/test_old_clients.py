"""What newer servers send is valid for older clients: `MCPClient` checks every message against its revision's schema."""

from __future__ import annotations

from typing import Any

import pytest
import schema
from harness import Bridge, Bridges
from upstreams import MisbehavingUpstream

CONTENT: list[dict[str, Any]] = [
    {"type": "text", "text": "first"},
    {"type": "audio", "data": "UklGRg==", "mimeType": "audio/wav"},
    {"type": "resource_link", "uri": "file:///notes", "name": "notes", "description": "what was said"},
    {"type": "image", "data": "iVBORw==", "mimeType": "image/png"},
]
#: The kinds that come through as they are.
KNOWN = {
    "2024-11-05": {"text", "image"},
    "2025-03-26": {"text", "image", "audio"},
}


@pytest.fixture(scope="module")
def bridge(shared_bridges: Bridges, misbehaving: MisbehavingUpstream) -> Bridge:
    bridge = shared_bridges.start({"bad": misbehaving.entry})
    bridge.wait_upstream("bad")
    return bridge


@pytest.mark.parametrize("revision", schema.LEGACY_REVISIONS)
def test_content_of_every_kind_is_valid_for_every_client(bridge: Bridge, revision: str) -> None:
    result = bridge.client(revision).call("bad.content", {"content": CONTENT}).result
    got = result["content"]
    assert len(got) == len(CONTENT)
    for sent, received in zip(CONTENT, got, strict=True):
        if sent["type"] in KNOWN.get(revision, {each["type"] for each in CONTENT}):
            assert received == sent
        else:
            assert received["type"] == "text"
            assert sent.get("uri", sent.get("mimeType")) in received["text"]
