"""What the official packages of the model APIs make of our bodies and streams. Runs in their environment, by test_chat_dialects.

A server on loopback answers with the files of Tests/chat-streams: `/text/v1/chat/completions` with completions-text.json,
or with completions-text.sse where a stream is asked for. Every scenario is a function; all of them run, and what each said
goes to stdout as one JSON object.
"""

from __future__ import annotations

import http.server
import json
import threading
from pathlib import Path
from typing import Any

import anthropic
import openai
from chat_packages import HAS_CODES, class_for, is_expected, run_all, scenario

FILES = Path(__file__).resolve().parent.parent / "chat-streams"
FAULTS = json.loads((FILES / "faults.json").read_text(encoding="utf-8"))
PROSE = json.loads((FILES / "messages-text.json").read_text(encoding="utf-8"))["content"][0]["text"]
WEATHER = {"city": "Zürich", "days": [1, 2]}
DIALECTS = {"chat/completions": "completions", "responses": "responses", "messages": "messages"}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    requests = 0

    def do_GET(self) -> None:
        if "/models/" in self.path:
            self._send(200, {}, (FILES / "model.json").read_bytes())
        else:
            self._send(200, {}, (FILES / "models.json").read_bytes())

    def do_POST(self) -> None:
        type(self).requests += 1
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        _, case, _, *rest = self.path.partition("?")[0].split("/")
        route = "/".join(rest)
        if route == "messages/count_tokens":
            return self._send(200, {}, (FILES / "count_tokens.json").read_bytes())
        dialect = DIALECTS[route]
        if case.startswith("fault-"):
            fault = next(f for f in FAULTS if f["dialect"] == dialect and f["word"] == case.removeprefix("fault-"))
            return self._send(fault["status"], fault["headers"], json.dumps(fault["body"]).encode())
        if body.get("stream"):
            return self._send(200, {}, (FILES / f"{dialect}-{case}.sse").read_bytes(), "text/event-stream")
        return self._send(200, {}, (FILES / f"{dialect}-{case}.json").read_bytes())

    def _send(self, status: int, headers: dict[str, str], body: bytes, content_type: str = "application/json") -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        # In pieces, so that events and characters are cut anywhere.
        for start in range(0, len(body), 1000):
            self.wfile.write(body[start : start + 1000])

    def log_message(self, *_: object) -> None:
        pass


SERVER = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
URL = f"http://127.0.0.1:{SERVER.server_address[1]}"
ASK: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
ASK_MESSAGES: dict[str, Any] = {**ASK, "max_tokens": 100}


def to_openai(case: str, **options: Any) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{URL}/{case}/v1", api_key="k", max_retries=0, **options)


def to_anthropic(case: str, **options: Any) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=f"{URL}/{case}", api_key="k", max_retries=0, **options)


@scenario
def completions_whole() -> None:
    answer = to_openai("text").chat.completions.create(**ASK)
    assert answer.choices[0].message.content == PROSE
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None and answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert (answer.object, answer.created, answer.model) == ("chat.completion", 1_780_000_000, "gpt-5")
    assert to_openai("empty").chat.completions.create(**ASK).choices[0].message.content == ""
    assert to_openai("length").chat.completions.create(**ASK).choices[0].finish_reason == "length"
    assert to_openai("stop").chat.completions.create(**ASK).choices[0].message.content == "one two "
    called = to_openai("tools").chat.completions.create(**ASK).choices[0]
    assert called.finish_reason == "tool_calls" and called.message.tool_calls is not None
    assert [call.function.name for call in called.message.tool_calls] == ["get_weather", "get_time"]
    assert json.loads(called.message.tool_calls[0].function.arguments) == WEATHER
    assert len({call.id for call in called.message.tool_calls}) == 2
    assert to_openai("only-tools").chat.completions.create(**ASK).choices[0].message.content is None


@scenario
def completions_streamed() -> None:
    for case, text, reason in (
        ("text", PROSE, "stop"),
        ("waited", PROSE, "stop"),
        ("empty", "", "stop"),
        ("length", "It was a dark and", "length"),
        ("stop", "one two ", "stop"),
        ("tools", "I shall look.", "tool_calls"),
    ):
        chunks = list(to_openai(case).chat.completions.create(**ASK, stream=True))
        assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == text, case
        assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == reason, case
        assert chunks[0].choices[0].delta.role == "assistant", case
        assert chunks[-1].usage is not None and chunks[-1].choices == [], case


@scenario
def completions_helper() -> None:
    for case, text in (("text", PROSE), ("waited", PROSE), ("empty", ""), ("tools", "I shall look."), ("only-tools", None)):
        with to_openai(case).chat.completions.stream(**ASK) as stream:
            for _ in stream:
                pass
            message = stream.get_final_completion().choices[0].message
        assert message.content == text, (case, message.content)
        if case == "tools":
            assert message.tool_calls is not None
            assert [call.function.name for call in message.tool_calls] == ["get_weather", "get_time"]
            assert json.loads(message.tool_calls[0].function.arguments) == WEATHER


@scenario
def completions_fail_in_the_middle() -> None:
    try:
        list(to_openai("failed").chat.completions.create(**ASK, stream=True))
    except openai.APIError as error:
        assert error.code == "source_lost" and error.type == "server_error" and "The source is gone" in error.message
    else:
        raise AssertionError("nothing was raised")


@scenario
def responses_whole() -> None:
    answer = to_openai("text").responses.create(model="m", input="hi")
    assert answer.output_text == PROSE and answer.status == "completed"
    assert answer.usage is not None and answer.usage.input_tokens > 0
    assert answer.usage.output_tokens_details.reasoning_tokens == 0
    assert [tool.name for tool in answer.tools] == ["get_weather", "get_time"]
    assert to_openai("empty").responses.create(model="m", input="hi").output_text == ""
    cut = to_openai("length").responses.create(model="m", input="hi")
    assert cut.status == "incomplete" and cut.incomplete_details.reason == "max_output_tokens"
    calls = [i for i in to_openai("tools").responses.create(model="m", input="hi").output if i.type == "function_call"]
    assert [call.name for call in calls] == ["get_weather", "get_time"]
    assert json.loads(calls[0].arguments) == WEATHER and calls[0].call_id == "call_1"


@scenario
def responses_streamed() -> None:
    for case, text in (("text", PROSE), ("waited", PROSE), ("empty", ""), ("tools", "I shall look."), ("stop", "one two ")):
        events = list(to_openai(case).responses.create(model="m", input="hi", stream=True))
        assert "".join(e.delta for e in events if e.type == "response.output_text.delta") == text, case
        assert [e.sequence_number for e in events] == list(range(len(events))), case
        assert events[-1].type == "response.completed" and events[-1].response.output_text == text, case
    last = list(to_openai("length").responses.create(model="m", input="hi", stream=True))[-1]
    assert last.type == "response.incomplete" and last.response.status == "incomplete"


@scenario
def responses_helper() -> None:
    for case, text in (("text", PROSE), ("waited", PROSE), ("empty", ""), ("tools", "I shall look.")):
        with to_openai(case).responses.stream(model="m", input="hi") as stream:
            for _ in stream:
                pass
            answer = stream.get_final_response()
        assert answer.output_text == text, case
        if case == "tools":
            calls = [item for item in answer.output if item.type == "function_call"]
            assert json.loads(calls[0].arguments) == WEATHER


@scenario
def responses_fail_in_the_middle() -> None:
    last = list(to_openai("failed").responses.create(model="m", input="hi", stream=True))[-1]
    assert last.type == "response.failed" and last.response.error.code == "source_lost"
    assert last.response.error.message == "The source is gone"


@scenario
def messages_whole() -> None:
    answer = to_anthropic("text").messages.create(**ASK_MESSAGES)
    assert answer.content[0].text == PROSE and answer.stop_reason == "end_turn"
    assert answer.usage.input_tokens > 0 and answer.usage.output_tokens > 0
    assert to_anthropic("empty").messages.create(**ASK_MESSAGES).content == []
    assert to_anthropic("length").messages.create(**ASK_MESSAGES).stop_reason == "max_tokens"
    cut = to_anthropic("stop").messages.create(**ASK_MESSAGES)
    assert (cut.stop_reason, cut.stop_sequence) == ("stop_sequence", "END")
    called = to_anthropic("tools").messages.create(**ASK_MESSAGES)
    assert called.stop_reason == "tool_use" and called.content[1].input == WEATHER


@scenario
def messages_streamed() -> None:
    for case, text in (("text", PROSE), ("waited", PROSE), ("empty", ""), ("tools", "I shall look."), ("stop", "one two ")):
        events = list(to_anthropic(case).messages.create(**ASK_MESSAGES, stream=True))
        deltas = [e.delta for e in events if e.type == "content_block_delta"]
        assert "".join(delta.text for delta in deltas if delta.type == "text_delta") == text, case
        assert events[0].type == "message_start" and events[0].message.usage.input_tokens > 0, case
        assert events[-1].type == "message_stop", case


@scenario
def messages_helper() -> None:
    for case, text in (("text", PROSE), ("waited", PROSE), ("tools", "I shall look."), ("length", "It was a dark and")):
        with to_anthropic(case).messages.stream(**ASK_MESSAGES) as stream:
            assert "".join(stream.text_stream) == text, case
            message = stream.get_final_message()
        assert message.content[0].text == text and message.usage.output_tokens > 0, case
        if case == "tools":
            assert message.stop_reason == "tool_use" and message.content[1].input == WEATHER
    with to_anthropic("empty").messages.stream(**ASK_MESSAGES) as stream:
        assert stream.get_final_message().content == []


@scenario
def messages_fail_in_the_middle() -> None:
    try:
        list(to_anthropic("failed").messages.create(**ASK_MESSAGES, stream=True))
    except anthropic.APIStatusError as error:
        assert "The source is gone" in str(error), error
        assert not HAS_CODES or (error.type, error.error_code) == ("api_error", "source_lost")
    else:
        raise AssertionError("nothing was raised")


@scenario
def every_fault_has_its_class() -> None:
    for fault in FAULTS:
        case, status = f"fault-{fault['word']}", fault["status"]
        try:
            if fault["dialect"] == "completions":
                to_openai(case).chat.completions.create(**ASK)
            elif fault["dialect"] == "responses":
                to_openai(case).responses.create(model="m", input="hi")
            else:
                to_anthropic(case).messages.create(**ASK_MESSAGES, stream=True)
        except openai.APIStatusError as error:
            assert type(error) is class_for(openai, status), (fault, type(error))
            assert error.code == fault["word"] and error.param == "messages[0]" and "What went wrong" in error.message
        except anthropic.APIStatusError as error:
            if HAS_CODES:
                assert is_expected(error, anthropic, status, fault["word"]), (fault, type(error))
                assert error.error_code == fault["word"] and error.type == fault["body"]["error"]["type"]
            assert error.status_code == status and "What went wrong" in str(error)
        else:
            raise AssertionError(f"nothing was raised: {fault}")


@scenario
def what_must_not_be_repeated_is_not() -> None:
    """With the retries that clients have by default. Whatever may be repeated would make them wait."""
    for fault in FAULTS:
        if fault["headers"].get("x-should-retry") != "false":
            continue
        before = Handler.requests
        try:
            if fault["dialect"] == "messages":
                anthropic.Anthropic(base_url=f"{URL}/fault-{fault['word']}", api_key="k").messages.create(**ASK_MESSAGES)
            elif fault["dialect"] == "completions":
                openai.OpenAI(base_url=f"{URL}/fault-{fault['word']}/v1", api_key="k").chat.completions.create(**ASK)
            else:
                client = openai.OpenAI(base_url=f"{URL}/fault-{fault['word']}/v1", api_key="k")
                client.responses.create(model="m", input="hi")
        except (openai.APIStatusError, anthropic.APIStatusError):
            pass
        assert Handler.requests == before + 1, fault


@scenario
def models_and_counts() -> None:
    names = ["mcp-external-sampling", "org/m:latest"]
    assert [model.id for model in to_openai("x").models.list()] == names
    assert [model.id for model in to_anthropic("x").models.list()] == names
    assert to_openai("x").models.retrieve("org/m:latest").owned_by == "mcp-bridge"
    model = to_anthropic("x").models.retrieve("org/m:latest")
    assert model.display_name == "M" and model.created_at.year == 2026
    assert to_anthropic("x").messages.count_tokens(**ASK).input_tokens > 0


if __name__ == "__main__":
    threading.Thread(target=SERVER.serve_forever, daemon=True).start()
    run_all()
