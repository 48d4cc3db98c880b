"""Parameters that are missing or not well formed, by the declarations of the actions."""
from causes import cause, declares
from causes.world import GHOST, ZGHOST


def field(action, name):
    return next((f for f in action["fields"] if f["name"] == name), {})


def requires(name):
    return lambda action: field(action, name).get("required", False)


# ---- alibaba ----

MANDATORY = {"RegionId": "cn-hangzhou", "InstanceId": GHOST, "InstanceType": "ecs.g6.large"}


def without(name):
    @cause("alibaba", requires(name), 400, "Missing" + name, name + " is mandatory for this action.")
    def missing(w, action):
        return w.ecs(action, dict(MANDATORY, **{name: None}))
    missing.__name__ = "without_" + name


for name in MANDATORY:
    without(name)


def truths(action):
    """Parameters that are true or false, and have no code of their own."""
    return [f["name"] for f in action["fields"]
            if f["type"] == "boolean" and not f.get("ignored") and f["name"] != "Hibernate"]


def numbers(action):
    """Numbers that have no code of their own."""
    return [f["name"] for f in action["fields"] if f["name"] in ("PageSize", "MaxResults")]


def ids_of(w, action):
    """One, as the action takes it: a list or a text."""
    return [GHOST] if field(w.dumped("alibaba", action), "InstanceId").get("type") == "strings" else GHOST


@cause("alibaba", lambda a: truths(a) or numbers(a), 400, "InvalidParameter",
       'The specified parameter "%s" is not valid.')
def neither_true_nor_a_number(w, action):
    dump = w.dumped("alibaba", action)
    return w.ecs(action, dict(MANDATORY, InstanceId=ids_of(w, action), **{(truths(dump) or numbers(dump))[0]: "perhaps"}))


@cause("alibaba", lambda a: declares(a, "ERR_REGION_NOT_FOUND"), 404, "InvalidRegionId.NotFound", "The specified RegionId does not exist.")
def an_unknown_region(w, action):
    return w.ecs(action, dict(MANDATORY, RegionId="cn-nowhere", InstanceId=ids_of(w, action)))


# ---- zenlayer ----

SHAPE = {"zoneId": "x", "imageId": "x", "instanceType": "x", "subnetId": "x"}


def lists(action):
    return [f for f in action["fields"] if f["type"] == "strings" and "max" in f]


def ids(action):
    return [f["name"] for f in action["fields"] if f["type"] == "strings" and f.get("format") == "id"]


def number(action):
    return next((f for f in action["fields"] if f["name"] in ("pageSize", "instanceCount")), None)


def call(w, action, **body):
    return w.zec(action, dict(SHAPE if action.startswith("Create") or action == "DescribeImages" else {}, **body))


@cause("zenlayer", lists, 400, "INVALID_PARAMETER_EXCEED_LENGTH")
def a_list_that_is_too_long(w, action):
    f = lists(w.dumped("zenlayer", action))[0]
    return call(w, action, **{f["name"]: [str(i) for i in range(f["max"] + 1)]})


@cause("zenlayer", lambda a: [f for f in lists(a) if "min" in f], 400, "INVALID_PARAMETER_LESS_LENGTH")
def an_empty_list(w, action):
    return call(w, action, instanceIds=[])


@cause("zenlayer", ids, 400, "INVALID_PARAMETER_PATTERN_ERROR")
def an_id_with_a_space(w, action):
    return call(w, action, **{ids(w.dumped("zenlayer", action))[0]: [ZGHOST + " "]})


@cause("zenlayer", "CreateZecInstances", 400, "INVALID_PARAMETER_PATTERN_ERROR")
def an_address_that_is_none(w, action):
    return call(w, action, lanIp="10.0.0")


@cause("zenlayer", number, 400, "INVALID_PARAMETER_EXCEED_MAXIMUM")
def a_number_that_is_too_big(w, action):
    f = number(w.dumped("zenlayer", action))
    return call(w, action, **{f["name"]: f["max"] + 1})


@cause("zenlayer", number, 400, "INVALID_PARAMETER_LESS_MINIMUM")
def a_number_that_is_too_small(w, action):
    return call(w, action, **{number(w.dumped("zenlayer", action))["name"]: 0})
