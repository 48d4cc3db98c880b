"""zenlayercloud-sdk-python."""
from zenlayercloud.common.config import Config
from zenlayercloud.common.credential import Credential
from zenlayercloud.common.excpetion.zenlayer_cloud_sdk_exception import ZenlayerCloudSdkException
from zenlayercloud.zec.v20250901 import models, zec_client

from story import env, story


class Zec:
    def __init__(self, secret):
        https = env("PROTOCOL") == "https"
        self.client = zec_client.ZecClient(
            Credential(env("KEY"), secret),
            Config(scheme=env("PROTOCOL"), domain=env("ENDPOINT"), certification=env("CA") if https else None))

    def status(self, iid):
        request = models.DescribeInstancesStatusRequest()
        request.instanceIds = [iid]
        got = self.client.DescribeInstancesStatus(request).dataSet
        return got[0].instanceStatus if got else ""

    def start(self, iid):
        request = models.StartInstancesRequest()
        request.instanceIds = [iid]
        got = self.client.StartInstances(request)
        return {"requestId": got.requestId, "failed": got.instanceIds}

    def again(self, iid):
        """Starting a running machine is answered, not refused; stopping an unknown one is refused."""
        got = self.start(iid)
        assert got["failed"] == [iid], got
        request = models.StopInstancesRequest()
        request.instanceIds = ["1234567890123456789"]
        self.client.StopInstances(request)


story(Zec, "RUNNING", ZenlayerCloudSdkException, lambda e: {"requestId": e.request_id})
