"""Jinja2 as every page of driftline uses it: all values escaped, a name that nobody gave an error."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined


def escaped_templates(package: str) -> Environment:
    """The templates in a package's folder `templates`.

    >>> templates = escaped_templates("stream.expose.console")
    >>> templates.from_string("{{ name }}").render(name="<b>")
    '&lt;b&gt;'
    """
    return Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
