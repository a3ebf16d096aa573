"""The agents, one module for each stage: decode, call pure code, confirm the effects.

In the order of the data:

``transform`` cloudevents to cdevents, and on to ``observe`` (stateful sources) and ``call`` (http functions);
``record`` and ``measure`` from cdevents to the tables; ``bury`` from dead letters to theirs.
"""
