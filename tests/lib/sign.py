"""The three ways in which clients sign, written from the protocols' descriptions and nothing else.

A signer returns a `Request`: exactly the bytes that would go on the wire, so that a test can change one of
them. Nothing here knows the server; the vectors in ../conformance/vectors check it.
"""
import base64
import dataclasses
import hashlib
import hmac
import json
import time
import uuid

UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~")
ECS_VERSION = "2014-05-26"
FORM = "application/x-www-form-urlencoded"


@dataclasses.dataclass
class Request:
    method: str
    target: str
    headers: list          # (name, value) pairs in wire order, Host among them
    body: bytes = b""
    string_to_sign: str = ""

    def header(self, name):
        for n, v in self.headers:
            if n.lower() == name.lower():
                return v
        return None

    def with_header(self, name, value):
        """A copy in which the header has another value; None removes it."""
        headers = [(n, v) for n, v in self.headers if n.lower() != name.lower()]
        if value is not None:
            headers.append((name, value))
        return dataclasses.replace(self, headers=headers)


def enc(value):
    """Percent-encoding of RFC 3986: everything but the unreserved characters, upper-case hex."""
    return "".join(chr(b) if b in UNRESERVED else "%%%02X" % b for b in str(value).encode())


def query_of(pairs):
    return "&".join(enc(k) + "=" + enc(v) for k, v in pairs)


def iso(t=None):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() if t is None else t))


def flatten(params):
    """{"Tag": [{"Key": "k"}], "DryRun": True} -> {"Tag.1.Key": "k", "DryRun": "true"}"""
    out = {}

    def walk(name, v):
        if isinstance(v, dict):
            for k, w in v.items():
                walk(name + "." + k, w)
        elif isinstance(v, (list, tuple)):
            for i, w in enumerate(v, 1):
                walk("%s.%d" % (name, i), w)
        elif isinstance(v, bool):
            out[name] = "true" if v else "false"
        elif v is not None:
            out[name] = str(v)

    for k, v in params.items():
        walk(k, v)
    return out


# ---- V1: RPC signature in the parameters ----

def v1_string_to_sign(method, params):
    canon = "&".join(enc(k) + "=" + enc(v) for k, v in
                     sorted((k, v) for k, v in params.items() if k != "Signature"))
    return method + "&%2F&" + enc(canon)


def v1_signature(secret, sts, algorithm="HMAC-SHA1"):
    digest = {"HMAC-SHA1": hashlib.sha1, "HMAC-SHA256": hashlib.sha256}[algorithm]
    return base64.b64encode(hmac.new((secret + "&").encode(), sts.encode(), digest).digest()).decode()


def v1(key, secret, host, action, params=None, *, method="GET", where=None, algorithm="HMAC-SHA1",
       fmt="JSON", version=ECS_VERSION, timestamp=None, nonce=None, sig_version="1.0", token=None,
       drop=(), change=None, extra=None, sign_as=None):
    """`where`: "query", "body" or "split" (system parameters in the query, the rest in the body).

    `drop` leaves out system parameters before signing, `change` sets them before signing, `extra` adds
    parameters after signing, `sign_as` signs for another method than the one used.
    """
    where = where or ("query" if method == "GET" else "body")
    system = {"Action": action, "Version": version, "Format": fmt, "AccessKeyId": key,
              "SignatureMethod": algorithm, "SignatureVersion": sig_version,
              "SignatureNonce": nonce or str(uuid.uuid4()), "Timestamp": timestamp or iso(),
              "SecurityToken": token}
    system.update(change or {})
    system = {k: v for k, v in system.items() if v is not None and k not in drop}
    user = flatten(params or {})
    sts = v1_string_to_sign(sign_as or method, {**system, **user})
    if "Signature" not in drop:
        used = algorithm if algorithm in ("HMAC-SHA1", "HMAC-SHA256") else "HMAC-SHA1"
        system["Signature"] = (change or {}).get("Signature") or v1_signature(secret, sts, used)
    system.update(extra or {})
    in_query, in_body = {"query": ({**system, **user}, {}), "body": ({}, {**system, **user}),
                         "split": (system, user)}[where]
    headers = [("Host", host), ("Accept", "*/*")]
    body = query_of(in_body.items()).encode()
    if method != "GET":
        headers += [("Content-Type", FORM), ("Content-Length", str(len(body)))]
    target = "/" + ("?" + query_of(in_query.items()) if in_query else "")
    return Request(method, target, headers, body, sts)


# ---- V3: ACS3-HMAC-SHA256 in the Authorization header ----

V3_ALGORITHM = "ACS3-HMAC-SHA256"
V3_REQUIRED = ("host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce",
               "x-acs-content-sha256")


def v3_canonical_request(method, query_pairs, headers, signed, payload_hash):
    canon_query = query_of(sorted(query_pairs, key=lambda kv: enc(kv[0])))  # by name: X.1 stands before X.10
    low = {n.lower(): v.strip() for n, v in headers}
    lines = "".join("%s:%s\n" % (n, low.get(n, "")) for n in signed)
    return "\n".join([method, "/", canon_query, lines, ";".join(signed), payload_hash])


def v3_string_to_sign(canonical):
    return V3_ALGORITHM + "\n" + hashlib.sha256(canonical.encode()).hexdigest()


def v3_signature(secret, sts):
    return hmac.new(secret.encode(), sts.encode(), hashlib.sha256).hexdigest()


def v3(key, secret, host, action, params=None, *, method="POST", version=ECS_VERSION, timestamp=None,
       nonce=None, form=False, fmt=None, token=None, algorithm=V3_ALGORITHM, drop=(), change=None,
       unsigned=()):
    """`form` sends the parameters as a form body; `drop`/`change` headers before signing; `unsigned` headers
    are sent and left out of SignedHeaders."""
    pairs = list(flatten(params or {}).items())
    body = query_of(pairs).encode() if form else b""
    query = [] if form else pairs
    if fmt:
        query = query + [("Format", fmt)]
    headers = [("host", host), ("x-acs-action", action), ("x-acs-version", version),
               ("x-acs-date", timestamp or iso()), ("x-acs-signature-nonce", nonce or uuid.uuid4().hex),
               ("x-acs-content-sha256", hashlib.sha256(body).hexdigest()),
               ("x-acs-credentials-provider", "static_ak")]
    if form:
        headers.append(("content-type", FORM))
    if token:
        headers += [("x-acs-security-token", token), ("x-acs-accesskey-id", key)]
    headers = [(n, (change or {}).get(n, v)) for n, v in headers if n not in drop]
    signed = sorted(n for n, _ in headers
                    if n not in unsigned and (n in ("host", "content-type") or n.startswith("x-acs-")))
    payload_hash = dict(headers).get("x-acs-content-sha256", "")
    canonical = v3_canonical_request(method, query, headers, signed, payload_hash)
    sts = v3_string_to_sign(canonical)
    headers += [("accept", "application/json"), ("content-length", str(len(body)))]
    if "authorization" not in drop:
        headers.append(("Authorization", "%s Credential=%s,SignedHeaders=%s,Signature=%s" % (
            algorithm, key, ";".join(signed), v3_signature(secret, sts))))
    target = "/" + ("?" + query_of(query) if query else "")
    return Request(method, target, headers, body, sts)


# ---- ZC2-HMAC-SHA256 ----

ZC2_ALGORITHM = "ZC2-HMAC-SHA256"
ZEC_VERSION = "2025-09-01"


def zc2_canonical_request(headers, signed, body):
    low = {n.lower(): v.strip() for n, v in headers}
    lines = "".join("%s:%s\n" % (n, low[n]) for n in signed)
    return "\n".join(["POST", "/", "", lines, ";".join(signed), hashlib.sha256(body).hexdigest()])


def zc2_string_to_sign(timestamp, canonical):
    return "\n".join([ZC2_ALGORITHM, timestamp, hashlib.sha256(canonical.encode()).hexdigest()])


def zc2(key, secret, host, action, body=None, *, service="zec", version=ZEC_VERSION, timestamp=None,
        content_type="application/json", client=None, more=(), signed_more=(), path=None):
    """`body`: an object, or the exact bytes. `more`: unsigned headers; `signed_more`: signed ones."""
    if not isinstance(body, bytes):
        body = json.dumps(body if body is not None else {}).encode()
    timestamp = timestamp or str(int(time.time()))
    headers = [("host", host), ("Content-Type", content_type)] + list(signed_more)
    signed = sorted(n.lower() for n, _ in headers)
    sts = zc2_string_to_sign(timestamp, zc2_canonical_request(headers, signed, body))
    signature = hmac.new(secret.encode(), sts.encode(), hashlib.sha256).hexdigest()
    headers += [("x-zc-action", action), ("x-zc-version", version), ("x-zc-service", service),
                ("x-zc-timestamp", timestamp), ("x-zc-signature-method", ZC2_ALGORITHM),
                ("Content-Length", str(len(body))),
                ("Authorization", "%s Credential=%s, SignedHeaders=%s, Signature=%s" % (
                    ZC2_ALGORITHM, key, ";".join(signed), signature))]
    if client:
        headers.append(("x-zc-request-client", client))
    headers += list(more)
    return Request("POST", path or "/api/v2/" + service, headers, body, sts)
