"""Who is against the outcome more often than chance and the ways of a team explain?

Two questions, each a tail probability by agent:

- `p_within_rounds`: would a permutation of the votes among the voters of each round give so many votes against? What
  was hard to agree on is hard for everybody there. Then votes against are Poisson-binomial; here a binomial of the
  same mean and variance (Ehm 1991).
- `p_among_peers`: people differ, and that is no fault. Rates of the others are beta distributed with unknown mean and
  spread; the posterior predictive of a new agent is a beta-binomial mixture on a grid (Gelman et al., BDA3, 5.3). The
  others' log-likelihoods are clipped, so that a second dissenter does not make the first one look usual.
"""

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaln, expit

Floats = NDArray[np.float64]

CLIP = 4.0
"""Nats that one peer can speak against a mean and a spread (measured: 4 beats 6 and none)."""
PEERS = 200
"""Agents from whom mean and spread are learnt; more would add cost and no knowledge."""
_MEANS, _SPREADS, _CELLS = 40, 14, 200


def p_within_rounds(against: Floats, expected: Floats, variance: Floats) -> Floats:
    """P(as many votes against or more) for each agent, if within each round any voter might have been the one."""
    share = np.clip(1 - variance / np.maximum(expected, 1e-9), 1e-6, 1 - 1e-6)
    votes = np.maximum(expected / share, against)
    return np.where(against > 0, betainc(np.maximum(against, 1e-9), votes - against + 1, share), 1.0)


def p_among_peers(against: Floats, votes: Floats, suspects: NDArray[np.intp]) -> Floats:
    """P(as many votes against or more) for each of the suspects, if it were one more agent like all the others."""
    alpha, beta, normal, mass, rates = _grid()
    peers = np.arange(0, len(votes), math.ceil(len(votes) / PEERS))
    said = _log_likelihood(against[peers], votes[peers], alpha, beta, normal)
    own = np.where(np.isin(suspects, peers)[:, None], said[np.searchsorted(peers, suspects) % len(peers)], 0.0)
    weights = said.sum(0) - own
    weights = np.exp(weights - weights.max(1, keepdims=True))
    predicted = weights @ mass / weights.sum(1, keepdims=True)
    k, n = against[suspects, None], votes[suspects, None]
    tails = betainc(np.maximum(k, 1e-9), n - k + 1, rates)
    return np.where(k[:, 0] > 0, (predicted * tails).sum(1), 1.0)


def p_of_a_coin(against: Floats, votes: Floats) -> Floats:
    """P(as few votes against or fewer) of an agent that tosses a coin."""
    return np.asarray(betainc(np.maximum(votes - against, 1e-9), against + 1, 0.5), np.float64)


def p_more_often(against: Floats, votes: Floats, share: float) -> Floats:
    """P(so many votes against or more) of an agent that is against in this share of its votes."""
    tails = betainc(np.maximum(against, 1e-9), votes - against + 1, share)
    return np.where(against > 0, tails, 1.0)


def discoveries(p_values: Floats, rate: float) -> NDArray[np.bool_]:
    """Benjamini and Hochberg (1995): which to call, so that at most `rate` of the calls is expected to be wrong."""
    order = np.argsort(p_values, kind="stable")
    passed = np.flatnonzero(p_values[order] <= rate * np.arange(1, len(order) + 1) / len(order))
    called = np.zeros(len(order), np.bool_)
    called[order[: passed[-1] + 1 if len(passed) else 0]] = True
    return called


def _log_likelihood(k: Floats, n: Floats, alpha: Floats, beta: Floats, normal: Floats) -> Floats:
    """Of each agent (rows) at each grid point (columns), clipped."""
    said = betaln(k[:, None] + alpha, (n - k)[:, None] + beta) - normal
    return np.asarray(np.maximum(said, said.max(1, keepdims=True) - CLIP), np.float64)


@cache
def _grid() -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """(alpha, beta, ln B(alpha, beta), mass, rates): beta distributions of rates by mean and spread, and the mass of
    each (rows) in cells of the rate (columns) around `rates`.
    """
    mean, spread = expit(np.linspace(-5, 2, _MEANS)), np.exp(np.linspace(math.log(3), math.log(3000), _SPREADS))
    alpha, beta = np.outer(mean, spread).ravel(), np.outer(1 - mean, spread).ravel()
    edges = np.concatenate([[0.0], expit(np.linspace(-8, 5, _CELLS)), [1.0]])
    mass = np.diff(betainc(alpha[:, None], beta[:, None], edges), axis=1)
    return alpha, beta, betaln(alpha, beta), mass, (edges[1:] + edges[:-1]) / 2
