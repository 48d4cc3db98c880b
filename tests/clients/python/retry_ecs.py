"""alibabacloud_ecs20140526 with its retries on: a reading that is throttled, and a writing whose answer is cut."""
import time

from alibabacloud_ecs20140526 import models
from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi.exceptions import ThrottlingException
from alibabacloud_tea_openapi.models import Config
from darabonba.policy.retry import RetryCondition, RetryOptions

from story import env, say

TRIES = 4  # all together: what the SDK calls maxAttempts counts the first one, too


def client(**more):
    if env("PROTOCOL") == "https":
        more["ca"] = env("CA")
    return Client(Config(access_key_id=env("KEY"), access_key_secret=env("SECRET"), endpoint=env("ENDPOINT"),
                         protocol=env("PROTOCOL"), region_id=env("REGION"), **more))


def throttled():
    try:
        client().describe_regions(models.DescribeRegionsRequest())
        say("raised", type=None)
    except ThrottlingException as e:
        say("raised", type=type(e).__name__, code=e.code, status=e.status_code, after=e.retry_after, message=e.message)
    options = RetryOptions(retry_condition=[RetryCondition(max_attempts=TRIES, exception=["ThrottlingException"])])
    began = time.monotonic()
    body = client(retry_options=options).describe_regions(models.DescribeRegionsRequest()).body
    say("retried", regions=len(body.regions.region), seconds=time.monotonic() - began)


def cut():
    options = RetryOptions(retry_condition=[RetryCondition(max_attempts=TRIES, exception=["RetryError"])])
    body = client(retry_options=options).run_instances(models.RunInstancesRequest(
        region_id=env("REGION"), image_id=env("IMAGE"), instance_type=env("TYPE"), amount=1,
        client_token=env("TOKEN"))).body
    say("made", ids=body.instance_id_sets.instance_id_set)


{"throttled": throttled, "cut": cut}[env("SCENE")]()
