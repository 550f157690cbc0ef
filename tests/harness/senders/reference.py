"""Senders that are right everywhere, in what they send and in what they keep."""

import applications
import mistaken

right = applications.Right(mistaken.Right())
cautious = applications.Right(mistaken.Cautious())
