"""The official package of Anthropic, unchanged but for its address."""

import os

from anthropic import Anthropic

client = Anthropic(base_url=os.environ.get("BRIDGE", "http://127.0.0.1:8000"), api_key=os.environ.get("TOKEN", "none"))
answer = client.messages.create(model="auto", max_tokens=1000, messages=[{"role": "user", "content": "Hello"}])
print(answer.content[0].text)
