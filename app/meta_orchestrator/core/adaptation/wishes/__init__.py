"""What looks wrong and which parameter would mend it: one file a rule, in the order in which they may have their way.

A rule returns None where nothing looks wrong. Where something does, it wishes even on thin evidence or for a frozen
parameter: the limits refuse it then, so that people can read why nothing happens.
"""

from collections.abc import Callable

from meta_orchestrator.core.adaptation.wish import Wish
from meta_orchestrator.core.adaptation.wishes.handoff_timeout import handoff_timeout
from meta_orchestrator.core.adaptation.wishes.max_rounds import max_rounds
from meta_orchestrator.core.adaptation.wishes.review_depth import review_depth
from meta_orchestrator.core.adaptation.wishes.vote_less import vote_less
from meta_orchestrator.core.adaptation.wishes.wip_limit import wip_limit
from meta_orchestrator.core.moment import Moment

RULES: tuple[Callable[[Moment], Wish | None], ...] = (review_depth, handoff_timeout, vote_less, max_rounds, wip_limit)
