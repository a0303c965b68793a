#!/bin/sh
# Asks once in each of the three ways. With a token: TOKEN=mcpb_… sh curl.sh
set -eu
url=${BRIDGE:-http://127.0.0.1:8000}
# The token is none of curl's arguments: those can be read by everybody on the machine.
token() { printf 'Authorization: Bearer %s' "${TOKEN:-none}"; }
ask() { token | curl --fail-with-body -sS "$url$1" -H 'Content-Type: application/json' -H @- -d "$2"; echo; }
ask /v1/chat/completions '{"model":"auto","messages":[{"role":"user","content":"Hello"}]}'
ask /v1/messages '{"model":"auto","max_tokens":1000,"messages":[{"role":"user","content":"Hello"}]}'
ask /v1/responses '{"model":"auto","input":"Hello"}'
