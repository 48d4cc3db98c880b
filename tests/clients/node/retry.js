'use strict';
/* @alicloud/ecs20140526 with its retries on: a reading that is throttled, and a writing whose answer is cut. */
const Ecs = require('@alicloud/ecs20140526');
const { $OpenApiUtil } = require('@alicloud/openapi-core');
const { RetryOptions } = require('@darabonba/typescript');
const { env } = require('./story');

const TRIES = 4; /* all together: what the SDK calls maxAttempts counts the first one, too */
const say = (step, more) => process.stdout.write(JSON.stringify({ step, ...more }) + '\n');

const client = (condition) => new Ecs.default(new $OpenApiUtil.Config({
  endpoint: env('ENDPOINT'),
  protocol: 'http',
  regionId: env('REGION'),
  accessKeyId: env('KEY'),
  accessKeySecret: env('SECRET'),
  retryOptions: condition && new RetryOptions({
    retryable: true,
    retryCondition: [{ maxAttempts: TRIES, exception: [], errorCode: [], ...condition }],
  }),
}));

const scenes = {
  async throttled() {
    try {
      await client().describeRegions(new Ecs.DescribeRegionsRequest({}));
      say('raised', { type: null });
    } catch (e) {
      say('raised', { type: e.constructor.name, code: e.code, status: e.statusCode, after: e.retryAfter,
        message: e.message });
    }
    const began = Date.now();
    const { body } = await client({ errorCode: ['Throttling'] }).describeRegions(new Ecs.DescribeRegionsRequest({}));
    say('retried', { regions: body.regions.region.length, seconds: (Date.now() - began) / 1000 });
  },
  async cut() {
    const { body } = await client({ errorCode: ['ECONNRESET'], exception: ['RetryError'] })
      .runInstances(new Ecs.RunInstancesRequest({
        regionId: env('REGION'), imageId: env('IMAGE'), instanceType: env('TYPE'), amount: 1,
        clientToken: env('TOKEN'),
      }));
    say('made', { ids: body.instanceIdSets.instanceIdSet });
  },
};

scenes[env('SCENE')]().catch((error) => {
  process.stderr.write(JSON.stringify({ name: error.name, code: error.code }) + error.stack + '\n');
  process.exitCode = 1;
});
