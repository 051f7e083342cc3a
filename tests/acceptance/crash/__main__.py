"""The whole sweep of this build: `python -m tests.acceptance.crash --log FILE`; started again, it goes on.

Every point under every class (`spot`), a second death at every place of recovering (`second`), every place under every
class on futures (`futures`). Several processes share the work with `--part 1/2` and `--part 2/2`. Ends with a table of
what the log holds for this build, and with 1 when anything went wrong or is left.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import Final

from tests.acceptance.crash import log
from tests.acceptance.crash.sweep import Case, Hands, by_place, exhaustive, hands_in, matrix, sqlite, twice

#: Name -> its cases, and the market they are on.
FORMS: Final[dict[str, tuple[Callable[[str], list[Case]], str]]] = {
    "spot": (exhaustive, "binance_spot"),
    "second": (twice, "binance_spot"),
    "futures": (lambda place: [case for case in matrix() if case.point.place == place], "binance_futures"),
}
Wanted = tuple[str, Case]


def wanted(forms: list[str], places: list[str]) -> Iterator[Wanted]:
    """Every case of these forms at these places."""
    for form in forms:
        for place in places:
            for case in FORMS[form][0](place):
                yield form, case


def main() -> int:
    """Do what is left; see above."""
    asked = _asked()
    build = log.build_of()
    whole = list(wanted(asked.form or list(FORMS), asked.place or list(by_place())))
    part, parts = (int(number) for number in asked.part.split("/"))
    done = {each.key for each in log.read(asked.log, build)}
    left = [each for each in whole[part - 1 :: parts] if log.key(*each) not in done]
    signal.signal(signal.SIGTERM, _stop)
    if not asked.report and left:
        folder = Path(tempfile.mkdtemp(prefix="sweep-"))
        print(f"build {build}: {len(left)} runs are left; what goes wrong stays in {folder}", flush=True)
        with hands_in(folder, asked.hands) as hands:
            _sweep(left, hands, build, asked.log)
    lines = list({each.key: each for each in log.read(asked.log, build)}.values())
    print(f"build {build}\n{log.report(lines, whole)}")
    return int(any(each.complaints for each in lines) or len(lines) < len(whole))


def _sweep(left: list[Wanted], hands: Hands, build: str, path: Path) -> None:
    def one(each: Wanted) -> None:
        form, case = each
        with hands.one() as hand:
            verdict = hand.do(case, sqlite, FORMS[form][1])
            if verdict.complaints:
                print(f"{form}: {verdict} ({hand.folder})", flush=True)
        log.append(path, log.line(build, form, case, verdict))

    pool = ThreadPoolExecutor(hands.number)
    try:
        for future in [pool.submit(one, each) for each in left]:
            future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _stop(_number: int, _frame: FrameType | None) -> None:
    sys.exit("broken off; started again it goes on from here")


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.acceptance.crash", description=__doc__)
    parser.add_argument("--log", type=Path, required=True, help="file of results; what it holds of this build is done")
    parser.add_argument("--form", action="append", choices=list(FORMS), help="only this form; may be repeated")
    parser.add_argument("--place", action="append", choices=list(by_place()), help="only this place; may be repeated")
    parser.add_argument("--part", default="1/1", help="the first half of the work is 1/2, the second 2/2")
    parser.add_argument("--hands", type=int, default=3, help="runs at a time, each on a venue of its own")
    parser.add_argument("--report", action="store_true", help="tell what the log holds, and run nothing")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
