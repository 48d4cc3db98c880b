"""alibabacloud_ecs20140526 and a bill that was not paid: a start that is refused, a renewal, a start."""
from alibabacloud_ecs20140526 import models
from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from alibabacloud_tea_openapi.models import Config

from story import env, refusal, say

client = Client(Config(access_key_id=env("KEY"), access_key_secret=env("SECRET"), endpoint=env("ENDPOINT"),
                       protocol=env("PROTOCOL"), region_id=env("REGION")))


def start():
    client.start_instance(models.StartInstanceRequest(instance_id=env("INSTANCE")))


def tell(e):
    return {"status": e.status_code}


refusal("refused", AlibabaCloudException, tell, start)
refusal("renewed", AlibabaCloudException, tell, lambda: client.renew_instance(
    models.RenewInstanceRequest(instance_id=env("INSTANCE"), period=1, period_unit="Month")))
refusal("started", AlibabaCloudException, tell, start)
say("end")
