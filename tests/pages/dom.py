"""A page as a tree that tests can ask: elements by tag, attributes and text; void and unclosed elements forgiven."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from werkzeug.test import TestResponse

_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_INLINE = {"a", "abbr", "b", "bdi", "code", "em", "i", "kbd", "span", "strong", "time"}


@dataclass
class Element:
    """An element: its tag, attributes (a bare one is ""), children and texts in order."""

    tag: str
    attributes: dict[str, str]
    children: list["Element | str"] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text inside, with single spaces."""
        return " ".join(self._flow().replace("\u00a0", " ").split())

    def _flow(self) -> str:
        inside = "".join(child if isinstance(child, str) else child._flow() for child in self.children)
        return inside if self.tag in _INLINE else f" {inside} "

    def __getitem__(self, name: str) -> str:
        return self.attributes[name]

    def get(self, name: str) -> str | None:
        """An attribute, None where it is absent."""
        return self.attributes.get(name)

    def walk(self) -> Iterator["Element"]:
        """This element and all below it, in order."""
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.walk()

    def all(self, tag: str | None = None, text: str | None = None, **attributes: str) -> list["Element"]:
        """The elements below with this tag, these attributes (`class_` means: has the class) and this text inside."""
        return [
            element
            for element in self.walk()
            if (tag is None or element.tag == tag)
            and (text is None or text in element.text)
            and all(_matches(element, name, value) for name, value in attributes.items())
        ]

    def one(self, tag: str | None = None, text: str | None = None, **attributes: str) -> "Element":
        """The only such element; fails the test where there are none or several."""
        found = self.all(tag, text, **attributes)
        assert len(found) == 1, f"{len(found)} of <{tag} {attributes} {text!r}> in: {self.text[:600]}"
        return found[0]


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open[-1].children.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if any(element.tag == tag for element in self._open[1:]):
            while self._open.pop().tag != tag:
                pass

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


def parse(source: str | TestResponse) -> Element:
    """The tree of a page or fragment."""
    builder = _Builder()
    builder.feed(source if isinstance(source, str) else source.get_data(as_text=True))
    return builder.root


def _matches(element: Element, name: str, value: str) -> bool:
    if name == "class_":
        return value in element.attributes.get("class", "").split()
    return element.attributes.get(name.rstrip("_").replace("_", "-")) == value
