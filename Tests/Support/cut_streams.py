"""Programs with the official packages of the model APIs whose streams are cut in the middle. Runs in their environment, by test_chat_trouble.

Reads from stdin, as JSON, where the bridge is and a token of the sandbox. Says `begun` when the head of each answer is there, and then,
as one JSON object, what each raised.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from typing import Any

import anthropic
import openai

GIVEN = json.loads(sys.stdin.readline())
ASKED: dict[str, Any] = {"model": "wait/60", "messages": [{"role": "user", "content": "hi"}], "stream": True}
OPENAI = openai.OpenAI(base_url=f"{GIVEN['url']}/v1", api_key=GIVEN["token"])
ANTHROPIC = anthropic.Anthropic(base_url=GIVEN["url"], api_key=GIVEN["token"])

STREAMS: dict[str, Callable[[], Any]] = {
    "completions": lambda: OPENAI.chat.completions.create(**ASKED),
    "responses": lambda: OPENAI.responses.create(model="wait/60", input="hi", stream=True),
    "messages": lambda: ANTHROPIC.messages.create(**ASKED, max_tokens=10),
}


def main() -> None:
    raised: dict[str, str] = {}

    def read(dialect: str, stream: Any) -> None:
        try:
            for _ in stream:
                pass
            raised[dialect] = ""
        except Exception as error:
            raised[dialect] = type(error).__name__

    readers = [threading.Thread(target=read, args=(name, begin())) for name, begin in STREAMS.items()]
    print("begun", flush=True)
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    print(json.dumps(raised), flush=True)


main()
