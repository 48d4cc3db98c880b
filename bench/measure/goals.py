"""What is to be reached, and which measurement says whether it is."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Goal:
    key: str
    text: str
    least: float = None
    most: float = None
    unit: str = ""
    count: int = None  # how many machines or instances it is about; a quick run takes fewer

    def met(self, value):
        return value >= self.least if self.least is not None else value <= self.most

    def says(self):
        return ("≥ %s" % number(self.least) if self.least is not None else "≤ %s" % number(self.most)) + \
            (" " + self.unit if self.unit else "")

    def margin(self, value):
        """How many times better than the goal: above 1 it is met."""
        if self.least is not None:
            return value / self.least if self.least else None
        return self.most / value if value and self.most else None


def number(v):
    """Three digits, as people write them."""
    if v == int(v) and abs(v) < 100000:
        return "%d" % v
    return "%.3g" % v if abs(v) < 1000 else "%.0f" % v


GOALS = (
    Goal("read-alibaba", "signed `DescribeInstanceStatus` of one instance (V3), 64 connections: requests/s over nginx",
         least=0.55),
    Goal("read-zenlayer", "signed `DescribeInstancesStatus` of one instance (ZC2), 64 connections: requests/s over nginx",
         least=0.55),
    Goal("write-nginx", "signed durable `StartInstance`/`StopInstance` pairs, sim engine, 64 connections: "
         "requests/s over nginx", least=0.28),
    Goal("write-disk", "the same: requests/s over the bare fdatasync rate", least=1.5),
    Goal("write-tail", "p99 of the durable write over its p50, at half of that load, checkpoints included", most=4),
    Goal("wal", "the write-ahead log's largest size meanwhile", most=64, unit="MiB"),
    Goal("write-moto", "the same writes over moto's", least=100),
    Goal("start", "`StartInstance` sent → `RUNNING` seen by a poll, over the bare launcher", most=1.2),
    Goal("start-prepared", "the same with `--prepared`", most=0.5),
    Goal("ready-cold", "guest ready (address, metadata, key), over the bare launcher's cold boot", most=1.03),
    Goal("ready-template", "guest ready with templates on, over the bare launcher's cold boot", most=0.25),
    Goal("ready-template-ms", "guest ready with templates on", most=200, unit="ms"),
    Goal("stop", "forced `StopInstance` → `STOPPED`, over the bare launcher's quit", most=1.3),
    Goal("mass-start", "100 instances in one `StartInstances`, all running, over 100 bare launches at their best "
         "concurrency", most=1.1, count=100),
    Goal("mass-failed", "of those, failed or stuck", most=0, unit="machines", count=100),
    Goal("libvirt-start", "start: libvirt's time over ours", least=8, unit="times"),
    Goal("libvirt-stop", "stop: libvirt's time over ours", least=100, unit="times"),
    Goal("million-point", "1,000,000 instances: point read, time over the same at 1,000", most=1.3, count=1000000),
    Goal("million-page", "1,000,000 instances: page of 100, time over the same at 1,000", most=1.5, count=1000000),
    Goal("million-filter", "1,000,000 instances: filtered page, time over the same at 1,000", most=3, count=1000000),
    Goal("million-ready", "1,000,000 instances: `serve` ready", most=1, unit="s", count=1000000),
    Goal("page-point", "page of 100 full instances in `DescribeInstances`, JSON: time over one point read", most=30),
    Goal("memory-idle", "resident memory of the daemon, idle", most=16, unit="MiB"),
    Goal("memory-machine", "resident memory of the daemon, added per running machine", most=64, unit="KiB", count=100),
    Goal("adopt", "killed with 100 machines running: all adopted after the restart", most=1, unit="s", count=100),
    Goal("read-tls", "TLS on: signed reads over nginx with TLS", least=0.5),
)

# Measured beside them, without a goal.
ALSO = {"read-v1": "signed `DescribeInstanceStatus` of one instance (V1), 64 connections: requests/s over nginx"}
