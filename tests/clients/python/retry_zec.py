"""zenlayercloud-sdk-python as it comes: it tries again after 1, 2 and 4 s when its rate is limited."""
import time

from zenlayercloud.common.config import Config
from zenlayercloud.common.credential import Credential
from zenlayercloud.common.excpetion.zenlayer_cloud_sdk_exception import ZenlayerCloudSdkException
from zenlayercloud.zec.v20250901 import models, zec_client

from story import env, say


def client(**more):
    return zec_client.ZecClient(Credential(env("KEY"), env("SECRET")),
                                Config(scheme="http", domain=env("ENDPOINT"), **more))


try:
    client(rate_limit_max_retries=0).DescribeZones(models.DescribeZonesRequest())
    say("raised", code=None)
except ZenlayerCloudSdkException as e:
    say("raised", code=e.code, message=e.message)
began = time.monotonic()
zones = client().DescribeZones(models.DescribeZonesRequest()).zoneSet
say("retried", zones=len(zones), seconds=time.monotonic() - began)
