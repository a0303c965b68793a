"""Where things are. The environment may say otherwise."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BINARY = Path(os.environ.get("MCP_BRIDGE_BINARY") or ROOT / ".build/release/mcp-bridge")
SDK_1_PYTHON = Path(os.environ.get("MCP_SDK_1_PYTHON") or ROOT / ".build/venv-mcp1/bin/python")
SDK_2_PYTHON = Path(os.environ.get("MCP_SDK_2_PYTHON") or ROOT / ".build/venv-mcp2/bin/python")
MODELS_PYTHON = Path(os.environ.get("MODELS_PYTHON") or ROOT / ".build/venv-models/bin/python")
OLD_MODELS_PYTHON = Path(os.environ.get("OLD_MODELS_PYTHON") or ROOT / ".build/venv-models-old/bin/python")
OAUTH_PYTHON = Path(os.environ.get("OAUTH_PYTHON") or ROOT / ".build/venv-oauth/bin/python")
SUPPORT = Path(__file__).resolve().parent
