# SPDX-License-Identifier: LGPL-2.1-or-later
"""All who name a version name the same one: test-versions.py SOURCE VERSION API-VERSION SOVERSION"""

import re
import sys
from functools import partial
from pathlib import Path

import tap
from tap import check


def news_begins_with_the_version(source, version):
    heading = (source / "NEWS").read_text().splitlines()[0]
    check(heading == f"gtls-session {version}", f"NEWS begins with '{heading}', the project's version is {version}")


def debian_changelog_begins_with_the_version(source, version):
    heading = (source / "debian/changelog").read_text().splitlines()[0]
    match = re.fullmatch(r"gtls-session \(([^)-]+)-\d+\) \S+; urgency=\w+", heading)
    check(match and match.group(1) == version, f"debian/changelog begins with '{heading}', the version is {version}")


def debian_packages_are_named_after_api_and_soversion(source, api, soversion):
    control = (source / "debian/control").read_text()
    packages = set(re.findall(r"^Package: (\S+)$", control, re.MULTILINE))
    wanted = {f"libgtls-session-{api}-{soversion}", f"libgtls-session-{api}-dev", f"libgtls-session-{api}-doc",
              f"gir1.2-gtlssession-{api}", "python3-gtlssession", "gtls-session-gio-module",
              "gtls-session-tools"}
    check(packages == wanted, f"missing: {wanted - packages}, too many: {packages - wanted}")
    installs = {path.stem for path in (source / "debian").glob("*.install")}
    check(installs == wanted, f"without a .install file: {wanted - installs}, without a package: {installs - wanted}")


def main():
    source, version, api, soversion = Path(sys.argv[1]), *sys.argv[2:]
    return tap.tell_all([
        ("news_begins_with_the_version", partial(news_begins_with_the_version, source, version)),
        ("debian_changelog_begins_with_the_version", partial(debian_changelog_begins_with_the_version, source, version)),
        ("debian_packages_are_named_after_api_and_soversion",
         partial(debian_packages_are_named_after_api_and_soversion, source, api, soversion)),
    ])


if __name__ == "__main__":
    sys.exit(main())
