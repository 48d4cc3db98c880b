"""The code of a page: its blocks by their marks `<!-- test: NAME -->`, and what a comment promises of a command."""
import re


def blocks(path):
    """({name: (language, text)}, [texts without a name])"""
    with open(path) as f:
        text = f.read()
    named, rest = {}, []
    for mark, language, body in re.findall(r"(?:<!-- test: (\w+) -->\n)?```(\w+)\n(.*?)```", text, re.S):
        if mark:
            assert mark not in named, mark
            named[mark] = (language, body)
        else:
            rest.append(body)
    return named, rest


def checked(text):
    """The same script, which fails when a line does not do what its comment says: `# refused: CODE`, `# prints: TEXT`."""
    out = []
    for line in text.splitlines():
        command, _, promise = line.partition("  # ")
        kind, _, what = promise.partition(": ")
        if kind == "refused":
            out.append("! %s >promise.out 2>&1 || { echo 'not refused: %s'; exit 9; }" % (command, command.strip()))
        elif kind == "prints":
            out.append("%s >promise.out 2>&1" % command)
        else:
            out.append(line)
            continue
        out.append("grep -qF '%s' promise.out || { cat promise.out; exit 9; }" % what.strip())
    return "\n".join(out) + "\n"
