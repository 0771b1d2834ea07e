"""The doctor: looks at everything the portal needs and says what to do about what is wrong.

`here` needs nothing but the database and this machine, so the page asks it while it is shown. `away` reaches the
network and the storage; the worker does that when somebody asks, and the command does it at once.
"""
