"""Generated kibana.yml files: comments, quotes, indentation, every spelling, blocks and flows, line breaks, no end."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

COMMENTS = ("", "", "# a comment", "#no space: [", "# llm-bundle is used here", "#   deep: {", "# é 漢", "# x: 'open")
# {pad} is the indentation of what stands in lines of its own.
VALUES = (
    "60s",
    "'it''s'",
    '"a \\" # b"',
    "true",
    "1_000",
    "http://a:1",
    "a # b: c",
    "[a, 'b']",
    "{}",
    "{x: 1, 'y': [2]}",
    "~",
    "",
    "|\n{pad}  # llm-bundle: begin x\n{pad}  line",
    "|+\n{pad}  line\n\n",
    ">-\n{pad}  a\n\n{pad}  b",
    '"two\n{pad}  lines"',
)
HOSTS = ("", "[a.example]", "['*']", "[]", "[ a.example ]  # few", "[\n   a.example,  # first\n   b.example\n  ]")
TYPES = ("", "[.email]", '["*"]', "[.gen-ai, .email]")
MAIL = "{name: Mail, actionTypeId: .email}"


@dataclass(frozen=True)
class Style:
    """How one file is written."""

    pad: str
    quote: str
    spelling: str
    flow: bool
    filled: bool

    def key(self, text: str) -> str:
        return f"{self.quote}{text}{self.quote}"


styles = st.builds(
    Style,
    st.sampled_from([" ", "  ", "    "]),
    st.sampled_from(["", "'", '"']),
    st.sampled_from(["dotted", "nested", "flat", "mixed", "one line"]),
    st.booleans(),
    st.booleans(),
)


def actions(style: Style, hosts: str, types: str) -> list[str]:
    """The lines of ``xpack.actions``, with somebody else's connector or with an empty place for some."""
    values = {"allowedHosts": hosts, "enabledActionTypes": types, "responseTimeout": "600s"}
    values = {style.key(name): value for name, value in values.items() if value}
    dotted = [f"xpack.actions.{name}: {value}" for name, value in values.items()]
    if style.quote:
        dotted = [f"{style.key(f'xpack.actions.{n.strip(style.quote)}')}: {value}" for n, value in values.items()]
    if style.spelling == "flat":
        return [
            *dotted,
            "xpack.actions.preconfigured.mail.name: Mail",
            "xpack.actions.preconfigured.mail.actionTypeId: .email",
        ]
    if style.spelling == "one line":
        inside = ", ".join([*(f"{name}: {value}" for name, value in values.items() if "#" not in value)])
        return [f"xpack: {{actions: {{{inside}, preconfigured: {{{'mail: ' + MAIL if style.filled else ''}}}}}}}"]
    connectors = [f"{style.key('mail')}: {MAIL}", "# about mail"] if style.filled else []
    if style.spelling == "mixed":
        return [*dotted, "xpack.actions.preconfigured:", *(style.pad + line for line in connectors)]
    inner = [f"{name}: {value}" for name, value in values.items()]
    if style.flow:
        inner.append(f"preconfigured: {{mail: {MAIL}}}  # ours" if style.filled else "preconfigured: {}")
    else:
        inner += ["preconfigured:  # connectors", *(style.pad + line for line in connectors)]
    inner = [style.pad + line for line in inner]
    return (
        ["xpack.actions:", *inner]
        if style.spelling == "dotted"
        else ["xpack:", f"{style.pad}actions:", *(style.pad + i for i in inner)]
    )


@st.composite
def files(draw: st.DrawFn) -> str:
    """A kibana.yml that Kibana would start with."""
    style = draw(styles)
    parts = [actions(style, draw(st.sampled_from(HOSTS)), draw(st.sampled_from(TYPES)))] if draw(st.booleans()) else []
    if draw(st.booleans()):
        parts.append(["uiSettings:", "    overrides:", f"      {style.key('theme:darkMode')}: true"])
    if draw(st.booleans()):
        parts.append(["feature_flags.overrides:", "# nothing yet"])
    for number in range(draw(st.integers(0, 4))):
        value = draw(st.sampled_from(VALUES))
        inner = value.replace("{pad}", style.pad)
        parts.append([f"{style.key(f'server.s{number}')}: {value.replace('{pad}', '')}"])
        parts.append([f"group{number}:", f"{style.pad}inner: {inner}", f"{style.pad}list:", f"{style.pad}- a"])
    lines = [line for part in draw(st.permutations(parts)) for line in (draw(st.sampled_from(COMMENTS)), *part)]
    begun = draw(st.sampled_from([[], ["---"], ["%YAML 1.2", "---"]]))
    tails = [[], [""], ["# the end"], ["", "", "#"], *([["..."], ["...", "# after"]] if begun else [])]
    text = "\n".join([*draw(st.sampled_from([[], ["# top", ""]])), *begun, *lines, *draw(st.sampled_from(tails))])
    return (text + draw(st.sampled_from(["\n", "\n\n", ""]))).replace("\n", draw(st.sampled_from(["\n", "\r\n"])))
