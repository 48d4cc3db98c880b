'use strict';
/* The current SDK: V3 signatures, or V1 when OSTLER_CLIENT_SIGNATURE=v2 (as that SDK calls it). */
const fs = require('fs');
const Ecs = require('@alicloud/ecs20140526');
const { $OpenApiUtil } = require('@alicloud/openapi-core');
const { env, story } = require('./story');

function make(secret) {
  const https = env('PROTOCOL') === 'https';
  const config = new $OpenApiUtil.Config({
    endpoint: env('ENDPOINT'),
    protocol: env('PROTOCOL'),
    regionId: env('REGION'),
    accessKeyId: env('KEY'),
    accessKeySecret: secret,
    ca: https ? fs.readFileSync(env('CA'), 'utf8') : undefined,
    signatureAlgorithm: process.env.OSTLER_CLIENT_SIGNATURE,
  });
  const client = new Ecs.default(config);
  return {
    async status(id) {
      const request = new Ecs.DescribeInstancesRequest({ regionId: env('REGION'), instanceIds: JSON.stringify([id]) });
      const { body } = await client.describeInstances(request);
      return body.instances.instance.length === 1 ? body.instances.instance[0].status : '';
    },
    async start(id) {
      const { body } = await client.startInstance(new Ecs.StartInstanceRequest({ instanceId: id }));
      return body.requestId;
    },
  };
}

story(make, (e) => ({ status: e.statusCode, requestId: e.requestId, message: e.message }));
