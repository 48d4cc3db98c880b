"""What brings about each refusal that has a cause here: a registry.

    @cause("alibaba", "StartInstance", 403, "InstanceExpired", "The prePaid instance has been expired.")
    def a_subscription_that_ended(w, action):
        return w.ecs(action, InstanceId=w.expired())

A cause makes the state, makes the call and returns the reply. `w` is a world.World, whose instances are made once
for all causes; `action` is the name of the action that is tried. Instead of one name there may be a tuple of names,
EVERY, or a function of an action's dump that tells whether it is tried. `message` is the documented text as
`ostler api dump` has it, where "%s" stands for a sentence or a name.

test_causes.py runs each of them, and wants one for every row that the dump calls natural, and none for another.
"""
import importlib
import pkgutil

CAUSES = []


def EVERY(action):
    return True


def declares(action, err):
    """Is the core's error among those that the action may raise, besides what decoding finds?"""
    return any(e["error"] == err for e in action["errors"])


class Cause:
    def __init__(self, dialect, actions, status, code, message, run, late):
        self.dialect, self.actions, self.status, self.code, self.message = dialect, actions, status, code, message
        self.run, self.late = run, late

    def tried_on(self, dump):
        """The names of the actions that it is tried on."""
        if callable(self.actions):
            return [a["name"] for a in dump if a["dialect"] == self.dialect and self.actions(a)]
        return [self.actions] if isinstance(self.actions, str) else list(self.actions)

    def row(self, action):
        return self.dialect, action, self.status, self.code, self.message


def cause(dialect, actions, status, code, message="%s", *, late=False):
    """`late`: run after the others, because it waits for something that was begun with the world."""
    def take(run):
        CAUSES.append(Cause(dialect, actions, status, code, message, run, late))
        return run
    return take


def load():
    """Every cause of the modules here."""
    if not CAUSES:
        for module in pkgutil.iter_modules(__path__):
            importlib.import_module("causes." + module.name)
    return CAUSES
