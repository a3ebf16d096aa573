"""Links between facts of one service in one environment: what a deployment contains, whether it failed. Pure.

Everything is computed anew from all facts of the pair, so that the order in which they came does not matter.
"""

from streams.links.history import Attribution, DeployedChange, History, Links
from streams.links.link import link

__all__ = ["Attribution", "DeployedChange", "History", "Links", "link"]
