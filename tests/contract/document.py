"""The customer's document, taken apart: its calls with their answers, its errors, its commands, its types."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "kommo-integration.md"
TOKEN = re.compile(r"seu_jwt_token(?:_aqui)?")
_CALL = re.compile(r"\*\*(GET|POST)\*\* `([^`]+)`")
_PARAMETER = re.compile(r"^- `(\w+)` \(opcional\)", re.MULTILINE)
_FIELD = re.compile(r"^  (\w+)(\??): (number|string|Array)", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the bold label above it, if there is one."""

    language: str
    text: str
    label: str


@dataclass(frozen=True)
class Section:
    """What stands under one heading, its blocks beside it."""

    title: str
    text: str
    blocks: list[Block] = field(default_factory=list)


@dataclass(frozen=True)
class Call:
    """One documented endpoint. `body` and `answer` are JSON, `example` a request line, None where there is none."""

    title: str
    method: str
    path: str
    parameters: list[str]
    body: dict[str, Any] | None
    answer: dict[str, Any] | None
    example: str | None


@dataclass(frozen=True)
class Field:
    """A field of a TypeScript interface."""

    name: str
    optional: bool
    kind: str


def sections() -> dict[str, Section]:
    """Every section by its title."""
    parts = re.split(r"^#{2,3} (.+)$", DOCUMENT.read_text("utf-8"), flags=re.MULTILINE)[1:]
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return {title: Section(title, text, _blocks(text)) for title, text in pairs}


def _blocks(text: str) -> list[Block]:
    found, label, lines = [], "", iter(text.splitlines())
    for line in lines:
        if line.startswith("**"):
            label = line.strip("*: ")
        elif line.startswith("```"):
            inside: list[str] = []
            for each in lines:
                if each == "```":
                    break
                inside.append(each)
            found.append(Block(line[3:], "\n".join(inside), label))
    return found


def calls() -> list[Call]:
    """The seven endpoints, in the document's order."""
    return [_call(section) for title, section in sections().items() if re.match(r"\d\. ", title)]


def _call(section: Section) -> Call:
    named = _CALL.search(section.text)
    assert named, section.title
    labelled = {block.label: block.text for block in section.blocks}
    body = labelled.get("Corpo da Requisição")
    answer = labelled.get("Resposta Sucesso") or labelled.get("Resposta")
    return Call(
        title=section.title,
        method=named[1],
        path=named[2],
        parameters=_PARAMETER.findall(section.text),
        body=json.loads(body) if body else None,
        answer=json.loads(answer) if answer else None,
        example=labelled.get("Exemplo"),
    )


def call(method: str, path: str) -> Call:
    """The endpoint of one method and path."""
    return next(one for one in calls() if (one.method, one.path) == (method, path))


def error(title: str) -> dict[str, Any]:
    """The answer that the document shows for a kind of error."""
    found: dict[str, Any] = json.loads(sections()[title].blocks[0].text)
    return found


def interface(title: str) -> list[Field]:
    """The fields of the TypeScript interface under a heading."""
    text = sections()[title].blocks[0].text
    return [Field(name, bool(optional), kind) for name, optional, kind in _FIELD.findall(text)]


def curl_commands() -> list[str]:
    """The commands of the cURL example, each on one line."""
    text = sections()["cURL"].blocks[0].text.replace("\\\n", " ")
    return [command.strip() for command in re.split(r"^#.*$", text, flags=re.MULTILINE) if command.strip()]


def javascript() -> str:
    """The JavaScript example."""
    return sections()["JavaScript/TypeScript"].blocks[0].text


def bare_requests() -> list[str]:
    """Requests that the document writes as a bare line in a shell block (`POST /api/kommo/sync`)."""
    text = "\n".join(
        block.text for section in sections().values() for block in section.blocks if block.language == "bash"
    )
    return re.findall(r"^(?:GET|POST) /\S+$", text, flags=re.MULTILINE)
