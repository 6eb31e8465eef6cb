"""OpenERP 6.0 on a Windows server: its configuration, its service, its databases, and the update of all three.

Note that this utility is private to the collection.
"""
