"""What is refused before any action runs, so of every action alike: the request as such, and who asks."""
import time

import ostler
import sign

from causes import EVERY, cause
from causes.world import GHOST, ZGHOST

LONG_AGO = 3 * 3600

# ---- alibaba ----


def v1(w, action, **how):
    """A signed request that would be refused for its region or instance, were it not for `how`."""
    key, secret = how.pop("account", w.main.account)
    return sign.v1(key, secret, w.main.address, action, {"RegionId": "cn-nowhere", "InstanceId.1": GHOST}, **how)


def of_v1(status, code, message, **how):
    """A cause that is only another way of sending."""
    @cause("alibaba", EVERY, status, code, message)
    def sent(w, action):
        return w.ecs.send(v1(w, action, **how))
    sent.__name__ = code


for name in ("AccessKeyId", "Signature", "Timestamp", "SignatureNonce", "Version", "Action"):
    of_v1(400, "Missing" + name, name + " is mandatory for this action.", drop=(name,))
of_v1(400, "InvalidVersion", "Specified parameter Version is not valid.", version="2016-04-28")
of_v1(404, "InvalidAction.NotFound", "Specified api is not found, please check your url and method.",
      change={"Action": "StartInstanse"})
of_v1(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.", account=("LTAInobody", "secret"))
of_v1(400, "InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted.",
      timestamp="this morning")
of_v1(400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.",
      timestamp=sign.iso(time.time() - LONG_AGO))
of_v1(400, "InvalidSignatureMethod", "Specified signature method is not valid.", algorithm="HMAC-MD5")
of_v1(400, "InvalidParameter.SignatureVersion", 'The specified parameter "SignatureVersion" is not valid.',
      sig_version="2.0")
of_v1(400, "InvalidParameter.Format", "Specified parameter format is not valid.", fmt="YAML")
of_v1(403, "UnsupportedHTTPMethod", "This http method is not supported.", method="PUT")
of_v1(400, "InvalidSecurityToken.Malformed", "Specified SecurityToken is malformed.", token="CAIS-not-a-token")


@cause("alibaba", EVERY, 400, "InvalidAccessKeyId.Inactive", "Specified access key is disabled.")
def a_disabled_key(w, action):
    return w.ecs.send(v1(w, action, account=w.disabled_key()))


@cause("alibaba", EVERY, 400, "SignatureNonceUsed", "Specified signature nonce was used already.")
def the_same_request_twice(w, action):
    request = v1(w, action)
    w.ecs.send(request)
    return w.ecs.send(request)


@cause("alibaba", EVERY, 400, "SignatureDoesNotMatch",
       "Specified signature is not matched with our calculation. server string to sign is:%s")
def a_wrong_secret(w, action):
    request = v1(w, action, account=(w.main.account[0], "wrong"))
    reply = w.ecs.send(request)
    assert reply.json()["Message"].endswith(" server string to sign is:" + request.string_to_sign)
    return reply


def v3(w, action, secret):
    return sign.v3(w.main.account[0], secret, w.main.address, action, {"RegionId": "cn-nowhere"})


@cause("alibaba", EVERY, 400, "SignatureDoesNotMatch",
       "Specified signature does not match our calculation. server StringToSign is [%s] server CanonicalRequest is "
       "[%s]")
def a_wrong_secret_of_version_3(w, action):
    request = v3(w, action, "wrong")
    reply = w.ecs.send(request)
    assert "[%s]" % request.string_to_sign in reply.json()["Message"]
    return reply


@cause("alibaba", EVERY, 400, "IncompleteSignature", "The request signature does not conform to Aliyun standards.")
def an_authorization_without_its_parts(w, action):
    request = v3(w, action, w.main.account[1])
    return w.ecs.send(request.with_header("Authorization", sign.V3_ALGORITHM + " nonsense"))


@cause("alibaba", EVERY, 404, "InvalidProtocol.NeedSsl", "Your request is denied as lack of ssl protect.")
def plain_http_to_another_address(w, action):
    return Plain(w).ecs(action)


# ---- zenlayer ----

def zc2(w, action, body=None, **how):
    key, secret = how.pop("account", w.main.account)
    return sign.zc2(key, secret, w.main.address, action, body or {"instanceIds": [ZGHOST]}, **how)


def of_zc2(status, code, **how):
    @cause("zenlayer", EVERY, status, code)
    def sent(w, action):
        return w.zec.send(zc2(w, action, **how))
    sent.__name__ = code


of_zc2(401, "AUTHFAILURE_SIGNATURE_FAILURE", account=("nobody", "secret"))
of_zc2(401, "AUTHFAILURE_SIGNATURE_EXPIRED", timestamp=str(int(time.time() - LONG_AGO)))
of_zc2(400, "INVALID_PARAMETER_VALUE", version="2014-05-26")
of_zc2(400, "INVALID_PARAMETER_TYPE", body=b"instanceIds=1")
of_zc2(404, "OPERATION_FAILED_RESOURCE_NOT_FOUND", path="/api/v2/zecs")


@cause("zenlayer", EVERY, 401, "AUTHFAILURE_INVALID_AUTHORIZATION")
def no_authorization(w, action):
    return w.zec.send(zc2(w, action).with_header("Authorization", None))


@cause("zenlayer", EVERY, 400, "MISSING_PARAMETER")
def no_version(w, action):
    return w.zec.send(zc2(w, action).with_header("x-zc-version", None))


@cause("zenlayer", EVERY, 403, "AUTHFAILURE_UNAUTHORIZED_OPERATION")
def a_misspelt_action(w, action):
    return w.zec.send(zc2(w, action + "s"))


@cause("zenlayer", EVERY, 408, "REQUEST_TIMED_OUT", late=True)
def a_head_that_never_ends(w, action):
    return w.slow_connections[action].read_reply()


# ---- both: the server itself ----

class Plain:
    """Calls by plain HTTP to the server that wants TLS; the account is another server's, and does not matter."""

    def __init__(self, w):
        self.w, self.account = w, w.main.account

    def ecs(self, action):
        s = self.w.https_only
        return s.send(sign.v1(*self.account, s.address, action, {}))


def internal(dialect, message="%s"):
    """The keys are looked up in the request's transaction, and any failure of a transaction is answered so, whichever
    statement of whichever action it was: in dispatch.c there is one place for that."""
    code = {"alibaba": "InternalError", "zenlayer": "INTERNAL_SERVER_ERROR"}[dialect]

    @cause(dialect, EVERY, 500, code, message)
    def a_damaged_database(w, action):
        api = {"alibaba": ostler.Ecs, "zenlayer": ostler.Zec}[dialect]
        return api(w.damaged, *w.damaged.account)(action)[2]


internal("alibaba", "The request processing has failed due to some unknown error, exception or failure.")
internal("zenlayer")


@cause("alibaba", EVERY, 503, "ServiceUnavailable",
       "The request has failed due to a temporary failure of the server.")
def too_many_connections(w, action):
    return w.crowded.ecs(action)[2]


@cause("zenlayer", EVERY, 503, "SERVICE_TEMPORARY_UNAVAILABLE")
def too_many_connections_again(w, action):
    return w.crowded.zec(action)[2]
