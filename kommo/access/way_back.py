"""Where a person wanted to go before something stood in between: an address of this panel, or the first page."""

import re

_PATH = re.compile(r"/(?![/\\])[A-Za-z0-9._~!$&'()*+,;=:@%/?-]{0,1999}")
HOME = "/"


def way_back(given: str | None) -> str:
    """The path to go on to: `given` where it is a plain path of ours, else the first page.

    Browsers take `//host`, `/\\host`, a tab before a slash and `https:host` for another site's address; nothing that
    is no path letter by letter is repaired.
    """
    return given if given and _PATH.fullmatch(given) else HOME
