"""What runs inside the sandbox, beside the learner's code: no secret, no expected value.

Nothing that happens here is believed by the judge; a learner who replaces these modules has
written another answer, and no better one.
"""
