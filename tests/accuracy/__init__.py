"""The accuracy contract under adversarial numbers, fresh in every run.

`test_quick.py` is a small part of it in `make test`. `make accuracy` runs all of it, measures other libraries
on the same numbers, and writes the JSON that the site's page of accuracy is made of.
"""
