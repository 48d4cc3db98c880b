#!/usr/bin/env python3
"""report.py RESULTS: adds up what ./test left there and prints the last line, `N passed, N failed, N skipped`.

cmocka's tests are counted one by one out of meson's log, pytest's out of its reports; a step without tests of its own
(a build, the include check) counts as one.
"""
import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

results = Path(sys.argv[1])
count = {'passed': 0, 'failed': 0, 'skipped': 0}
CMOCKA = {'       OK ': 'passed', '  FAILED  ': 'failed', '  SKIPPED ': 'skipped'}
MESON = {'OK': 'passed', 'EXPECTEDFAIL': 'passed', 'SKIP': 'skipped'}


def add_meson(path):
    for line in path.read_text().splitlines():
        test = json.loads(line)
        output = test.get('stdout', '') + test.get('stderr', '')
        # The summary at the end repeats the names of those that failed: each name counts once.
        seen = {name: word for word, name in re.findall(r'^\[(       OK |  FAILED  |  SKIPPED )\] (\w+)$', output, re.M)}
        for word in seen.values():
            count[CMOCKA[word]] += 1
        outcome = MESON.get(test['result'], 'failed')
        if not seen or (outcome == 'failed' and '  FAILED  ' not in seen.values()):
            count[outcome] += 1


def add_pytest(path):
    for suite in ElementTree.parse(path).getroot().iter('testsuite'):
        n = {key: int(suite.get(key, 0)) for key in ('tests', 'failures', 'errors', 'skipped')}
        count['failed'] += n['failures'] + n['errors']
        count['skipped'] += n['skipped']
        count['passed'] += n['tests'] - n['failures'] - n['errors'] - n['skipped']
        for case in suite.iter('testcase'):
            for skip in case.iter('skipped'):
                print(f'skipped: {case.get("classname")}.{case.get("name")}: {skip.get("message", "")[:160]}')


for step in sorted(results.glob('*.step')):
    outcome = step.read_text().strip()
    before = dict(count)
    if (meson := step.with_suffix('.meson')).exists():
        add_meson(meson)
    if (report := step.with_suffix('.xml')).exists():
        add_pytest(report)
    if before == count or (outcome == 'failed' and count['failed'] == before['failed']):
        count[outcome] += 1

print(f'{count["passed"]} passed, {count["failed"]} failed, {count["skipped"]} skipped')
