#!/usr/bin/env python3
"""start_with_sdk.py alibaba|zenlayer INSTANCE: starts an instance with that cloud's own Python SDK.

The SDK reads where and as whom from the variables that `ostler env` prints.
"""
import os
import sys


def start_alibaba(instance):
    from alibabacloud_ecs20140526 import models
    from alibabacloud_ecs20140526.client import Client
    from alibabacloud_tea_openapi.models import Config

    client = Client(Config(access_key_id=os.environ['ALIBABA_CLOUD_ACCESS_KEY_ID'],
                           access_key_secret=os.environ['ALIBABA_CLOUD_ACCESS_KEY_SECRET'],
                           region_id=os.environ['ALIBABA_CLOUD_REGION_ID'],
                           endpoint=os.environ['ALIBABA_CLOUD_ENDPOINT'], protocol='http'))
    return client.start_instance(models.StartInstanceRequest(instance_id=instance)).body.request_id


def start_zenlayer(instance):
    from zenlayercloud.common.config import Config
    from zenlayercloud.common.credential import Credential
    from zenlayercloud.zec.v20250901 import models, zec_client

    credential = Credential(os.environ['ZENLAYER_ACCESS_KEY_ID'], os.environ['ZENLAYER_ACCESS_KEY_SECRET'])
    client = zec_client.ZecClient(credential, Config(domain=os.environ['ZENLAYER_ENDPOINT'], scheme='http'))
    request = models.StartInstancesRequest()
    request.instanceIds = [instance]
    answer = client.StartInstances(request)
    if answer.instanceIds:
        sys.exit(f'not started: {answer.instanceIds}')
    return answer.requestId


STARTS = {'alibaba': start_alibaba, 'zenlayer': start_zenlayer}

if len(sys.argv) != 3 or sys.argv[1] not in STARTS:
    sys.exit(__doc__)
print(STARTS[sys.argv[1]](sys.argv[2]))
