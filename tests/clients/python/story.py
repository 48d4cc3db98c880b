"""What every client program here does: find a stopped machine, start it, wait until it runs, be refused for
starting it again, be refused for a wrong secret. Each step is one line of JSON on standard output."""
import json
import os
import time


def env(name):
    return os.environ["OSTLER_CLIENT_" + name]


def say(step, **more):
    print(json.dumps(dict(more, step=step)), flush=True)


def refusal(step, kind, tell, attempt):
    try:
        attempt()
    except kind as e:
        say(step, refused=True, type=type(e).__name__, code=e.code, message=e.message, **tell(e))
        return
    say(step, refused=False)


def story(make, running, kind, tell):
    """`make(secret)` gives an object with status(id) and start(id); `kind` is the SDK's own exception."""
    iid = env("INSTANCE")
    client = make(env("SECRET"))
    until = time.monotonic() + float(env("PATIENCE"))
    say("found", status=client.status(iid))
    say("started", **client.start(iid))
    status = client.status(iid)
    seen = [status]
    while status != running and time.monotonic() < until:
        time.sleep(0.05)
        status = client.status(iid)
        if status != seen[-1]:
            seen.append(status)
    say("waited", status=status, seen=seen)
    refusal("again", kind, tell, lambda: client.again(iid))
    refusal("unknown", kind, tell, lambda: client.start("i-bp100000000000000000"))
    refusal("wrong-secret", kind, tell, lambda: make("not-the-secret").start(iid))
