"""From the text of a ``/metrics`` page to the series that a map names, each checked.  Pure.

Every line must look like one of an exposition, so that garbage or half a page is never taken for counters.  Only lines whose
name the map knows are parsed, by the client library's parser: what else a server exports costs next to nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import Metric
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from stream.scraping.broken import Broken

#: Of the lines that are parsed, all together, and each.
MOST_READ_BYTES, LONGEST_LINE = 2 * 1024 * 1024, 4096
#: Of a page: each line costs some microseconds whatever is in it, and other targets' pages wait for the same threads.
MOST_LINES = 250_000
#: Far above what a counter of a server reaches, and far below where sums of floats end.
LARGEST = 2.0**63
OPENMETRICS = "application/openmetrics-text"
_ENDINGS = ("", "_total", "_bucket", "_sum", "_count")
#: A comment, nothing, or a name, labels and up to two numbers (and an exemplar).  Possessive: no line takes more than one pass.
_LINE = re.compile(
    r"#[^\n]*+|[ \t]*+|"
    r'[a-zA-Z_:][a-zA-Z0-9_:]*+[ \t]*+(?:\{(?:[^"}\n]++|"(?:[^"\\\n]++|\\[^\n])*+")*+\})?+'
    r"[ \t]*+[-+0-9.a-zA-Z]++(?:[ \t]++[-+0-9.eE]++)?+[ \t]*+(?:# \{[^\n]*+)?+"
)

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of a family and its value."""

    name: str
    labels: Labels
    value: float


#: Family, by the name without what a client adds, to its samples.
Families = Mapping[str, list[Sample]]


def families(body: bytes, content_type: str, names: Iterable[str]) -> Families:
    """The samples of the families that are called so, in the order of the page.

    :raises Broken: it is no exposition, is cut off, is too long in what is read of it, or has a series twice.

    >>> families(b'# TYPE up counter\\nup{job="a"} 3\\nother 4\\n', "text/plain", ["up"])["up"]
    [Sample(name='up_total', labels={'job': 'a'}, value=3.0)]
    """
    lines = _lines(_text(body), wants_eof=content_type.startswith(OPENMETRICS))
    wanted = set(names)
    read = [line for line in lines if _name_of(line) in wanted or _bare(_name_of(line)) in wanted]
    if sum(map(len, read)) > MOST_READ_BYTES or any(len(line) > LONGEST_LINE for line in read):
        said = f"{MOST_READ_BYTES} bytes of lines that are read, and {LONGEST_LINE} a line, are the most"
        raise Broken("too_large", said)
    found: dict[str, list[Sample]] = {}
    for sample in _parsed(read, content_type):
        for name in {sample.name, _bare(sample.name)} & wanted:
            found.setdefault(name, []).append(sample)
    return found


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise Broken("not_exposition", f"byte {error.start} is not UTF-8") from None


def _lines(text: str, *, wants_eof: bool) -> list[str]:
    """The lines, each of which looks like one."""
    if text and not text.endswith("\n"):
        raise Broken("truncated", "the last line has no end")
    if wants_eof and not text.endswith("# EOF\n"):
        raise Broken("truncated", "there is no # EOF at the end")
    if text.count("\n") > MOST_LINES:
        raise Broken("too_large", f"more than {MOST_LINES} lines")
    lines = text.replace("\r\n", "\n").split("\n")
    for number, line in enumerate(lines, 1):
        if _LINE.fullmatch(line) is None:
            raise Broken("not_exposition", f"line {number} is none of an exposition")
    return lines


def _name_of(line: str) -> str:
    """The name in a sample's line or in a TYPE line; of other comments, nothing."""
    if line.startswith("#"):
        parts = line.split(None, 3)
        return parts[2] if len(parts) == 4 and parts[1] == "TYPE" else ""
    return re.split(r"[{ \t]", line, maxsplit=1)[0]


def _bare(name: str) -> str:
    """A name without what a client adds to it.

    >>> _bare("vllm:request_success_total"), _bare("latency_seconds_bucket"), _bare("up")
    ('vllm:request_success', 'latency_seconds', 'up')
    """
    ending = next((each for each in _ENDINGS[1:] if name.endswith(each)), "")
    return name.removesuffix(ending)


def _parsed(lines: list[str], content_type: str) -> Iterator[Sample]:
    text = "".join(f"{line}\n" for line in lines)
    seen: set[tuple[str, frozenset[tuple[str, str]]]] = set()
    for name, labels, value in _samples(text, content_type):
        identity = name, frozenset(labels.items())
        if identity in seen:
            raise Broken("duplicate", f"{name[:200]} stands twice with the same labels")
        seen.add(identity)
        yield Sample(name, labels, value)


def _samples(text: str, content_type: str) -> Iterator[tuple[str, dict[str, str], float]]:
    try:
        for family in _families(text, content_type):
            for sample in family.samples:
                yield sample.name, sample.labels, float(sample.value)
    except (ValueError, IndexError, KeyError, TypeError) as error:
        raise Broken("not_exposition", f"a line cannot be parsed ({type(error).__name__})") from None
    except OverflowError:
        raise Broken("bad_value", "a number is larger than any float") from None


def _families(text: str, content_type: str) -> Iterable[Metric]:
    if content_type.startswith(OPENMETRICS):
        found: Iterable[Metric] = openmetrics.text_string_to_metric_families(  # type: ignore[no-untyped-call]
            f"{text}# EOF\n"
        )
        return found
    return text_string_to_metric_families(text)


def finite(sample: Sample) -> float:
    """A sample's value as a counter may have it.

    :raises Broken: it is not finite, negative, or so large that it counts nothing.
    """
    if not 0 <= sample.value < LARGEST:
        raise Broken("bad_value", f"{sample.name[:200]} is {sample.value}")
    return sample.value
