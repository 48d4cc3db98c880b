"""alibabacloud_ecs20140526."""
import json

from alibabacloud_ecs20140526 import models
from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from alibabacloud_tea_openapi.models import Config

from story import env, story


class Ecs:
    def __init__(self, secret):
        more = {"ca": env("CA")} if env("PROTOCOL") == "https" else {}
        self.client = Client(Config(access_key_id=env("KEY"), access_key_secret=secret, endpoint=env("ENDPOINT"),
                                    protocol=env("PROTOCOL"), region_id=env("REGION"), **more))

    def status(self, iid):
        body = self.client.describe_instances(models.DescribeInstancesRequest(
            region_id=env("REGION"), instance_ids=json.dumps([iid]))).body
        return body.instances.instance[0].status if body.instances.instance else ""

    def start(self, iid):
        body = self.client.start_instance(models.StartInstanceRequest(instance_id=iid, init_local_disk=False)).body
        return {"requestId": body.request_id}

    again = start


story(Ecs, "Running", AlibabaCloudException, lambda e: {"status": e.status_code, "requestId": e.request_id})
