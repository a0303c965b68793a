"""The official package of OpenAI, unchanged but for its address."""

import os

from openai import OpenAI

client = OpenAI(base_url=os.environ.get("BRIDGE", "http://127.0.0.1:8000") + "/v1", api_key=os.environ.get("TOKEN", "none"))
stream = client.chat.completions.create(model="auto", stream=True, messages=[{"role": "user", "content": "Hello"}])
for chunk in stream:
    print(chunk.choices[0].delta.content or "", end="", flush=True)
print()
