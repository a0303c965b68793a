"""What programs with the official packages of the model APIs do to a bridge. Runs in their environment, by test_chat_routes.

Reads from stdin, as JSON, where the bridge is and which tokens there are. Every scenario is a function; all of them run, and
what each said goes to stdout as one JSON object.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import anthropic
import openai
import pydantic
from chat_packages import HAS_CODES, is_expected, run_all, scenario

GIVEN = json.load(sys.stdin)
URL, SANDBOX = GIVEN["url"], GIVEN["sandbox"]
TEXT = 'Grüezi, "quotes", a \\ backslash, ' + "and words " * 40 + "这是一个没有空格的句子"
ASKED = [{"role": "user", "content": TEXT}]
#: The smallest image there is.
IMAGE = b"GIF89a\1\0\1\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\1\0;"
PIXEL = base64.b64encode(IMAGE).decode()
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 2}}}


def to_openai(secret: str = SANDBOX, **options: Any) -> openai.OpenAI:
    return openai.OpenAI(**{"base_url": f"{URL}/v1", "api_key": secret, "max_retries": 0, **options})


def to_anthropic(secret: str = SANDBOX, **options: Any) -> anthropic.Anthropic:
    return anthropic.Anthropic(**{"base_url": URL, "api_key": secret, "max_retries": 0, **options})


#: How each dialect asks for a text, of a client of its package.
def completions(client: Any, model: str = "m", **more: Any) -> Any:
    return client.chat.completions.create(**{"model": model, "messages": ASKED, **more})


def responses(client: Any, model: str = "m", **more: Any) -> Any:
    return client.responses.create(**{"model": model, "input": ASKED, **more})


def messages(client: Any, model: str = "m", **more: Any) -> Any:
    return client.messages.create(**{"model": model, "messages": ASKED, "max_tokens": 9000, **more})


DIALECTS = ((to_openai, completions), (to_openai, responses), (to_anthropic, messages))


def raised(call: Callable[[], Any]) -> Exception:
    try:
        call()
    except (openai.APIError, anthropic.APIError) as error:
        return error
    raise AssertionError("nothing was raised")


def refused(call: Callable[[], Any]) -> Exception | None:
    try:
        call()
    except (openai.APIError, anthropic.APIError) as error:
        return error
    return None


@scenario
def plain() -> None:
    answer = completions(to_openai())
    assert answer.choices[0].message.content == TEXT and answer.choices[0].finish_reason == "stop"
    assert answer.usage.prompt_tokens > 0 < answer.usage.completion_tokens and answer.created > 1_700_000_000
    answer = responses(to_openai())
    assert answer.output_text == TEXT and answer.status == "completed" and answer.usage.total_tokens > 0
    answer = messages(to_anthropic())
    assert answer.content[0].text == TEXT and answer.stop_reason == "end_turn" and answer.usage.input_tokens > 0
    assert completions(to_openai(), max_tokens=1).choices[0].finish_reason == "length"
    assert messages(to_anthropic(), stop_sequences=["quotes"]).stop_sequence == "quotes"
    assert to_anthropic().messages.count_tokens(model="m", messages=ASKED).input_tokens > 100


@scenario
def streamed() -> None:
    chunks = list(completions(to_openai(), stream=True, stream_options={"include_usage": True}))
    said = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(said) == TEXT and len(said) > 5, "in pieces"
    assert chunks[-1].usage.total_tokens > 0
    events = list(responses(to_openai(), stream=True))
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == TEXT
    assert events[-1].type == "response.completed"
    events = list(messages(to_anthropic(), stream=True))
    assert "".join(event.delta.text for event in events if event.type == "content_block_delta") == TEXT


@scenario
def streamed_by_the_helpers() -> None:
    with to_openai().chat.completions.stream(model="m", messages=ASKED) as stream:
        assert stream.get_final_completion().choices[0].message.content == TEXT
    with to_openai().responses.stream(model="m", input=ASKED) as stream:
        assert stream.get_final_response().output_text == TEXT
    with to_anthropic().messages.stream(model="m", messages=ASKED, max_tokens=9000) as stream:
        assert "".join(stream.text_stream) == TEXT and stream.get_final_message().usage.output_tokens > 0


@scenario
def streamed_late() -> None:
    """After signs of life."""
    chunks = list(completions(to_openai(), "wait/0.7", stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == TEXT
    with to_openai().responses.stream(model="wait/0.7", input=ASKED) as stream:
        assert stream.get_final_response().output_text == TEXT
    with to_anthropic().messages.stream(model="wait/0.7", messages=ASKED, max_tokens=9000) as stream:
        assert "".join(stream.text_stream) == TEXT


@scenario
def tools_of_completions() -> None:
    tool = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}
    first = completions(to_openai(), tools=[tool], tool_choice="required").choices[0]
    assert first.finish_reason == "tool_calls"
    call = first.message.tool_calls[0]
    assert call.function.name == "weather" and json.loads(call.function.arguments) == {"city": TEXT, "days": 2}
    answered = [*ASKED, first.message, {"role": "tool", "tool_call_id": call.id, "content": "sunny"}]
    assert completions(to_openai(), messages=answered, tools=[tool]).choices[0].message.content == "sunny"
    with to_openai().chat.completions.stream(model="m", messages=ASKED, tools=[tool], tool_choice="required") as stream:
        calls = stream.get_final_completion().choices[0].message.tool_calls
        assert json.loads(calls[0].function.arguments) == {"city": TEXT, "days": 2}
    assert completions(to_openai(), tools=[tool]).choices[0].message.tool_calls is None, "nobody had to call"


@scenario
def tools_of_responses() -> None:
    tool = {"type": "function", "name": "weather", "parameters": SCHEMA}
    call = responses(to_openai(), tools=[tool], tool_choice="required").output[0]
    assert call.type == "function_call" and json.loads(call.arguments)["days"] == 2
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
    answered = [*ASKED, call.model_dump(exclude_none=True), result]
    assert responses(to_openai(), input=answered, tools=[tool]).output_text == "sunny"


@scenario
def tools_of_messages() -> None:
    tool = {"name": "weather", "input_schema": SCHEMA}
    chosen = {"type": "tool", "name": "weather"}
    first = messages(to_anthropic(), tools=[tool], tool_choice=chosen)
    assert first.stop_reason == "tool_use" and first.content[0].input == {"city": TEXT, "days": 2}
    result = {"type": "tool_result", "tool_use_id": first.content[0].id, "content": "sunny"}
    answered = [*ASKED, {"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
    assert messages(to_anthropic(), messages=answered, tools=[tool]).content[0].text == "sunny"
    with to_anthropic().messages.stream(
        model="m", messages=ASKED, max_tokens=9000, tools=[tool], tool_choice=chosen
    ) as stream:
        assert stream.get_final_message().content[0].input == {"city": TEXT, "days": 2}


@scenario
def tools_that_take_an_object_among_others() -> None:
    """Schemas as makers of tools write them, who have not MCP in mind."""
    for schema in (
        {**SCHEMA, "type": ["object", "null"]}, {"properties": SCHEMA["properties"]}, {"anyOf": [SCHEMA, {"type": "null"}]}
    ):
        flat = {"name": "weather", "parameters": schema}
        asked = {"tools": [{"type": "function", "function": flat}], "tool_choice": "required"}
        raw = to_openai().chat.completions.with_raw_response.create(model="m", messages=ASKED, **asked)
        assert raw.parse().choices[0].message.tool_calls[0].function.name == "weather"
        assert "tools.parameters.type" in raw.headers["x-mcp-bridge-approximated"]
        assert responses(to_openai(), tools=[{"type": "function", **flat}], tool_choice="required").output[0].name == "weather"
        tool = {"name": "weather", "input_schema": schema}
        assert messages(to_anthropic(), tools=[tool], tool_choice={"type": "any"}).content[0].name == "weather"
    wrong = {"name": "weather", "input_schema": {"type": ["array", "null"]}}
    check_class(raised(lambda: messages(to_anthropic(), tools=[wrong])), "invalid_request", 400)


@scenario
def a_runner_of_tools() -> None:
    """The newest one would leave the conversation to the service, and sends all of it when told that it is not kept."""

    @anthropic.beta_tool
    def weather(city: str) -> str:
        """The weather.

        Args:
            city: Where.
        """
        return f"sunny in {city[:6]}"

    runner = to_anthropic().beta.messages.tool_runner(
        model="m", max_tokens=9000, messages=ASKED, tools=[weather], tool_choice={"type": "any"})
    first, last = list(runner)
    assert first.stop_reason == "tool_use" and first.content[0].input["city"] == TEXT
    assert last.content[0].text == f"sunny in {TEXT[:6]}"


@scenario
def what_would_have_to_be_kept_is_refused() -> None:
    check_class(raised(lambda: responses(to_openai(), previous_response_id="r")), "unsupported_value", 400)
    check_class(raised(lambda: responses(to_openai(), conversation="c")), "unsupported_value", 400)
    thread = {"thread": {"type": "continue", "previous_message_id": "m"}}
    check_class(raised(lambda: messages(to_anthropic(), extra_body=thread)), "thread_unsupported_request", 400)


@scenario
def images_are_accepted() -> None:
    url, seen = f"data:image/gif;base64,{PIXEL}", f"see\n[image/gif, {len(IMAGE)} bytes]"
    parts = [{"type": "text", "text": "see"}, {"type": "image_url", "image_url": {"url": url}}]
    answer = completions(to_openai(), messages=[{"role": "user", "content": parts}])
    assert answer.choices[0].message.content == seen, answer
    parts = [{"type": "input_text", "text": "see"}, {"type": "input_image", "image_url": url}]
    assert responses(to_openai(), input=[{"role": "user", "content": parts}]).output_text == seen
    source = {"type": "base64", "media_type": "image/gif", "data": PIXEL}
    parts = [{"type": "text", "text": "see"}, {"type": "image", "source": source}]
    assert messages(to_anthropic(), messages=[{"role": "user", "content": parts}]).content[0].text == seen


@scenario
def an_answer_by_a_schema() -> None:
    class Weather(pydantic.BaseModel):
        city: str
        days: list[int]

    parsed = to_openai().chat.completions.parse(model="m", messages=ASKED, response_format=Weather)
    assert parsed.choices[0].message.parsed == Weather(city=TEXT, days=[])


@scenario
def models() -> None:
    assert [model.id for model in to_openai().models.list()] == ["mcp-external-sampling"]
    assert to_openai().models.retrieve("mcp-external-sampling").owned_by == "mcp-bridge"
    assert "mcp-external-sampling" in [model.id for model in to_anthropic().models.list()]
    assert to_anthropic().models.retrieve("mcp-external-sampling").type == "model"
    # With a slash in it, which one package sends as it is and another as %2F.
    alias = "anthropic/mcp-external-sampling"
    assert to_anthropic().models.retrieve(alias).id == alias
    assert raised(lambda: to_openai().models.retrieve("org/none")).status_code == 404
    assert messages(to_anthropic(), alias).model == alias


@scenario
def base_addresses_as_people_write_them() -> None:
    for base in (URL, f"{URL}/v1", f"{URL}/v1/", f"{URL}/v1/v1", f"{URL}//v1"):
        assert completions(to_openai(base_url=base)).choices[0].message.content == TEXT, base
        assert responses(to_openai(base_url=base)).output_text == TEXT, base
    for base in (URL, f"{URL}/", f"{URL}/v1"):
        assert messages(to_anthropic(base_url=base)).content[0].text == TEXT, base
    error = raised(lambda: completions(to_openai(base_url=f"{URL}/v1/chat/completions")))
    assert error.status_code == 404 and f"{URL}/v1" in str(error), "it names the right one"


WORDS = {
    "invalid_request": 400,
    "invalid_api_key": 401,
    "not_allowed": 403,
    "model_not_found": 404,
    "method_not_allowed": 405,
    "request_timeout": 408,
    "request_too_large": 413,
    "unprocessable": 422,
    "rate_limit_exceeded": 429,
    "internal": 500,
    "bad_answer": 502,
    "no_source": 503,
    "source_timeout": 504,
}


def check_class(error: Any, word: str, status: int) -> None:
    is_openai = isinstance(error, openai.APIError)
    assert error.status_code == status, (word, error)
    if is_openai or HAS_CODES:
        assert is_expected(error, openai if is_openai else anthropic, status, word), (word, type(error))
        assert (error.code if is_openai else error.error_code) == word, error
    assert error.request_id, "it has the request's id"


@scenario
def every_class_of_errors() -> None:
    for word, status in WORDS.items():
        for client, ask in DIALECTS:
            for options in ({}, {"stream": True}):
                check_class(raised(lambda: ask(client(), f"fault/{word}", **options)), word, status)
    # Not only where the sandbox plays it.
    for client, ask in DIALECTS:
        check_class(raised(lambda: ask(client("mcpb_none"))), "invalid_api_key", 401)
        check_class(raised(lambda: ask(client(GIVEN["mcp"]))), "not_allowed", 403)
        check_class(raised(lambda: ask(client(GIVEN["only_gpt"]))), "model_not_allowed", 403)
        check_class(raised(lambda: ask(client(GIVEN["spent"]))), "insufficient_quota", 429)
    check_class(raised(lambda: completions(to_openai(), n=2)), "unsupported_value", 400)


@scenario
def errors_in_the_middle_of_a_stream() -> None:
    error: Any = raised(lambda: list(completions(to_openai(), "fault/source_lost/0.7", stream=True)))
    assert (error.code, error.type) == ("source_lost", "server_error") and "sandbox" in error.message
    last = list(responses(to_openai(), "fault/source_lost/0.7", stream=True))[-1]
    assert last.type == "response.failed" and last.response.error.code == "source_lost"
    error = raised(lambda: list(messages(to_anthropic(), "fault/source_lost/0.7", stream=True)))
    assert isinstance(error, anthropic.APIStatusError) and "sandbox" in str(error)


class Counted:
    """Counts what a client sends, its repetitions included."""

    def __init__(self, package: Any) -> None:
        self.count = 0
        http = package.DefaultHttpxClient()
        http.event_hooks = {"request": [self.note], "response": []}
        self.options = {"http_client": http, "max_retries": 2}

    def note(self, _: Any) -> None:
        self.count += 1


@scenario
def what_is_to_be_repeated_is() -> None:
    # One request a second: the second one is told to wait so long, does, and is served.
    for client, ask in DIALECTS:
        secret = GIVEN["slow"].pop()
        counted = Counted(openai if client is to_openai else anthropic)
        eager = client(secret, **counted.options)
        # On a busy machine a second may go by between two: then the next one is that.
        asked = 0
        while counted.count == asked:
            ask(eager)
            asked += 1
        assert asked < 50 and counted.count == asked + 1, (asked, counted.count)
        error: Any = next(filter(None, (refused(lambda: ask(client(secret))) for _ in range(50))))
        check_class(error, "rate_limit_exceeded", 429)
        assert 1 <= int(error.response.headers["retry-after"]) <= 60


@scenario
def what_nobody_is_there_for_is_asked_again_when_it_says() -> None:
    async def one(package: Any, ask: Callable[..., Any]) -> None:
        counted = Counted(package)
        make = to_openai if package is openai else to_anthropic
        begun = time.monotonic()
        error: Any = await asyncio.to_thread(raised, lambda: ask(make(**counted.options), "fault/overloaded"))
        # It has said two seconds, twice.
        assert counted.count == 3 and time.monotonic() - begun >= 3.9, (counted.count, time.monotonic() - begun)
        assert error.response.headers["retry-after"] == "2"

    async def run() -> None:
        await asyncio.gather(one(openai, completions), one(openai, responses), one(anthropic, messages))

    asyncio.run(run())


@scenario
def what_must_not_be_repeated_is_not() -> None:
    for client, ask in DIALECTS:
        for word in ("source_timeout", "insufficient_quota", "sampling_refused", "invalid_api_key", "schema_not_met"):
            counted = Counted(openai if client is to_openai else anthropic)
            raised(lambda: ask(client(**counted.options), f"fault/{word}"))
            assert counted.count == 1, word


@scenario
def large_bodies() -> None:
    large = "x" * (20 << 20)
    answer = completions(to_openai(), messages=[{"role": "user", "content": large}], max_tokens=1)
    assert answer.choices[0].message.content == "xxxx"
    larger = [{"role": "user", "content": "x" * (33 << 20)}]
    for client, ask in DIALECTS:
        member = "input" if ask is responses else "messages"
        error: Any = raised(lambda: ask(client(), **{member: larger}))
        check_class(error, "request_too_large", 413)
        assert "33554432" in str(error), "it names the limit"


@scenario
def closing_cancels() -> None:
    """The rows of the audit show it: their model is what is asked for here."""
    completions(to_openai(), "wait/61", stream=True).close()
    messages(to_anthropic(), "wait/62", stream=True).close()
    for client, ask, model in ((to_openai, responses, "wait/63"), (to_anthropic, messages, "wait/64")):
        error = raised(lambda: ask(client(timeout=2), model))
        assert isinstance(error, (openai.APITimeoutError, anthropic.APITimeoutError)), error


@scenario
def fifty_streams_at_once() -> None:
    async def run() -> None:
        clients = (
            openai.AsyncOpenAI(base_url=f"{URL}/v1", api_key=SANDBOX, max_retries=0),
            anthropic.AsyncAnthropic(base_url=URL, api_key=SANDBOX, max_retries=0),
        )

        async def one(number: int) -> None:
            asked = {"model": "wait/0.3", "messages": [{"role": "user", "content": f"{number} {TEXT}"}], "stream": True}
            if number % 2:
                stream = await clients[0].chat.completions.create(**asked)
                said = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
            else:
                events = await clients[1].messages.create(**asked, max_tokens=9000)
                said = "".join([event.delta.text async for event in events if event.type == "content_block_delta"])
            assert said == f"{number} {TEXT}"

        await asyncio.gather(*[one(number) for number in range(50)])
        # As many of a token that may have four under way: they wait for each other, and none is refused.
        few = openai.AsyncOpenAI(base_url=f"{URL}/v1", api_key=GIVEN["four"], max_retries=0)
        answers = [few.chat.completions.create(model="wait/0.01", messages=ASKED) for _ in range(25)]
        assert all(answer.choices[0].message.content == TEXT for answer in await asyncio.gather(*answers))

    asyncio.run(run())


run_all()
