"""The console: pages for people, rendered here from what Redis holds; nothing on them writes.

``read`` asks Redis, one module a page turns what it answered into what a template shows, ``app`` serves.
"""
