"""What the instructor runs: `python -m course_lib.grading SUBMISSIONS --out GRADES`.

A learner's code and the judgement of it never share a process, a file system or a format that can
execute. Left out: teaching; nothing here is needed to take the course.
"""
