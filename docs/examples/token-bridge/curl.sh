#!/bin/sh
# Asks once in each of the three ways. With a token: TOKEN=mcpb_… sh curl.sh
set -eu
url=${BRIDGE:-http://127.0.0.1:8000}
ask() { curl --fail-with-body -sS "$url$1" -H 'Content-Type: application/json' -H "Authorization: Bearer ${TOKEN:-none}" -d "$2"; echo; }
ask /v1/chat/completions '{"model":"auto","messages":[{"role":"user","content":"Hello"}]}'
ask /v1/messages '{"model":"auto","max_tokens":1000,"messages":[{"role":"user","content":"Hello"}]}'
ask /v1/responses '{"model":"auto","input":"Hello"}'
