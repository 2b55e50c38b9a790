"""The canonical order of a module's lines: what is only named comes in the order of its use."""

from __future__ import annotations

import re

_NAME = re.compile(r'[@%$]"[^"]*"|"[^"]*"|[@%$][A-Za-z._$-][\w.$-]*|@\d+')
_NUMBERED_TYPE = re.compile(r"%\d+ = type ")
_GLOBAL = re.compile(r'@(?:"[^"]*"|[\w.$-]+)')


def by_first_use(leading: list[str], declared: list[str], defined: list[str]) -> str:
    """Put types, comdats and declarations into the order of their first use.

    Args:
        leading: assembly, types, comdats and variables that are defined, a line each.
        declared: variables and functions that are declared.
        defined: the lines of functions.

    Returns:
        The text: assembly, types, comdats (by name), variables, declarations, functions.
        Variables that are defined keep their order; types that nothing uses are left out.
    """
    types: dict[str, str] = {}
    comdats: list[str] = []
    variables: list[str] = []
    assembly: list[str] = []
    numbered: list[str] = []
    for line in leading:
        if _NUMBERED_TYPE.match(line):
            numbered.append(line)  # its uses look like those of a value
        elif line.startswith("%"):
            types[_key(line)] = line
        elif line.startswith("$"):
            comdats.append(line)
        elif line.startswith("@"):
            variables.append(line)
        else:
            assembly.append(line)
    names = {_key(line): line for line in declared}
    # Each dictionary serves as an ordered set.
    used_names: dict[str, None] = {}
    used_types: dict[str, None] = {}

    def scan(line: str) -> None:
        for name in _NAME.findall(line):
            if name in names:
                used_names[name] = None
            elif name in types and name not in used_types:
                used_types[name] = None
                scan(types[name].partition(" = ")[2])

    for line in numbered + defined:
        scan(line)
    for line in variables:
        scan(line)
    for name in sorted(names):
        used_names[name] = None
    for name in used_names:
        scan(names[name])
    ordered = [
        *assembly,
        *numbered,
        *(types[name] for name in used_types),
        *sorted(comdats),
        *variables,
        *(names[name] for name in used_names),
        *defined,
    ]
    return "\n".join(ordered) + "\n"


def _key(line: str) -> str:
    """The name that a line gives or declares."""
    if line.startswith("declare"):
        match = _GLOBAL.search(line)
        return match[0] if match else line
    return line.partition(" = ")[0]
