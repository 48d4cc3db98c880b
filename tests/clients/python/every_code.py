"""Every code of every action: asked for from the server, then raised by the SDK of its cloud.

Reads a plan, OSTLER_CLIENT_PLAN: for each action its parameters and the rows of its documents. Prints a line of JSON
an action: what the SDK raised for each row, in their order; null where it raised nothing.
"""
import http.client
import json
import re

from alibabacloud_ecs20140526 import models as ecs_models
from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from alibabacloud_tea_openapi.models import Config
from zenlayercloud.common.config import Config as ZecConfig
from zenlayercloud.common.credential import Credential
from zenlayercloud.common.excpetion.zenlayer_cloud_sdk_exception import ZenlayerCloudSdkException
from zenlayercloud.zec.v20250901 import models as zec_models
from zenlayercloud.zec.v20250901 import zec_client

from story import env

RETRIES = 3  # of the ZEC SDK, for a rate limit: its default, without its waits


class Operator:
    def __init__(self):
        self.connection = http.client.HTTPConnection(env("ENDPOINT"), timeout=30)

    def __call__(self, action, /, **body):
        self.connection.request("POST", "/_ostler/v1/" + action, json.dumps(body), {"Content-Type": "application/json"})
        reply = self.connection.getresponse()
        answer = json.loads(reply.read())
        if reply.status != 200:
            raise SystemExit("%s %r: %d %r" % (action, body, reply.status, answer))
        return answer


class Ecs:
    kind = AlibabaCloudException

    def __init__(self):
        self.client = Client(Config(access_key_id=env("KEY"), access_key_secret=env("SECRET"), endpoint=env("ENDPOINT"),
                                    protocol="http", region_id=env("REGION")))

    def call(self, action, parameters):
        request = getattr(ecs_models, action + "Request")().from_map(parameters)
        getattr(self.client, re.sub("(?<!^)(?=[A-Z])", "_", action).lower())(request)

    def tell(self, e):
        """Around the message the SDK says again what it also tells by itself."""
        before, after = "code: %d, " % e.status_code, " request id: " + e.request_id
        whole = e.message.startswith(before) and e.message.endswith(after)
        return {"status": e.status_code, "code": e.code,
                "message": e.message[len(before):-len(after)] if whole else "not as expected: " + e.message}

    def calls(self, row):
        return 1


class Zec:
    kind = ZenlayerCloudSdkException

    def __init__(self):
        self.client = zec_client.ZecClient(Credential(env("KEY"), env("SECRET")),
                                           ZecConfig(scheme="http", domain=env("ENDPOINT"),
                                                     rate_limit_max_retries=RETRIES,
                                                     rate_limit_retry_duration=lambda i: 0))

    def call(self, action, parameters):
        request = getattr(zec_models, action + "Request")()
        request._deserialize(parameters)
        getattr(self.client, action)(request)

    def tell(self, e):
        return {"status": None, "code": e.code, "message": e.message}

    def calls(self, row):
        return 1 + RETRIES if row["code"] == "REQUEST_LIMIT_EXCEEDED" else 1


def raised(sdk, action, parameters):
    try:
        sdk.call(action, parameters)
    except sdk.kind as e:
        return sdk.tell(e)
    return None


def main():
    operator, sdks = Operator(), {"alibaba": Ecs(), "zenlayer": Zec()}
    with open(env("PLAN")) as f:
        plan = json.load(f)
    for a in plan:
        sdk = sdks[a["dialect"]]
        for row in a["rows"]:
            text = {} if row["message"] == "%s" else {"message": row["message"]}
            operator("AddFault", dialect=a["dialect"], action=a["action"], code=row["code"], status=row["status"],
                     times=sdk.calls(row), **text)
        refusals = [raised(sdk, a["action"], a["parameters"]) for _ in a["rows"]]
        left = [f for f in operator("ListFaults")["faults"] if not f["over"]]
        operator("RemoveFaults")
        print(json.dumps({"dialect": a["dialect"], "action": a["action"], "refusals": refusals, "left": len(left)}),
              flush=True)


main()
