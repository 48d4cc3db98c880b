'use strict';
/*
 * What every client program here does: find a stopped machine, start it, wait until it runs, be refused for
 * starting it again, be refused for a wrong secret. Each step is one line of JSON on standard output; the test reads
 * them. `make(secret)` gives { status(id), start(id) }; `tell(error)` says what is known of an error.
 */
const env = (name) => {
  const value = process.env['OSTLER_CLIENT_' + name];
  if (!value) throw new Error('OSTLER_CLIENT_' + name + ' is not set');
  return value;
};

const say = (step, more) => process.stdout.write(JSON.stringify({ step, ...more }) + '\n');
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function refusal(step, tell, attempt) {
  try {
    await attempt();
  } catch (error) {
    say(step, { refused: true, type: error.constructor.name, name: error.name, code: error.code, ...tell(error) });
    return;
  }
  say(step, { refused: false });
}

async function story(make, tell) {
  const id = env('INSTANCE');
  const client = make(env('SECRET'));
  const deadline = Date.now() + 1000 * Number(env('PATIENCE'));

  say('found', { status: await client.status(id) });
  say('started', { requestId: await client.start(id) });
  let status = await client.status(id);
  const seen = [status];
  while (status !== 'Running' && Date.now() < deadline) {
    await pause(50);
    status = await client.status(id);
    if (status !== seen[seen.length - 1]) seen.push(status);
  }
  say('waited', { status, seen });
  await refusal('again', tell, () => client.start(id));
  await refusal('unknown', tell, () => client.start('i-bp100000000000000000'));
  await refusal('wrong-secret', tell, () => make('not-the-secret').start(id));
}

module.exports = { env, story: (make, tell) => story(make, tell).catch((error) => {
  process.stderr.write(error.stack + '\n');
  process.exitCode = 1;
}) };
