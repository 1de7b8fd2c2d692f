"""Attacks that seek the smallest change of an input that changes a classifier's answer, and an honest report."""
