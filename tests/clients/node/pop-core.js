'use strict';
/* The older SDK: V1 signatures; OSTLER_CLIENT_METHOD tells where the parameters go. */
const Core = require('@alicloud/pop-core');
const { env, story } = require('./story');

function make(secret) {
  const client = new Core({
    endpoint: env('PROTOCOL') + '://' + env('ENDPOINT'),
    apiVersion: '2014-05-26',
    accessKeyId: env('KEY'),
    accessKeySecret: secret,
  });
  const options = { method: process.env.OSTLER_CLIENT_METHOD || 'GET' };
  const RegionId = env('REGION');
  return {
    async status(id) {
      const params = { RegionId, InstanceIds: JSON.stringify([id]) };
      const body = await client.request('DescribeInstances', params, options);
      return body.Instances.Instance.length === 1 ? body.Instances.Instance[0].Status : '';
    },
    async start(id) {
      return (await client.request('StartInstance', { RegionId, InstanceId: id }, options)).RequestId;
    },
  };
}

story(make, (e) => ({ requestId: e.data && e.data.RequestId, message: e.message }));
