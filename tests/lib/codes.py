"""The codes that `ostler api dump` lists for an action, and whether a refusal is one of them."""
import json
import re
import subprocess
import xml.etree.ElementTree as ElementTree

import ostler


def dump():
    """What `ostler api dump` says of the clouds' actions."""
    out = subprocess.run([ostler.BINARY, "api", "dump"], capture_output=True, text=True, check=True).stdout
    return [a for a in json.loads(out) if "documented" in a]


def said(reply):
    """(status, code, message) of a refusal, JSON or XML, in the words of either cloud."""
    text = reply.body.decode("utf-8")
    if text.startswith("<"):
        o = {e.tag: e.text or "" for e in ElementTree.fromstring(text)}
    else:
        o = json.loads(text)
    assert reply.status != 200, "not refused: %s" % text[:300]
    return (reply.status, o["Code"], o["Message"]) if "Code" in o else (reply.status, o["code"], o["message"])


# Here a sentence about the situation follows the document's text.
LONGER = ("UnsupportedParameter", "UNSUPPORTED_OPERATION_INSTANCE_STATUS", "OPERATION_DENIED_INSTANCE_IN_OPERATION")


def fits(row, status, code, message):
    """Is this refusal said as the row documents it, word for word?"""
    if (row["status"], row["code"]) != (status, code):
        return False
    if row["message"] == "%s":
        return message != "" and "%" not in message
    pattern = re.escape(row["message"]).replace("%s", "(.+)")
    return re.fullmatch(pattern + ("( .+)?" if code in LONGER else ""), message, re.S) is not None


def best_row(rows, refusal):
    """The documented row that says the refusal; of several that fit, the one that fixes most of its text."""
    fitting = [r for r in rows if fits(r, *refusal)]
    return min(fitting, key=lambda r: (r["message"] == "%s", "%s" in r["message"]), default=None)
